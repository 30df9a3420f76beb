//! A message read forwards, in bounded memory.

use std::ops::Range;

use bytes::Bytes;
use memchr::memrchr;
use store::{Mailboxes, MessageId, Unit};

/// Gives out a message, a chunk of the store's at a time.
pub struct Reader<'a> {
    mailboxes: &'a dyn Mailboxes,
    message: MessageId,
    chunk: Bytes,
    start: u64,
}

impl<'a> Reader<'a> {
    pub fn new(mailboxes: &'a dyn Mailboxes, message: MessageId) -> Self {
        Self { mailboxes, message, chunk: Bytes::new(), start: 0 }
    }

    /// Octets from the start of `range` on, which moves behind them; none at its end.
    pub async fn next(&mut self, range: &mut Range<u64>) -> store::Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let end = self.start + self.chunk.len() as u64;
        if !(self.start..end).contains(&range.start) {
            let wanted = range.start..range.start.saturating_add(Unit::CHUNK);
            self.chunk = self.mailboxes.read(self.message, wanted).await?;
            self.start = range.start;
        }
        let from = (range.start - self.start) as usize;
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let octets = self.chunk.slice(from..from.saturating_add(length).min(self.chunk.len()));
        range.start = if octets.is_empty() { range.end } else { range.start + octets.len() as u64 };
        Ok(octets)
    }
}

/// A header block on its way, in pieces that hold whole fields.
pub struct Header {
    range: Range<u64>,
    block: Vec<u8>,
    /// What was given out of `block` last.
    given: usize,
}

impl Header {
    /// Octets of one field: what is beyond them counts as another.
    const MAX_FIELD: usize = 1024 * 1024;

    pub fn new(range: Range<u64>) -> Self {
        Self { range, block: Vec::new(), given: 0 }
    }

    /// The next fields; none at the end.
    pub async fn next(&mut self, reader: &mut Reader<'_>) -> store::Result<&[u8]> {
        self.block.drain(..self.given);
        self.given = loop {
            let octets = reader.next(&mut self.range).await?;
            self.block.extend_from_slice(&octets);
            if octets.is_empty() || self.block.len() >= Self::MAX_FIELD {
                break self.block.len();
            }
            if let Some(end) = last_field(&self.block) {
                break end;
            }
        };
        Ok(self.block.get(..self.given).unwrap_or_default())
    }
}

/// Where the last field begins that is not the first. RFC 5322 §2.2.3: a line that begins with a blank goes on
/// with the one before.
fn last_field(block: &[u8]) -> Option<usize> {
    let mut end = block.len();
    loop {
        let line = memrchr(b'\n', block.get(..end)?)? + 1;
        if block.get(line).is_some_and(|first| !matches!(first, b' ' | b'\t')) {
            return Some(line);
        }
        end = line - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_parted_where_the_next_one_is_known_to_begin() {
        for (block, expected) in [
            (&b"a: b\r\nc: d\r\n e"[..], Some(6)),
            (b"a: b\r\nc: d\r\n e\r\n", Some(6)),
            (b"a: b\r\n c\r\n\td", None),
            (b"a: b\r\n", None),
            (b"a: b\nc", Some(5)),
            (b"", None),
        ] {
            assert_eq!(last_field(block), expected, "{block:?}");
        }
    }
}
