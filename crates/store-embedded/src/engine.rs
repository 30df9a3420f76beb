//! What all threads and handles of an open store share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use crossbeam_channel::Sender;
use serde::de::DeserializeOwned;
use store::{AccountId, Error, Folder, FolderId, FolderName, Folders, Listing, Result};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::blocking::Blocking;
use crate::disk::Disk;
use crate::fault::{damaged, stopped, stopped_meanwhile};
use crate::files::Files;
use crate::index::Index;
use crate::log::{Lsn, Position, SegmentId};
use crate::options::Options;
use crate::sequencer::{Answer, Message, Pending};
use crate::state::{FolderKeywords, FolderMeta, Key, StoredRow, decode, layered_range};
use crate::visible::{Changes, FolderState, Visible};
use crate::waiting::{Leases, Watches};

pub(crate) struct Engine {
    pub disk: Arc<dyn Disk>,
    pub dir: PathBuf,
    pub options: Options,
    pub epoch: u64,
    pub files: Files,
    pub watches: Watches,
    pub leases: Leases,
    /// Octets of bodies that may wait in memory.
    pub budget: Arc<Semaphore>,
    pub next_segment: AtomicU64,
    pub next_file: AtomicU64,
    /// For how long the log was being written to, in nanoseconds.
    pub writing: AtomicU64,
    /// Octets of the log that compaction has read through.
    pub compacted: AtomicU64,
    pub inbox: Sender<Message>,
    index: Mutex<Arc<dyn Index>>,
    visible: RwLock<Visible>,
    /// A thread of the engine panicked: nothing is promised any more.
    poisoned: watch::Sender<bool>,
    /// Set before the threads are waited for.
    pub ending: AtomicBool,
    /// Wakes the index thread, and who waits for it.
    pub follow: Follow,
    pub blocking: Blocking,
    /// Held by who needs all segments to stay, and by compaction while it removes some.
    pub upkeep: Mutex<()>,
    /// Backups under way: as long as there are any, files of bodies stay.
    backups: AtomicU64,
}

/// See [`Engine::keep_bodies`].
pub(crate) struct BodiesKept<'a>(&'a Engine);

