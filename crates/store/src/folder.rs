//! The folders of one account.

use serde::{Deserialize, Serialize};

use crate::{Error, FolderId, Result, UidValidity};

/// A folder's full name: levels parted by `/`, in UTF-8; `INBOX` in any case is the one inbox
/// (RFC 3501 §5.1). A name is never a path: files are named by ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FolderName(Box<str>);

impl FolderName {
    pub const SEPARATOR: char = '/';
    pub const MAX_OCTETS: usize = 1024;
    pub const MAX_LEVELS: usize = 64;

    /// Refuses empty levels, control and bidirectional-override characters, and names past the limits.
    pub fn new(text: &str) -> Result<Self> {
        let refuse = |why: &str| Err(Error::Invalid(format!("folder name refused: {why}")));
        if text.is_empty() || text.len() > Self::MAX_OCTETS {
            return refuse("it must have 1 to 1024 octets");
        }
        if text.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
            return refuse("it holds a control character");
        }
        let levels = text.split(Self::SEPARATOR);
        if levels.clone().any(str::is_empty) {
            return refuse("it has an empty level");
        }
        if levels.clone().count() > Self::MAX_LEVELS {
            return refuse("it has more than 64 levels");
        }
        // INBOX is case-insensitive, also as the parent of other folders.
        let (first, rest) = text.split_at(text.find(Self::SEPARATOR).unwrap_or(text.len()));
        if first.eq_ignore_ascii_case("INBOX") {
            return Ok(Self(format!("INBOX{rest}").into()));
        }
        Ok(Self(text.into()))
    }

    pub fn inbox() -> Self {
        Self("INBOX".into())
    }

    pub fn is_inbox(&self) -> bool {
        &*self.0 == "INBOX"
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `self` stands beneath `other`, at any depth.
    pub fn is_beneath(&self, other: &Self) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.starts_with(Self::SEPARATOR))
    }
}

/// RFC 6154: what a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SpecialUse {
    Drafts,
    Sent,
    Junk,
    Trash,
    Archive,
}

impl SpecialUse {
    /// Made with every mailbox, under these names.
    pub const DEFAULT_FOLDERS: [(&'static str, Self); 5] = [
        ("Drafts", Self::Drafts),
        ("Sent", Self::Sent),
        ("Junk", Self::Junk),
        ("Trash", Self::Trash),
        ("Archive", Self::Archive),
    ];
}

/// One folder of an account's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    pub id: FolderId,
    pub name: FolderName,
    pub uid_validity: UidValidity,
    pub subscribed: bool,
    pub special_use: Option<SpecialUse>,
}

/// All folders of an account, sorted by name, and names subscribed to that are no folders (RFC 3501
/// §6.3.6 forbids to drop a subscription with its folder).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folders {
    pub folders: Vec<Folder>,
    pub subscribed_names: Vec<FolderName>,
}

impl Folders {
    pub fn by_name(&self, name: &FolderName) -> Option<&Folder> {
        let at = self.folders.binary_search_by(|folder| folder.name.cmp(name)).ok()?;
        self.folders.get(at)
    }

    pub fn by_id(&self, id: FolderId) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.id == id)
    }

    pub fn has_children(&self, name: &FolderName) -> bool {
        self.folders.iter().any(|folder| folder.name.is_beneath(name))
    }
}

/// A change of an account's folder tree; each is one log record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderChange {
    /// Missing parents are made too (RFC 3501 §6.3.3).
    Create {
        name: FolderName,
        special_use: Option<SpecialUse>,
    },
    /// Takes the children along; renaming INBOX moves its messages into a new folder and leaves INBOX
    /// empty, without its children (RFC 3501 §6.3.5).
    Rename {
        from: FolderName,
        to: FolderName,
    },
    /// Refused for INBOX and for a folder with children (`Error::Invalid`).
    Delete {
        name: FolderName,
    },
    Subscribe {
        name: FolderName,
        subscribed: bool,
    },
}
