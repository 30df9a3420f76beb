//! Bodies as they stream in: small ones wait in memory as long as there is room, others in a file of their own.

use std::sync::Arc;

use bytes::BytesMut;
use store::{BodyWriter, Content, Error, Future, MessageSize, Result, Staged};
use tokio::sync::OwnedSemaphorePermit;

use crate::disk::{DiskFile, Open};
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{bodies_dir, body_file};
use crate::log::{CHUNK, checksums};

/// Octets taken from the budget at a time.
const STEP: usize = 16 * 1024;
/// Octets of a file after which the disk's room is looked at again.
const ROOM: u64 = 1 << 20;

pub(crate) struct Stage {
    engine: Arc<Engine>,
    parser: mime::Parser,
    size: u64,
    /// The last octets.
    ending: [u8; 2],
    content: Growing,
}

enum Growing {
    Memory { octets: BytesMut, permit: Option<OwnedSemaphorePermit> },
    File(SpillingFile),
}

/// A large body on its way to its file.
struct SpillingFile {
    file: Arc<dyn DiskFile>,
    spilled: Spilled,
    /// Not yet a whole chunk.
    rest: BytesMut,
    written: u64,
}

/// A body in a file of its own; the file goes when this is dropped unused.
pub(crate) struct Spilled {
    engine: Arc<Engine>,
    pub number: u64,
    pub checksums: Vec<u32>,
    pub used: bool,
}

impl Drop for Spilled {
    fn drop(&mut self) {
        if !self.used
            && let Err(error) = self.engine.files.remove_body(self.number)
        {
            tracing::warn!(%error, number = self.number, "a discarded body could not be removed; the next start will");
        }
    }
}

impl Stage {
    pub fn new(engine: Arc<Engine>, expected: Option<u64>) -> Result<Self> {
        let limit = engine.options.inline_limit as u64;
        // What is announced as large need not pass through memory first.
        let content = if expected.is_some_and(|expected| expected > limit) {
            Growing::File(SpillingFile::create(&engine)?)
        } else {
            Growing::Memory { octets: BytesMut::new(), permit: None }
        };
        Ok(Self { engine, parser: mime::Parser::new(mime::Limits::default()), size: 0, ending: *b"\r\n", content })
    }

    fn append(&mut self, chunk: &[u8]) -> Result<()> {
        self.parser.push(chunk);
        self.size += chunk.len() as u64;
        match *chunk {
            [.., first, last] => self.ending = [first, last],
            [last] => self.ending = [self.ending[1], last],
            [] => {}
        }
        if let Growing::Memory { octets, permit } = &mut self.content {
            let length = octets.len() + chunk.len();
            if length <= self.engine.options.inline_limit && reserve(&self.engine, permit, length) {
                octets.extend_from_slice(chunk);
                return Ok(());
            }
            let mut spilling = SpillingFile::create(&self.engine)?;
            spilling.append(octets)?;
            self.content = Growing::File(spilling);
        }
        if let Growing::File(spilling) = &mut self.content {
            spilling.append(chunk)?;
        }
        Ok(())
    }

    fn end(self) -> Result<Staged> {
        let outline = Arc::new(self.parser.finish());
        let content = match self.content {
            Growing::Memory { octets, permit } => Content::Inline { bytes: octets.freeze(), permit: Box::new(permit) },
            Growing::File(spilling) => Content::Spilled { handle: Box::new(spilling.end()?) },
        };
        let size = MessageSize::new(self.size, self.ending == *b"\r\n");
        Ok(Staged { size, outline, content })
    }
}

/// Raises what a body holds of the budget. `false` when there is no room: nobody waits for another's slow sender, the
/// body goes to a file instead. What is left of the budget at last is for small bodies, which come and go quickly.
fn reserve(engine: &Engine, permit: &mut Option<OwnedSemaphorePermit>, length: usize) -> bool {
    let held = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    if length <= held {
        return true;
    }
    let wanted = length.next_multiple_of(STEP);
    if wanted > STEP && engine.budget.available_permits() < engine.options.body_budget / 4 {
        return false;
    }
    let Ok(more) = engine.budget.clone().try_acquire_many_owned((wanted - held) as u32) else { return false };
    match permit {
        Some(permit) => permit.merge(more),
        None => *permit = Some(more),
    }
    true
}

impl SpillingFile {
    fn create(engine: &Arc<Engine>) -> Result<Self> {
        if engine.is_disk_full() {
            return Err(Error::DiskFull);
        }
        let number = engine.next_file.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let file = engine.disk.open(&body_file(&engine.dir, number), Open::Create);
        let file = file.map_err(|error| disk_error("making a file for a body", &error))?;
        let spilled = Spilled { engine: engine.clone(), number, checksums: Vec::new(), used: false };
        Ok(Self { file, spilled, rest: BytesMut::new(), written: 0 })
    }

    fn append(&mut self, chunk: &[u8]) -> Result<()> {
        self.rest.extend_from_slice(chunk);
        let whole = self.rest.len() / CHUNK * CHUNK;
        let whole = self.rest.split_to(whole);
        self.write(&whole)
    }

    fn write(&mut self, octets: &[u8]) -> Result<()> {
        if octets.is_empty() {
            return Ok(());
        }
        // The disk may fill up meanwhile, and the reserve is not for bodies.
        if self.written % ROOM < octets.len() as u64 && self.spilled.engine.is_disk_full() {
            return Err(Error::DiskFull);
        }
        self.spilled.checksums.extend(checksums(octets));
        let written = self.file.write_all_at(&[octets], self.written);
        self.written += octets.len() as u64;
        written.map_err(|error| disk_error("writing a body", &error))
    }

    /// The file and its name are durable before the log speaks of them.
    fn end(mut self) -> Result<Spilled> {
        let rest = std::mem::take(&mut self.rest);
        self.write(&rest)?;
        let engine = &self.spilled.engine;
        let synced = self.file.sync_data().and_then(|()| engine.disk.sync_dir(&bodies_dir(&engine.dir)));
        synced.map_err(|error| disk_error("writing a body", &error))?;
        Ok(self.spilled)
    }
}

impl BodyWriter for Stage {
    fn write<'a>(&'a mut self, chunk: &'a [u8]) -> Future<'a, Result<()>> {
        Box::pin(std::future::ready(self.append(chunk)))
    }

    fn finish(self: Box<Self>) -> Future<'static, Result<Staged>> {
        let engine = self.engine.clone();
        Box::pin(async move {
            if matches!(self.content, Growing::Memory { .. }) {
                return self.end();
            }
            // Syncing a large file takes its time: not on the caller's thread.
            engine.blocking(move || self.end()).await
        })
    }
}
