//! The folders of one account.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{Error, FolderId, Result, UidValidity};

/// A folder's full name: levels parted by `/`, in UTF-8; `INBOX` in any case is the one inbox
/// (RFC 3501 §5.1). What looks the same is the same: names are in Unicode's form NFC, however a client composes
/// its letters. A name is never a path: files are named by ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
        let text = &*Self::normalized(text);
        if text.len() > Self::MAX_OCTETS {
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

    /// In the form that names have (Unicode Standard Annex 15: NFC); for patterns that names are to match.
    pub fn normalized(text: &str) -> Cow<'_, str> {
        match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => text.into(),
            IsNormalized::No | IsNormalized::Maybe => text.nfc().collect::<String>().into(),
        }
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

    /// The names above this one, from the top.
    pub fn parents(&self) -> impl Iterator<Item = Self> {
        let ends = self.0.match_indices(Self::SEPARATOR).map(|(at, _)| at);
        ends.filter_map(|end| self.0.get(..end)).map(|parent| Self(parent.into()))
    }

    /// This name with `from`, at or above it, replaced by `to`; `None` when it stands elsewhere.
    pub fn rebased(&self, from: &Self, to: &Self) -> Result<Option<Self>> {
        if self == from {
            return Ok(Some(to.clone()));
        }
        if !self.is_beneath(from) {
            return Ok(None);
        }
        let rest = self.0.strip_prefix(&*from.0).unwrap_or_default();
        Self::new(&format!("{}{rest}", to.0)).map(Some)
    }
}

impl TryFrom<String> for FolderName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(&text)
    }
}

impl From<FolderName> for String {
    fn from(name: FolderName) -> Self {
        name.0.into()
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

/// All folders of an account, sorted by name, and names subscribed to that are no folders, sorted too
/// (RFC 3501 §6.3.6 forbids to drop a subscription with its folder). Parents of a folder always exist.
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
    Create { name: FolderName, special_use: Option<SpecialUse> },
    /// Takes the children along, and each folder's identity, UIDs and subscription; missing parents of the new
    /// name are made. Renaming INBOX moves its messages into a new folder and leaves INBOX empty, its children
    /// stay (RFC 3501 §6.3.5).
    Rename { from: FolderName, to: FolderName },
    /// Refused for INBOX and for a folder with children (`Error::Invalid`).
    Delete { name: FolderName },
    /// Also of names without a folder (RFC 3501 §6.3.6). Repeating it changes nothing.
    Subscribe { name: FolderName, subscribed: bool },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> bool {
        matches!(FolderName::new(text), Err(Error::Invalid(_)))
    }

    #[test]
    fn the_longest_name_is_taken_and_one_octet_more_refused() {
        assert!(FolderName::new(&"a".repeat(FolderName::MAX_OCTETS)).is_ok());
        assert!(refused(&"a".repeat(FolderName::MAX_OCTETS + 1)));
        assert!(refused(&"ä".repeat(FolderName::MAX_OCTETS / 2 + 1)), "octets count, not characters");
        assert!(refused(""));
    }

    #[test]
    fn the_deepest_name_is_taken_and_one_level_more_refused() {
        let levels = |n| vec!["a"; n].join("/");
        assert_eq!(FolderName::new(&levels(FolderName::MAX_LEVELS)).unwrap().parents().count(), 63);
        assert!(refused(&levels(FolderName::MAX_LEVELS + 1)));
    }

    #[test]
    fn empty_levels_and_control_characters_are_refused() {
        for text in ["/", "/a", "a/", "a//b", "a\0", "a\r\nb", "\u{7f}", "\u{85}", "\u{202e}fdp", "x\u{2066}"] {
            assert!(refused(text), "{text:?}");
        }
        for text in [" ", "a b", "..", "../etc", "%", "Ä/ö", "日本語", "\u{200f}"] {
            assert_eq!(FolderName::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_name_is_one_however_its_letters_are_composed() {
        let (composed, apart) = (FolderName::new("Entw\u{fc}rfe"), FolderName::new("Entwu\u{308}rfe"));
        assert_eq!(composed.unwrap(), apart.unwrap());
        // U+1D160 grows to three characters of four octets each.
        assert!(refused(&"\u{1d160}".repeat(FolderName::MAX_OCTETS / 4)));
    }

    #[test]
    fn inbox_is_one_in_any_case_but_only_at_the_top() {
        assert!(FolderName::new("iNbOx").unwrap().is_inbox());
        assert_eq!(FolderName::new("inbox/Inbox").unwrap().as_str(), "INBOX/Inbox");
        assert_eq!(FolderName::new("a/inbox").unwrap().as_str(), "a/inbox");
        assert_eq!(FolderName::new("inboxes").unwrap().as_str(), "inboxes");
    }

    #[test]
    fn a_stored_name_is_checked_like_a_given_one() {
        let read = |json| serde_json::from_str::<FolderName>(json);
        assert!(read("\"inbox\"").unwrap().is_inbox());
        assert!(read("\"a//b\"").is_err());
    }

    #[test]
    fn a_name_is_rebased_only_at_or_beneath_the_old_one() {
        let name = |text| FolderName::new(text).unwrap();
        let rebased = |text| name(text).rebased(&name("a/b"), &name("c")).unwrap();
        assert_eq!(rebased("a/b"), Some(name("c")));
        assert_eq!(rebased("a/b/d"), Some(name("c/d")));
        assert_eq!((rebased("a"), rebased("a/bd")), (None, None));
    }
}
