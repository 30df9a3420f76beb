//! How a log-on ends.

/// The outcome of a log-on, as the session is told it. The reason for a refusal stands in the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Granted,
    /// Unknown user, wrong password, switched off: one and the same answer.
    Refused,
    /// The password is right and has expired (RFC 5530 §3: EXPIRED).
    Expired,
    /// Too many failures from this address, or at this name (RFC 3206: SYS/TEMP; RFC 5530: LIMIT).
    Throttled,
    /// RFC 3206 §4: the account cannot be checked now, a later try may succeed.
    Unavailable,
    /// The account has as many connections as it may.
    TooManyConnections {
        limit: u32,
    },
    /// RFC 2449 §8.1.1: another session has the mailbox locked.
    InUse,
    /// The mailbox is there and cannot be opened: something that an administrator has to mend.
    Damaged,
}

impl Verdict {
    /// What a person reads in the mail program's error box; nothing where the protocol has words of its own.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Granted | Self::Refused => String::new(),
            Self::Expired => "The password has expired. Ask your administrator for a new one.".to_owned(),
            Self::Throttled => "Too many failed log-ons. Try again in a minute.".to_owned(),
            Self::Unavailable => "The mailbox cannot be opened now. Try again later.".to_owned(),
            Self::TooManyConnections { limit } => {
                format!("This user has {limit} connections open, which is the limit. Close one, then try again.")
            }
            Self::InUse => "The mailbox is in use by another POP3 session. Try again when it has ended.".to_owned(),
            Self::Damaged => "The mailbox cannot be opened. Tell your administrator.".to_owned(),
        }
    }
}
