//! Where an account comes from.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Who says what an account is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// It was made here.
    #[default]
    Local,
    /// Another directory (LDAP): its owner is a user there, and is logged on by it.
    Directory(Entry),
}

impl Source {
    /// What is kept of the other directory's entry.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Local => None,
            Self::Directory(entry) => Some(entry),
        }
    }
}

/// What is kept of a user's entry in another directory, for when that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its distinguished name (RFC 4514).
    pub name: String,
    /// What it keeps under whatever name (RFC 4530, or what the directory has in its place).
    pub id: String,
    /// About when the directory last had it; `None`: it has it no more.
    pub seen: Option<Timestamp>,
    /// About when the directory last took the password that is kept.
    pub verified: Option<Timestamp>,
}
