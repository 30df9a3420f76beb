//! The index that follows the log: what it must offer, and redb behind it.

mod backend;
mod redb;
mod row;

use std::sync::Arc;

use bytes::Bytes;
use store::{Error, Result};

pub(crate) use self::redb::RedbIndex;
use crate::state::{Key, Memtable, Progress};

/// The index can be made anew whatever became of it: the log is the truth.
fn damaged_index(what: &str) -> Error {
    Error::Corrupt(format!("the index: {what}; `gatepost store repair` makes it anew"))
}

/// Rows as they were at one commit.
pub(crate) trait Snapshot: Send + Sync {
    fn get(&self, key: &Key) -> Result<Option<Bytes>>;
    /// Visits rows from `from` to `to` (both included, of one table) in order until the visitor says `false`.
    fn range(&self, from: &Key, to: &Key, visit: &mut dyn FnMut(Key, &[u8]) -> bool) -> Result<()>;
}

pub(crate) trait Index: Send + Sync {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>>;
    /// Makes the rows of all these layers durable, later ones over earlier ones, together with how far they
    /// follow the log.
    fn commit(&self, layers: &[&Memtable], progress: Progress) -> Result<()>;
    fn progress(&self) -> Result<Option<Progress>>;
    /// After a failed commit: nothing may reach the file through this any more.
    fn abandon(&self);
}
