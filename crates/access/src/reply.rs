//! Replies that are made piece by piece, so that `FETCH 1:*` is a cursor and not a list.

use std::ops::Range;

use bytes::Bytes;
use store::{MessageId, MessageOutline};

/// A reply in the making. The driver calls [`output`](Self::output) again and again, writing out what it
/// gets, and calls it only while little is waiting to be written.
pub trait Reply: Send {
    /// Appends octets to `out`: stops at [`LOW_WATER`] or so.
    fn output(&mut self, out: &mut Vec<u8>) -> Step;

    /// Gives what the last step needed.
    fn supply(&mut self, supply: Supply);
}

/// Octets that a reply appends at most before it answers [`Step::More`], within a row.
pub const LOW_WATER: usize = 16 * 1024;

/// What the driver is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The reply is complete.
    Done,
    /// Write out what there is, then call again.
    More,
    /// Let others have their turn, then call again: it took much work to make little.
    Rest,
    /// Send these octets of a message after what there is, straight from the store; then call again.
    Splice(Splice),
    /// Read the outlines of these messages, then [`Reply::supply`] them in this order.
    Outlines(Vec<MessageId>),
    /// Read these octets of a message (at most [`Step::MAX_READ`]), then [`Reply::supply`] them.
    Octets { message: MessageId, range: Range<u64> },
}

impl Step {
    /// Octets that a reply may ask to be read at once: a header's interpreted part.
    pub const MAX_READ: u64 = 1024 * 1024;
}

/// A range of a message that goes to the socket without passing through the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    pub message: MessageId,
    pub range: Range<u64>,
    pub coding: Coding,
}

/// How spliced octets look on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    Plain,
    /// RFC 1939 §3: a line's leading dot is doubled, and `.` CRLF ends it (after a CRLF if the last line had
    /// none). With `lines`, only so many lines after the header's end (TOP).
    DotStuffed { lines: Option<u64> },
}

/// What a reply asked for. An error inside concerns that one item.
#[derive(Debug)]
pub enum Supply {
    Outlines(Vec<store::Result<MessageOutline>>),
    Octets(store::Result<Bytes>),
}

/// A reply that is a text.
impl Reply for Vec<u8> {
    fn output(&mut self, out: &mut Vec<u8>) -> Step {
        out.append(self);
        Step::Done
    }

    fn supply(&mut self, _: Supply) {}
}
