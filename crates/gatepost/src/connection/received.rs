//! Octets received and not yet consumed.

use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Octets read at a time: one TLS record (RFC 8446 §5.1).
const READ: usize = 16 * 1024;

/// Holds no memory while it is empty and the peer is waited for.
#[derive(Default)]
pub struct Received {
    octets: Vec<u8>,
    /// Where the slice of the last input began.
    base: usize,
    /// Where the unconsumed octets begin.
    start: usize,
}

impl Received {
    /// The most that is held for a session that makes nothing of it.
    pub const MAX: usize = 64 * 1024;

    pub fn unread(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }

    /// Marks where an input begins.
    pub fn begin_input(&mut self) {
        self.base = self.start;
    }

    /// Of the octets given at [`begin_input`](Self::begin_input).
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.octets.len());
    }

    /// Counted from [`begin_input`](Self::begin_input).
    pub fn since_input(&self, range: Range<usize>) -> &[u8] {
        self.octets.get(self.base.saturating_add(range.start)..self.base.saturating_add(range.end)).unwrap_or_default()
    }

    pub fn push(&mut self, octet: u8) {
        self.octets.push(octet);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Reads once. Answers the number of octets read; 0 at the end of the stream.
    pub fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Poll<io::Result<usize>> {
        self.octets.drain(..self.start);
        (self.base, self.start) = (0, 0);
        let mut scratch = [const { MaybeUninit::uninit() }; READ];
        let mut scratch = ReadBuf::uninit(&mut scratch);
        let polled = Pin::new(stream).poll_read(cx, &mut scratch);
        if polled.is_pending() && self.octets.is_empty() {
            self.octets = Vec::new();
        }
        ready!(polled)?;
        self.octets.extend_from_slice(scratch.filled());
        Poll::Ready(Ok(scratch.filled().len()))
    }
}

#[cfg(test)]
impl Received {
    pub fn capacity(&self) -> usize {
        self.octets.capacity()
    }
}
