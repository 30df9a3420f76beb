//! The handle that protocols use: small, set-based verbs, each one log record or one statement.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Accept, AccountId, BodyWriter, Flags, FolderChange, FolderId, Folders, Future, Keyword, Listing, MessageId,
    MessageOutline, ModSeq, Placed, Result, Timestamp, Uid, UidSet, UidValidity,
};

/// The mailboxes of all accounts. Every verb that changes something answers only after the change is
/// durable, and its effect is then visible to every later call and every [`Watch`].
pub trait Mailboxes: Send + Sync {
    /// Opens a place for a body to stream into. `expected`: the octets the peer announced, if it did.
    fn stage(&self, expected: Option<u64>) -> Future<'_, Result<Box<dyn BodyWriter>>>;

    /// Makes the body and all its placements durable at one point. The outer error means nothing was
    /// placed; an inner one concerns that placement alone (`OverQuota`, `NotFound`, `Limit`). With
    /// [`Accept::all_or_none`] the error of the first that cannot be placed is the outer one. Placements are
    /// judged in their order: earlier ones count against the quota, and their delivery ids are known to later ones.
    fn accept(&self, accept: Accept) -> Future<'_, Result<Vec<Result<Placed>>>>;

    fn folders(&self, account: AccountId) -> Future<'_, Result<Arc<Folders>>>;

    /// `NotFound`, `Exists`, `Invalid` or `Limit` say why the tree stays as it is.
    fn change_folders(&self, account: AccountId, change: FolderChange) -> Future<'_, Result<()>>;

    /// The folder as it is now; a later one comes from calling again and [`Listing::diff`].
    fn listing(&self, folder: FolderId) -> Future<'_, Result<Listing>>;

    /// Changes those of `uids` that exist. With `unless`, messages changed since are left alone and named in
    /// [`Applied::conflicts`] (RFC 7162 §3.1.3). Decided against the latest state, in one order for all. After an
    /// error nothing was changed: `OverQuota` and `Limit` for copies, `Limit` for a keyword too many, `NotFound`
    /// without the folder or the target, `Invalid` for a target in another account.
    fn apply(
        &self,
        folder: FolderId,
        uids: UidSet,
        change: Change,
        unless: Option<ModSeq>,
    ) -> Future<'_, Result<Applied>>;

    /// Takes the claim on `\Recent`: messages with a UID from the answer on are recent for the caller and
    /// for nobody after it (RFC 3501 §2.3.2). Not waited for on disk.
    fn claim_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>>;

    /// What [`claim_recent`](Self::claim_recent) would answer, without taking it: EXAMINE and STATUS look only
    /// (RFC 3501 §6.3.2).
    fn first_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>>;

    /// Outlines in the order asked; an item is `Gone` or `Corrupt` for itself alone.
    fn outlines<'a>(&'a self, messages: &'a [MessageId]) -> Future<'a, Result<Vec<Result<MessageOutline>>>>;

    /// Octets of a message (prefix and body as one), cut at its end, checksum verified. Callers ask for
    /// [`Unit::CHUNK`] at a time; an engine may answer with fewer, but with none only at the end.
    fn read(&self, message: MessageId, range: Range<u64>) -> Future<'_, Result<Bytes>>;

    /// Octets and messages of an account, and its quota.
    fn usage(&self, account: AccountId) -> Future<'_, Result<Usage>>;

    /// Wakes when something of the account changed. Hints: may be doubled or early, never held back by
    /// an index.
    fn watch(&self, account: AccountId) -> Box<dyn Watch>;

    /// Takes a named lock (POP3's maildrop lock) or answers `Busy`; dropping the lease gives it back.
    fn lease(&self, name: String) -> Future<'_, Result<Lease>>;
}

/// Sizes that callers and engines agree on.
pub struct Unit;

impl Unit {
    /// Octets moved at a time between store and socket, and covered by one checksum.
    pub const CHUNK: u64 = 64 * 1024;
}

/// A set-based change of messages in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Flags {
        how: FlagChange,
        flags: Flags,
        keywords: Vec<Keyword>,
    },
    /// Removes them; the bodies stay readable for a time ([`crate::Error::Gone`] after it), and count against no
    /// quota from now on.
    Expunge,
    /// With flags, keywords and date (RFC 3501 §6.4.7), all or none of them.
    Copy {
        to: FolderId,
    },
    /// Under new UIDs, also within one folder, and whatever the quota. In exactly one place at any moment, also through a crash (RFC 6851 §3.3).
    Move {
        to: FolderId,
    },
}

/// RFC 3501 §6.4.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagChange {
    Add,
    Remove,
    Replace,
}

/// What a change did.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The folder right after the change.
    pub listing: Listing,
    /// Messages that the change touched (for flags: also those that already were so; these keep their modseq,
    /// see [`Listing::set_flags_where`]).
    pub changed: UidSet,
    /// Messages left alone because they changed since `unless`.
    pub conflicts: UidSet,
    /// For copies and moves: the target's UIDVALIDITY and each (source, new) pair in ascending order.
    pub copied: Option<(UidValidity, Vec<(Uid, Uid)>)>,
}

/// An account's use of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub octets: u64,
    pub messages: u64,
    /// Octets; `None` is without a limit.
    pub quota: Option<u64>,
    /// When the account was last changed, if the engine knows.
    pub changed: Option<Timestamp>,
}

/// Waits for changes of one account.
pub trait Watch: Send {
    fn changed(&mut self) -> Future<'_, ()>;
}

/// A named lock held; give it back by dropping it.
pub struct Lease {
    _held: Box<dyn Any + Send + Sync>,
}

impl Lease {
    /// `held` gives the lock back when dropped.
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self { _held: Box::new(held) }
    }
}
