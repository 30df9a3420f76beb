//! Why a command was not carried out, and the one place that says it in IMAP's words.

use std::borrow::Cow;

use proto::imap::write::{Code, Condition};
use store::Error;

/// An answer other than OK.
#[derive(Debug)]
pub enum Refusal {
    Store(Error),
    /// The target of COPY, MOVE or APPEND is not there (RFC 3501 §7.1: TRYCREATE).
    NoSuchTarget,
    No(Option<Code<'static>>, &'static str),
    Bad(&'static str),
}

pub type Outcome<T = ()> = Result<T, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Refusal {
    pub const NOT_SELECTED: Self = Self::Bad("Command is not valid in this state. SELECT a mailbox first.");
    /// RFC 3501 §6.3.2: nothing may change in a mailbox that was opened with EXAMINE.
    pub const READ_ONLY: Self =
        Self::No(Some(Code::ReadOnly), "The mailbox was opened read-only; SELECT it to change it.");
    /// RFC 2180 §4: the message was expunged by another session, which could not be told yet.
    pub const EXPUNGED: Self =
        Self::No(Some(Code::ExpungeIssued), "Some of the messages no longer exist; NOOP tells which.");
    pub const HAS_CHILDREN: Self =
        Self::No(Some(Code::HasChildren), "The mailbox has mailboxes beneath it; delete them first.");
    pub const WILDCARD: Self = Self::No(Some(Code::Cannot), "The name of a mailbox must not hold * or %.");
    /// RFC 3501 §9: the octets of a literal (CHAR8) are any but NUL.
    pub const HOLDS_NUL: Self = Self::Bad("A message must not hold NUL octets.");
    pub const HEADER_NOT_TAKEN: Self =
        Self::No(Some(Code::Limit), "The header of a message may have at most 1048576 octets.");
    /// A header is chosen from in memory, up to [`Step::MAX_READ`](crate::reply::Step::MAX_READ).
    pub const HEADER_TOO_LONG: Self = Self::No(
        Some(Code::Limit),
        "Of a header with more than 1048576 octets no fields can be chosen; fetch it whole (HEADER or MIME).",
    );

    /// The same, with a missing folder told as the missing target of a copy.
    pub fn of_target(self) -> Self {
        match self {
            Self::Store(Error::NotFound(_)) => Self::NoSuchTarget,
            other => other,
        }
    }

    pub fn condition(&self) -> Condition {
        match self {
            Self::Store(_) | Self::NoSuchTarget | Self::No(..) => Condition::No,
            Self::Bad(_) => Condition::Bad,
        }
    }

    /// RFC 5530 §3.
    pub fn code(&self) -> Option<Code<'static>> {
        Some(match self {
            Self::NoSuchTarget => Code::TryCreate,
            Self::No(code, _) => return *code,
            Self::Bad(_) => return None,
            Self::Store(error) => match error {
                Error::NotFound(_) => Code::Nonexistent,
                Error::Exists(_) => Code::AlreadyExists,
                Error::Invalid(_) => Code::Cannot,
                Error::OverQuota => Code::OverQuota,
                Error::Limit(_) => Code::Limit,
                Error::Gone => Code::ExpungeIssued,
                Error::Busy | Error::Conflict => Code::InUse,
                Error::DiskFull | Error::Unavailable(_) | Error::Unknown(_) => Code::Unavailable,
                Error::Corrupt(_) => Code::Corruption,
            },
        })
    }

    /// Tells the user what is wrong and the cure, and nothing of the server's inside.
    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NoSuchTarget => "The mailbox does not exist; CREATE it first.",
            Self::No(_, text) | Self::Bad(text) => text,
            Self::Store(error) => match error {
                // Folders are told of by the RFC's word.
                Error::NotFound("the folder") => "The mailbox does not exist.",
                Error::Exists("the folder") => "The mailbox already exists.",
                Error::NotFound(_) | Error::Exists(_) | Error::Invalid(_) | Error::Limit(_) => {
                    return sentence(&error.to_string()).into();
                }
                Error::OverQuota => "The mailbox is full; expunge some messages first.",
                Error::Gone => "The message no longer exists.",
                Error::Busy => "In use by another session; try again later.",
                Error::Conflict => "Changed by another session; try again.",
                Error::DiskFull => "Insufficient system storage; try again later.",
                Error::Unavailable(_) => "The store is unavailable; try again later.",
                Error::Unknown(_) => "It is not known whether the change was made; look before trying again.",
                Error::Corrupt(_) => "The server found damaged data; its administrator can see more in the log.",
            },
        })
    }

    /// What the store said, for the log.
    pub fn into_cause(self) -> Option<Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// With a capital at its start and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    let stop = if text.ends_with('.') { "" } else { "." };
    first.into_iter().chain(characters).chain(stop.chars()).collect()
}
