//! Messages are read: a chunk at a time, held against its checksum before it leaves.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use store::{Error, MessageId, MessageOutline, Result, Unit};

use crate::disk::DiskFile;
use crate::engine::Engine;
use crate::fault::{damaged, disk_error};
use crate::log::body_is_whole;
use crate::state::{BodyRow, Key, MessageRow, Place};

impl Engine {
    pub fn message_row(&self, id: MessageId) -> Result<MessageRow> {
        match self.row(&Key::message(id))? {
            Some(row) => Ok(row),
            // Numbers are given in order: one below the last was given once.
            None => Err(Error::Gone),
        }
    }

    /// Whether all octets of a body are there and match their checksums.
    pub fn is_whole(&self, body: &BodyRow) -> Result<bool> {
        match self.files.of(body.place) {
            Ok((file, at)) => body_is_whole(&*file, at, body.size, &body.checksums),
            Err(Error::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn body_row(&self, message: &MessageRow) -> Result<BodyRow> {
        self.row(&Key::body(message.body))?.ok_or(Error::Gone)
    }

    /// Octets of prefix and body as one: those of one chunk, and of the prefix before the first.
    pub async fn read(self: &Arc<Self>, id: MessageId, range: Range<u64>) -> Result<Bytes> {
        let message = self.message_row(id)?;
        let body = self.body_row(&message)?;
        let prefix = message.prefix.len() as u64;
        let end = range.end.min(prefix + body.size);
        if range.start >= end {
            return Ok(Bytes::new());
        }
        let start = range.start;
        if end <= prefix || start + Unit::CHUNK <= prefix {
            let end = end.min(start + Unit::CHUNK).min(prefix);
            return Ok(message.prefix.slice(start as usize..end as usize));
        }
        let in_body = start.saturating_sub(prefix);
        let chunk = Chunk::of(&body, in_body)?;
        let octets = match self.chunk(chunk, body.place).await {
            Ok(octets) => octets,
            Err(error) => {
                // Compaction may have put the body elsewhere since; then it is whole there.
                let now = self.body_row(&message)?;
                if now.place == body.place {
                    return Err(error);
                }
                self.chunk(chunk, now.place).await?
            }
        };
        let last = (end - prefix).min(chunk.start + octets.len() as u64) - chunk.start;
        let part = octets.slice((in_body - chunk.start) as usize..last as usize);
        if start >= prefix {
            return Ok(part);
        }
        let mut joined = BytesMut::with_capacity((prefix - start) as usize + part.len());
        joined.extend_from_slice(&message.prefix.slice(start as usize..));
        joined.extend_from_slice(&part);
        Ok(joined.freeze())
    }

    async fn chunk(self: &Arc<Self>, chunk: Chunk, place: Place) -> Result<Bytes> {
        let (file, offset) = self.files.of(place)?;
        match chunk.read(&*file, offset, true) {
            Err(Waits::ForDisk) => {
                self.blocking(move || chunk.read(&*file, offset, false).map_err(Waits::into_error)).await
            }
            other => other.map_err(Waits::into_error),
        }
    }

    pub fn outline(&self, id: MessageId) -> Result<MessageOutline> {
        let message = self.message_row(id)?;
        let encoded = self.get(&Key::outline(message.body))?.ok_or(Error::Gone)?;
        let outline = mime::Outline::decode(&encoded).map_err(|error| damaged(&format!("an outline: {error}")))?;
        Ok(MessageOutline { prefix: message.prefix.len() as u32, outline: Arc::new(outline) })
    }
}

/// One chunk of a body.
#[derive(Clone, Copy)]
struct Chunk {
    /// Of its first octet, within the body.
    start: u64,
    length: usize,
    checksum: u32,
}

enum Waits {
    /// It is not in memory; reading it would take the device.
    ForDisk,
    Never(Error),
}

impl Waits {
    fn into_error(self) -> Error {
        match self {
            Self::ForDisk => Error::Unavailable("the disk did not answer".into()),
            Self::Never(error) => error,
        }
    }
}

impl Chunk {
    /// The chunk that holds this octet of the body.
    fn of(body: &BodyRow, at: u64) -> Result<Self> {
        let number = at / Unit::CHUNK;
        let start = number * Unit::CHUNK;
        let checksum = body.checksums.get(number as usize).copied();
        let checksum = checksum.ok_or_else(|| damaged("a body has fewer checksums than chunks"))?;
        Ok(Self { start, length: (body.size - start).min(Unit::CHUNK) as usize, checksum })
    }

    fn read(&self, file: &dyn DiskFile, offset: u64, cached: bool) -> Result<Bytes, Waits> {
        let mut octets = BytesMut::zeroed(self.length);
        let at = offset + self.start;
        let read = if cached { file.read_cached_at(&mut octets, at) } else { file.read_exact_at(&mut octets, at) };
        match read {
            Ok(()) if crc32c::crc32c(&octets) == self.checksum => Ok(octets.freeze()),
            Ok(()) => Err(Waits::Never(damaged("a body does not match its checksum"))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Waits::Never(damaged("a body ends too early")))
            }
            // Also where the file system cannot tell whether a read would wait.
            Err(_) if cached => Err(Waits::ForDisk),
            Err(error) => Err(Waits::Never(disk_error("reading a body", &error))),
        }
    }
}
