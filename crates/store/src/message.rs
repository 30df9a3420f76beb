//! How a message comes in: staged while it streams, then accepted with one durable point.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use crate::{DeliveryId, Flags, FolderId, Future, Keyword, MessageSize, Result, Timestamp, Uid, UidValidity};

/// Takes a body as it streams in. Dropping it leaves nothing behind.
pub trait BodyWriter: Send {
    /// Appends octets; an engine that is out of budget lets the caller wait here.
    fn write<'a>(&'a mut self, chunk: &'a [u8]) -> Future<'a, Result<()>>;
    /// Ends the body. What was staged is durable only once [`crate::Mailboxes::accept`] says so.
    fn finish(self: Box<Self>) -> Future<'static, Result<Staged>>;
}

/// A complete body that no folder holds yet. Dropping it discards it.
pub struct Staged {
    /// Octets of the body, without any prefix.
    pub size: MessageSize,
    pub outline: Arc<mime::Outline>,
    pub content: Content,
}

/// Where a staged body waits.
pub enum Content {
    /// Small: in memory, from the engine's byte budget (`permit` gives it back when dropped).
    Inline { bytes: Bytes, permit: Box<dyn Any + Send + Sync> },
    /// Large: with the engine; `handle` is the engine's own and removes the bytes when dropped unused.
    Spilled { handle: Box<dyn Any + Send + Sync> },
}

/// One message to be made durable: one verb, one durable point, then the client is told.
pub struct Accept {
    pub body: Staged,
    pub placements: Vec<Placement>,
    /// One answer stands for all placements, as in SMTP: when one cannot be placed, none is.
    pub all_or_none: bool,
}

impl Accept {
    /// Each placement is answered for itself.
    pub fn each(body: Staged, placements: Vec<Placement>) -> Self {
        Self { body, placements, all_or_none: false }
    }

    /// All placements or none.
    pub fn together(body: Staged, placements: Vec<Placement>) -> Self {
        Self { body, placements, all_or_none: true }
    }
}

/// One folder that is to hold the message.
#[derive(Clone, Debug)]
pub struct Placement {
    pub folder: FolderId,
    /// Header lines in front of the body that are this recipient's own (trace, results): complete lines
    /// ending in CRLF, at most [`Placement::MAX_PREFIX`] octets (else `Limit`), empty for an APPEND.
    pub prefix: Bytes,
    pub flags: Flags,
    pub keywords: Vec<Keyword>,
    /// RFC 3501 §2.3.3.
    pub internal_date: Timestamp,
    /// Set for deliveries: a placement whose id the account knows is answered with that one, also after that
    /// message was moved or expunged, and whatever folder is asked for now.
    pub delivery: Option<DeliveryId>,
}

impl Placement {
    pub const MAX_PREFIX: usize = 64 * 1024;
}

/// A placement that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub folder: FolderId,
    pub uid_validity: UidValidity,
    pub uid: Uid,
    /// Whether it had been placed before under the same delivery id.
    pub duplicate: bool,
}

/// A message's outline, and how far its prefix pushes the body: an octet range of the outline (which is
/// of the body alone) lies `prefix` further in the message; only the root header begins at 0.
#[derive(Clone, Debug)]
pub struct MessageOutline {
    pub prefix: u32,
    pub outline: Arc<mime::Outline>,
}
