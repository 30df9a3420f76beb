//! Commands as types: what a parsed command may hold and nothing else.

mod date;
mod fetch;
mod flag;
mod mailbox;
mod search;
mod sequence;

use std::fmt;

pub use date::{Date, DateTime};
pub use fetch::{Fetch, FetchItem, HeaderNames, Partial, Section, SectionText};
pub use flag::{Flag, Store, StoreHow};
pub use mailbox::{Append, Copy, List, ListPattern, Mailbox, Select, Status, StatusItem};
pub use search::{Search, SearchBuilder, SearchKey, SearchNode, SearchProgram, SearchShapeError};
pub use sequence::{SequenceRange, SequenceSet};

use crate::logon::Secret;

/// A tagged command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub tag: Tag,
    pub body: Body,
}

/// A command's tag (RFC 3501 §9: ASTRING-CHARs except `+`): safe to be echoed.
#[derive(Clone, PartialEq, Eq)]
pub struct Tag(Box<str>);

impl Tag {
    pub const MAX_OCTETS: usize = 255;

    pub fn new(text: &[u8]) -> Option<Self> {
        let valid = (1..=Self::MAX_OCTETS).contains(&text.len())
            && text.iter().all(|&b| (0x21..0x7f).contains(&b) && !b"(){%*\"\\+".contains(&b));
        let text = std::str::from_utf8(text).ok().filter(|_| valid)?;
        Some(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.0)
    }
}

/// What a command asks. The session itself serves the first block; the rest goes to whoever holds the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Capability,
    Logout,
    /// RFC 2971; what the client says of itself is checked for its form and not kept.
    Id,
    StartTls,
    Authenticate {
        mechanism: String,
        /// RFC 4959: still base64; `=` stands for an empty one.
        initial: Option<Secret>,
    },
    Login {
        user: String,
        password: Secret,
    },
    Idle,

    /// To the executor only while logged on; before that the session answers it.
    Noop,
    /// RFC 5161. Unknown names were dropped; what is left is written back in `* ENABLED`.
    Enable {
        condstore: bool,
    },
    Namespace,
    Select(Select),
    /// SELECT that changes nothing (RFC 3501 §6.3.2).
    Examine(Select),
    Create(Mailbox),
    Delete(Mailbox),
    Rename {
        from: Mailbox,
        to: Mailbox,
    },
    Subscribe(Mailbox),
    Unsubscribe(Mailbox),
    List(List),
    Lsub {
        reference: Mailbox,
        pattern: ListPattern,
    },
    Status(Status),
    /// Comes as a request of its own, since the message streams behind it.
    Append(Append),
    Check,
    Close,
    /// RFC 3691.
    Unselect,
    Expunge,
    /// RFC 4315 §2.1.
    UidExpunge(SequenceSet),
    Search(Search),
    Fetch(Fetch),
    Store(Store),
    Copy(Copy),
    /// RFC 6851.
    Move(Copy),
}

impl Body {
    /// RFC 7162 §3.1: commands after which untagged FETCH responses carry MODSEQ.
    pub fn enables_condstore(&self) -> bool {
        match self {
            Self::Enable { condstore } => *condstore,
            Self::Select(select) | Self::Examine(select) => select.condstore,
            Self::Status(status) => status.items.contains(&StatusItem::HighestModSeq),
            Self::Fetch(fetch) => fetch.changed_since.is_some() || fetch.items.contains(&FetchItem::ModSeq),
            Self::Store(store) => store.unchanged_since.is_some(),
            Self::Search(search) => search.program.keys().any(|key| matches!(key, SearchKey::ModSeq(_))),
            _ => false,
        }
    }
}
