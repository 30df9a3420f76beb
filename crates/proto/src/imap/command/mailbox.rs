//! Mailbox names and the commands about mailboxes as wholes.

use super::{DateTime, Flag, SequenceSet};

/// A mailbox name in UTF-8, decoded from modified UTF-7 (RFC 3501 §5.1.3). It has passed no rule of the store
/// yet, and may be empty; `INBOX` stands as the client spelled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox(pub String);

impl Mailbox {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name with the wildcards `*` and `%` (RFC 3501 §6.3.8), decoded as [`Mailbox`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPattern(pub String);

/// The arguments of SELECT and EXAMINE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    pub mailbox: Mailbox,
    /// RFC 7162 §3.1.8.
    pub condstore: bool,
}

/// RFC 3501 §6.3.8 with the options of RFC 6154 §2; CHILDREN (RFC 3348) and special-use attributes are always
/// returned, so that a client need not ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// `LIST (SPECIAL-USE)`: only mailboxes with such an attribute.
    pub special_use_only: bool,
    pub reference: Mailbox,
    /// Empty: the client asks for the hierarchy separator.
    pub pattern: ListPattern,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub mailbox: Mailbox,
    /// In the order asked, without doubles.
    pub items: Vec<StatusItem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    /// RFC 7162 §3.1.7.
    HighestModSeq,
}

impl StatusItem {
    pub const ALL: [Self; 6] =
        [Self::Messages, Self::Recent, Self::UidNext, Self::UidValidity, Self::Unseen, Self::HighestModSeq];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::HighestModSeq => "HIGHESTMODSEQ",
        }
    }
}

/// APPEND up to its message (RFC 3501 §6.3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub mailbox: Mailbox,
    pub flags: Vec<Flag>,
    pub date: Option<DateTime>,
    /// Octets of the message, at least 1.
    pub size: u64,
    /// The octets come unasked (RFC 7888).
    pub non_sync: bool,
}

/// COPY and MOVE, with and without UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub set: SequenceSet,
    /// Whether `set` holds UIDs.
    pub uid: bool,
    pub mailbox: Mailbox,
}
