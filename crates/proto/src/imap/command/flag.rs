//! Flags and STORE (RFC 3501 §2.3.2, §6.4.6; RFC 7162 §3.1.3).

use super::SequenceSet;

/// A flag that a client may set. `\Recent` is none: it belongs to sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    Answered,
    Flagged,
    Deleted,
    Seen,
    Draft,
    /// An atom as the client spelled it; at most as long as a command.
    Keyword(String),
}

impl Flag {
    /// As on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Seen => "\\Seen",
            Self::Draft => "\\Draft",
            Self::Keyword(name) => name,
        }
    }
}

/// STORE or UID STORE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub set: SequenceSet,
    /// Whether `set` holds UIDs.
    pub uid: bool,
    pub unchanged_since: Option<u64>,
    pub how: StoreHow,
    /// `.SILENT`: the new flags are not told, the new MODSEQ is (RFC 7162 §3.1.3).
    pub silent: bool,
    pub flags: Vec<Flag>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreHow {
    Replace,
    Add,
    Remove,
}
