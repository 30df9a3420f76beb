//! What a session and its driver tell each other.

use super::Code;
use super::command::Transaction;
use crate::logon::{Credentials, Offer, Verdict, throttled};

/// What the session asks of its driver; each is to be answered once.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Begin TLS after all output is written, then [`Answer::Encrypted`].
    StartTls,
    /// Judge these, and for who may log on lock and open the maildrop; then [`Answer::LoggedOn`].
    LogOn(Credentials),
    /// Send the reply to this, then [`Answer::Replied`].
    Execute(Transaction),
    /// RFC 1939 §6: remove what was marked, then [`Answer::Updated`]. On no other occasion is anything removed.
    Update,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// TLS is on; what may be offered now.
    Encrypted(Offer),
    /// The maildrop is open, or why not.
    LoggedOn(Result<(), NotOpened>),
    Replied,
    Updated(Update),
}

/// Why no maildrop was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Unknown user, wrong password, switched off: not told apart.
    Refused,
    /// Too many failures from this address.
    Throttled { limit: u32 },
    /// The user has as many connections as may be.
    TooManyConnections { limit: u32 },
    /// Another POP3 session has the maildrop locked.
    InUse,
    /// Something that is likely to pass.
    Unavailable,
    /// Something that an administrator has to mend.
    Damaged,
}

/// What became of the marked messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    Complete,
    /// Some of them, or perhaps some, are still there.
    Partial,
}

impl NotOpened {
    /// What a verdict means here.
    pub fn judge(verdict: Verdict) -> Result<(), Self> {
        Err(match verdict {
            Verdict::Granted => return Ok(()),
            Verdict::Refused => Self::Refused,
            Verdict::Throttled { limit } => Self::Throttled { limit },
            Verdict::Unavailable => Self::Unavailable,
            Verdict::TooManyConnections { limit } => Self::TooManyConnections { limit },
        })
    }

    pub(super) fn code(self) -> Code {
        match self {
            Self::Refused => Code::Auth,
            Self::InUse => Code::InUse,
            Self::Throttled { .. } | Self::TooManyConnections { .. } | Self::Unavailable => Code::SysTemp,
            Self::Damaged => Code::SysPerm,
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Refused => "Logon failure: unknown user name or bad password.".to_owned(),
            Self::Throttled { limit } => throttled(limit),
            Self::TooManyConnections { limit } => {
                format!("This user has {limit} connections open, which is the limit. Close one, then try again.")
            }
            Self::InUse => "The mailbox is in use by another POP3 session. Try again when it has ended.".to_owned(),
            Self::Unavailable => "The mailbox cannot be opened now. Try again later.".to_owned(),
            Self::Damaged => "The mailbox cannot be opened. Tell your administrator.".to_owned(),
        }
    }
}
