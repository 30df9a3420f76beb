//! An open store.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::bounded;
use store::{Error, Result};

use crate::disk::{Disk, RealDisk};
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::follow::Follower;
use crate::keeper::keep;
use crate::open::{Opened, Ready, open};
use crate::options::Options;
use crate::sequencer::{Message, Sequencer};
use crate::writer::Writer;

/// The handles [`store::Mailboxes`], [`store::Directory`] and [`store::Settings`] of one data directory.
///
/// Dropping it ends the engine as the end of the process would: everything answered is durable, and the next start
/// replays what the index lacks. [`Embedded::close`] leaves nothing to replay.
pub struct Embedded {
    pub(crate) engine: Arc<Engine>,
    opened: Opened,
    threads: Vec<JoinHandle<()>>,
    /// End after the threads above, which they may be waiting for.
    background: Vec<JoinHandle<()>>,
    /// Held as long as the store is open.
    _lock: Box<dyn Any + Send + Sync>,
}

impl Embedded {
    /// Opens the store in this directory, which is made when it is not there. `Busy` when another process has it.
    pub fn open(dir: &Path, options: Options) -> Result<Self> {
        Self::open_on(Arc::new(RealDisk), dir, options)
    }

    pub(crate) fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Self> {
        disk.create_dir(dir).map_err(|error| disk_error("making the data directory", &error))?;
        let lock = disk.lock(&dir.join("lock")).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => Error::Busy,
            _ => disk_error("locking the data directory", &error),
        })?;
        let Ready { engine, counters, inbox, opened, end, file, last } = open(disk, dir, options, None)?;
        if opened != Opened::default() {
            tracing::warn!(?opened, "the store was not closed in order");
        }
        let (batches, waiting) = bounded(1);
        let (done, written) = bounded(1);
        let begin = file.is_none();
        let writer = Writer::new(engine.clone(), file);
        let sequencer = Sequencer::new(engine.clone(), counters, inbox, writer, (batches, written), (end, begin), last);
        let follower = Follower::new(engine.clone());
        let threads = vec![
            spawn(&engine, "store-sequencer", move || sequencer.run())?,
            spawn(&engine, "store-writer", move || Writer::run(&waiting, &done))?,
        ];
        let keeper = engine.clone();
        let background = vec![
            spawn(&engine, "store-index", move || follower.run())?,
            spawn(&engine, "store-keeper", move || keep(&keeper))?,
        ];
        engine.ask_keeper();
        Ok(Self { engine, opened, threads, background, _lock: lock })
    }

    /// What opening it found.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Durable points made since the store was made, about: several changes share one.
    pub fn durable_points(&self) -> u64 {
        self.engine.visible().lsn.0
    }

    /// Octets of the log that compaction has read through since the store was opened.
    pub fn compacted_octets(&self) -> u64 {
        self.engine.compacted.load(Ordering::Relaxed)
    }

    /// Waits until a fault of the engine's own has ended it: every verb is refused from then on, and a new start is the
    /// cure.
    pub async fn failed(&self) {
        self.engine.poisoned().await;
    }

    /// Ends the retention of everything expunged until now; it cannot be brought back.
    pub fn purge_expunged(&self) -> Result<()> {
        self.engine.purge(store::Timestamp::MAX).map(|_| ())
    }

    /// Ends the engine with the index at the end of the log.
    pub fn close(mut self) -> Result<()> {
        self.stop();
        if self.engine.is_poisoned() {
            return Err(crate::fault::stopped());
        }
        Follower::new(self.engine.clone()).follow(true)
    }

    /// Waits for everything asked before, then ends the threads.
    fn stop(&mut self) {
        self.engine.ending.store(true, Ordering::SeqCst);
        let _ = self.engine.inbox.send(Message::Close);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.engine.follow.lock().closing = true;
        self.engine.follow.changed.notify_all();
        for thread in self.background.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A thread of the engine: a panic in it poisons the engine, so that callers are told rather than left waiting.
fn spawn(engine: &Arc<Engine>, name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let engine = engine.clone();
    let guarded = move || {
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            tracing::error!("a thread of the store panicked; the store takes no more changes");
            engine.poison();
            let _ = engine.inbox.send(Message::Close);
        }
    };
    let thread = Builder::new().name(name.into()).spawn(guarded);
    thread.map_err(|error| disk_error("starting a thread", &error))
}