impl Drop for BodiesKept<'_> {
    fn drop(&mut self) {
        self.0.backups.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What the index thread is asked for.
#[derive(Default)]
pub(crate) struct Follow {
    pub state: Mutex<FollowState>,
    pub changed: Condvar,
}

#[derive(Default)]
pub(crate) struct FollowState {
    /// Raised by who wants the index to follow now.
    pub asked: u64,
    /// The last request that was served.
    pub served: u64,
    /// The keeper has something to do.
    pub keep: bool,
    /// The last commit of the index failed.
    pub failing: bool,
    pub closing: bool,
}

impl Follow {
    pub fn lock(&self) -> MutexGuard<'_, FollowState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    #[expect(clippy::too_many_arguments, reason = "called once, by the opening")]
    pub fn new(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        options: Options,
        epoch: u64,
        index: Arc<dyn Index>,
        visible: Visible,
        inbox: Sender<Message>,
        next_segment: SegmentId,
        next_file: u64,
        blocking: Blocking,
    ) -> Self {
        Self {
            files: Files::new(disk.clone(), dir.clone()),
            budget: Arc::new(Semaphore::new(options.body_budget)),
            disk,
            dir,
            options,
            epoch,
            watches: Watches::default(),
            leases: Leases::default(),
            next_segment: AtomicU64::new(next_segment.0),
            next_file: AtomicU64::new(next_file),
            writing: AtomicU64::new(0),
            compacted: AtomicU64::new(0),
            inbox,
            index: Mutex::new(index),
            visible: RwLock::new(visible),
            poisoned: watch::Sender::new(false),
            ending: AtomicBool::new(false),
            follow: Follow::default(),
            blocking,
            upkeep: Mutex::default(),
            backups: AtomicU64::new(0),
        }
    }

    /// Readers see the changes of one durable point, which are in the log up to `end`.
    pub fn publish(&self, mut changes: Changes, lsn: Lsn, end: Option<Position>) {
        let (touched, retired) = (std::mem::take(&mut changes.touched), changes.retired);
        let due = {
            let mut visible = self.visible_mut();
            let end = end.unwrap_or(visible.position);
            visible.publish(changes, lsn, end);
            visible.active.octets() >= self.options.index_batch && visible.frozen.is_none()
        };
        self.watches.wake(touched.iter());
        if due {
            self.ask_index();
        }
        if retired && self.options.effective_retention() == 0 {
            self.ask_keeper();
        }
    }

    pub fn visible(&self) -> RwLockReadGuard<'_, Visible> {
        // A panic elsewhere poisons the engine by itself; the lock adds nothing to that.
        self.visible.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn visible_mut(&self) -> RwLockWriteGuard<'_, Visible> {
        self.visible.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn index(&self) -> Arc<dyn Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace_index(&self, index: Arc<dyn Index>) {
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = index;
    }

    pub fn poison(&self) {
        // Under the lock: who has just looked and is about to wait must hear it.
        let _state = self.follow.lock();
        self.poisoned.send_replace(true);
        self.follow.changed.notify_all();
    }

    pub fn is_poisoned(&self) -> bool {
        *self.poisoned.borrow()
    }

    /// Nothing new is to be begun: the store closes, or has stopped.
    pub fn is_ending(&self) -> bool {
        self.is_poisoned() || self.ending.load(Ordering::SeqCst)
    }

    /// Waits until nothing is promised any more.
    pub async fn poisoned(&self) {
        // The sender lives as long as the engine.
        let _ = self.poisoned.subscribe().wait_for(|poisoned| *poisoned).await;
    }

    /// As long as it is held, no segment is removed.
    pub fn keep_segments(&self) -> MutexGuard<'_, ()> {
        self.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As long as it is held, no file of a body is removed that the log up to now speaks of.
    pub fn keep_bodies(&self) -> BodiesKept<'_> {
        self.backups.fetch_add(1, Ordering::SeqCst);
        BodiesKept(self)
    }

    pub fn are_bodies_kept(&self) -> bool {
        self.backups.load(Ordering::SeqCst) > 0
    }

    /// The segment's file is gone: so is its row.
    pub fn forget_segment(&self, id: SegmentId) {
        let mut visible = self.visible_mut();
        visible.segments.remove(&id);
        visible.counted.remove(&id);
        visible.active.delete(Key::segment(id));
    }

    pub fn new_segment(&self) -> SegmentId {
        SegmentId(self.next_segment.fetch_add(1, Ordering::SeqCst))
    }

    /// Has a verb decided in the one order of changes; the answer comes when it is durable and visible.
    pub fn submit<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Pending) -> Result<T> + Send + 'static,
    ) -> oneshot::Receiver<Result<T>> {
        let (sender, receiver) = oneshot::channel();
        let decide = move |pending: Result<&mut Pending>| -> Option<Answer> {
            // Nobody may be waiting any more; that changes nothing.
            match pending.and_then(verb) {
                Ok(value) => Some(Box::new(move |outcome: Result<()>| {
                    let _ = sender.send(outcome.map(|()| value));
                })),
                Err(error) => {
                    let _ = sender.send(Err(error));
                    None
                }
            }
        };
        // With the sequencer gone the verb is dropped, and with it the sender: the receiver tells.
        let _ = self.inbox.send(Message::Verb(Box::new(decide)));
        receiver
    }

    /// [`Self::submit`], waited for.
    pub async fn run<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Pending) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.is_poisoned() {
            return Err(stopped());
        }
        self.submit(verb).await.unwrap_or_else(|_| Err(stopped_meanwhile()))
    }

    /// [`Self::submit`], waited for by a thread.
    pub fn run_blocking<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Pending) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(verb).blocking_recv().unwrap_or_else(|_| Err(stopped_meanwhile()))
    }

    pub fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let snapshot = {
            let visible = self.visible();
            if let Some(row) = visible.recent_row(key) {
                return Ok(row);
            }
            visible.snapshot.clone()
        };
        snapshot.get(key)
    }

    pub fn row<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>> {
        self.get(key)?.map(|octets| decode(&octets)).transpose()
    }

    pub fn range(&self, from: &Key, to: &Key, limit: usize) -> Result<Vec<(Key, Bytes)>> {
        let (overlay, snapshot) = {
            let visible = self.visible();
            (visible.recent_rows(&[], from, to), visible.snapshot.clone())
        };
        layered_range(overlay, &*snapshot, from, to, limit)
    }

    /// A folder as it is visible now, from memory or from the index.
    pub fn folder(&self, id: FolderId) -> Result<FolderState> {
        let (snapshot, evictions) = {
            let visible = self.visible();
            if let Some(state) = visible.folders.get(id) {
                return Ok(state.clone());
            }
            if visible.recent_row(&Key::folder_meta(id)).is_some() {
                return Err(Error::NotFound("the folder"));
            }
            (visible.snapshot.clone(), visible.evictions)
        };
        // What memory lacks, the index has whole.
        let meta = snapshot.get(&Key::folder_meta(id))?.ok_or(Error::NotFound("the folder"))?;
        let meta: FolderMeta = decode(&meta)?;
        let keywords = snapshot.get(&Key::folder_keywords(id))?;
        let keywords: FolderKeywords = keywords.map(|octets| decode(&octets)).transpose()?.unwrap_or_default();
        let mut pages: Vec<Result<Vec<StoredRow>>> = Vec::new();
        snapshot.range(&Key::page(id, 0), &Key::page(id, u32::MAX), &mut |_, octets| {
            pages.push(decode(octets));
            true
        })?;
        let mut rows = Vec::with_capacity(pages.len());
        for page in pages {
            rows.push(page?.into_iter().map(Into::into).collect());
        }
        let FolderMeta { uid_validity, uid_next, highest_modseq, recent, changed, snapshot } = meta;
        let listing = Listing::restore(uid_validity, uid_next, highest_modseq, keywords.names, keywords.sets, rows)
            .map_err(|_| damaged("a folder's rows in the index"))?;
        let state = FolderState { listing, recent, changed, snapshot };
        let mut visible = self.visible_mut();
        if let Some(state) = visible.folders.get(id) {
            return Ok(state.clone());
        }
        if visible.evictions == evictions && !visible.dropped.contains(&id) {
            visible.folders.keep(id, state.clone());
            visible.evict(self.options.cached_rows);
        }
        Ok(state)
    }

    /// An account's folders.
    pub fn tree(&self, account: AccountId) -> Result<Arc<Folders>> {
        let evictions = {
            let visible = self.visible();
            if let Some(tree) = visible.trees.get(&account) {
                return Ok(tree.clone());
            }
            visible.evictions
        };
        if self.get(&Key::account(account))?.is_none() {
            return Err(Error::NotFound("the account"));
        }
        let from = Key::folder(FolderId::new(account, 0));
        let to = Key::folder(FolderId::new(account, u32::MAX));
        let mut folders = Vec::new();
        for (_, row) in self.range(&from, &to, usize::MAX)? {
            folders.push(decode::<Folder>(&row)?);
        }
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        let subscribed_names: Vec<FolderName> = self.row(&Key::subscribed_names(account))?.unwrap_or_default();
        let tree = Arc::new(Folders { folders, subscribed_names });
        let mut visible = self.visible_mut();
        if let Some(tree) = visible.trees.get(&account) {
            return Ok(tree.clone());
        }
        if visible.evictions == evictions {
            visible.trees.insert(account, tree.clone());
        }
        Ok(tree)
    }
}
