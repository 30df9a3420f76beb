//! The index follows the log: in the background, changed pages only, and how far it got with them.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use store::{Error, FolderId, Listing, Result};

use crate::disk::{Disk, Open};
use crate::engine::{Engine, FollowState};
use crate::fault::disk_error;
use crate::files::index_file;
use crate::folder_cache::Dirty;
use crate::index::{Index, RedbIndex, Snapshot};
use crate::state::{FolderKeywords, FolderMeta, Key, Memtable, Progress, StoredRow, encode};

/// What one commit of the index takes.
struct Frozen {
    rows: Arc<Memtable>,
    folders: Vec<Dirty>,
    dropped: HashSet<FolderId>,
    progress: Progress,
    unneeded: Vec<u64>,
    /// Segments may be worth compacting once this is in the index.
    loosened: bool,
    derived: Memtable,
}

pub(crate) struct Follower {
    engine: Arc<Engine>,
    /// Frozen, and not committed yet because a commit failed.
    left: Option<Frozen>,
    /// The index's file is to be opened anew.
    abandoned: bool,
}

pub(crate) fn open_index(disk: &dyn Disk, dir: &Path, cache: usize) -> Result<Arc<dyn Index>> {
    let file = disk.open(&index_file(dir), Open::Either).map_err(|error| disk_error("opening the index", &error))?;
    Ok(Arc::new(RedbIndex::open(file, cache)?))
}

impl Engine {
    /// Octets of rows that the index has not got yet, about.
    pub fn unapplied(&self) -> usize {
        let visible = self.visible();
        visible.active.octets() + visible.frozen.as_ref().map_or(0, |frozen| frozen.octets())
    }

    pub fn ask_index(&self) {
        let mut state = self.follow.lock();
        state.asked = state.served + 1;
        self.follow.changed.notify_all();
    }

    /// Waits until the index has all that is visible now, or until a commit failed.
    pub fn wait_for_index(&self) {
        let mut state = self.follow.lock();
        // One commit may be under way that does not have it all.
        let wanted = state.served + 2;
        while state.served < wanted && !self.is_poisoned() && !state.closing {
            state.asked = wanted;
            self.follow.changed.notify_all();
            state = self.follow.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether only the reserve is left, which is for expunging, flags and making room.
    pub fn is_disk_full(&self) -> bool {
        let free = self.disk.free_space(&self.dir);
        free.is_ok_and(|free| free < self.options.effective_reserve())
    }
}

impl Follower {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine, left: None, abandoned: false }
    }

    pub fn run(mut self) {
        loop {
            let asked = {
                let follow = &self.engine.follow;
                // Others are woken by the same signal.
                let is_idle = |state: &mut FollowState| {
                    state.asked <= state.served && !state.closing && !self.engine.is_poisoned()
                };
                let interval = self.engine.options.index_interval;
                let waited = follow.changed.wait_timeout_while(follow.lock(), interval, is_idle);
                let state = waited.unwrap_or_else(PoisonError::into_inner).0;
                if state.closing || self.engine.is_poisoned() {
                    break;
                }
                state.asked
            };
            let followed = self.follow(false);
            if let Err(error) = &followed {
                tracing::error!(%error, "the index could not follow the log; it will be tried again");
            }
            let mut state = self.engine.follow.lock();
            state.failing = followed.is_err();
            if state.asked > state.served {
                state.served += 1;
                state.asked = state.asked.max(asked);
            }
            self.engine.follow.changed.notify_all();
        }
        // What a failed commit left would be in the way of the last one.
        if self.left.is_some()
            && let Err(error) = self.follow(false)
        {
            tracing::warn!(%error, "the index could not follow the log; the next start reads the rest from there");
        }
    }

    /// Brings the index to what is visible now.
    pub fn follow(&mut self, closing: bool) -> Result<()> {
        if let Some(frozen) = self.left.take() {
            self.commit(frozen)?;
        }
        match self.freeze(closing)? {
            Some(frozen) => self.commit(frozen),
            None => Ok(()),
        }
    }

    fn freeze(&self, closing: bool) -> Result<Option<Frozen>> {
        let mut visible = self.engine.visible_mut();
        if visible.frozen.is_some() {
            return Err(Error::Unavailable("an earlier commit of the index failed".into()));
        }
        let folders = visible.folders.dirty();
        let idle = visible.unneeded.is_empty() || self.engine.are_bodies_kept();
        if visible.active.is_empty() && folders.is_empty() && visible.dropped.is_empty() && idle && !closing {
            return Ok(None);
        }
        for segment in std::mem::take(&mut visible.counted) {
            let row = encode(&visible.segments.get(&segment).copied().unwrap_or_default())?;
            visible.active.put(Key::segment(segment), row);
        }
        let rows = Arc::new(std::mem::take(&mut visible.active));
        visible.frozen = Some(rows.clone());
        let progress = Progress {
            version: Progress::VERSION,
            lsn: visible.lsn,
            position: visible.position,
            epoch: self.engine.epoch,
            closed: closing,
            damaged: visible.damaged,
        };
        let unneeded = std::mem::take(&mut visible.unneeded);
        let loosened = std::mem::take(&mut visible.loosened);
        let dropped = visible.dropped.clone();
        Ok(Some(Frozen { rows, folders, dropped, progress, unneeded, loosened, derived: Memtable::default() }))
    }

    fn commit(&mut self, mut frozen: Frozen) -> Result<()> {
        if self.abandoned
            && let Err(error) = self.reopen()
        {
            self.left = Some(frozen);
            return Err(error);
        }
        let index = self.engine.index();
        let snapshot = self.engine.visible().snapshot.clone();
        let committed = derive(&frozen, &*snapshot).and_then(|derived| {
            frozen.derived = derived;
            index.commit(&[&frozen.rows, &frozen.derived], frozen.progress)?;
            index.snapshot()
        });
        match committed {
            Ok(snapshot) => self.finish(frozen, snapshot),
            // Also after a commit that went well: it can be done again.
            Err(error) => {
                self.left = Some(frozen);
                index.abandon();
                self.abandoned = true;
                // At once, for readers; else the next commit tries again.
                self.reopen()?;
                return Err(error);
            }
        }
        Ok(())
    }

    fn finish(&self, frozen: Frozen, snapshot: Arc<dyn Snapshot>) {
        let mut visible = self.engine.visible_mut();
        visible.frozen = None;
        visible.applied = (frozen.progress.lsn, frozen.progress.position);
        visible.snapshot = snapshot;
        for (id, state, _) in frozen.folders {
            visible.folders.applied(id, state);
        }
        if !frozen.dropped.is_empty() {
            visible.dropped.retain(|id| !frozen.dropped.contains(id));
            // Who began to read one of them before it was dropped may not keep what was read.
            visible.evictions += 1;
        }
        visible.evict(self.engine.options.cached_rows);
        if self.engine.are_bodies_kept() {
            visible.unneeded.extend(frozen.unneeded);
            return;
        }
        drop(visible);
        if frozen.loosened {
            self.engine.ask_keeper();
        }
        for number in frozen.unneeded {
            if let Err(error) = self.engine.files.remove_body(number) {
                tracing::warn!(%error, number, "a body's file could not be removed; the next start will try again");
            }
        }
    }

    /// redb gives up after a failure: the file is opened anew, as it was after the last good commit.
    fn reopen(&mut self) -> Result<()> {
        let engine = &self.engine;
        let index = open_index(&*engine.disk, &engine.dir, engine.options.index_cache)?;
        let snapshot = index.snapshot()?;
        engine.replace_index(index);
        engine.visible_mut().snapshot = snapshot;
        self.abandoned = false;
        Ok(())
    }
}

/// The rows that follow from the listings.
fn derive(frozen: &Frozen, snapshot: &dyn Snapshot) -> Result<Memtable> {
    let mut rows = Memtable::default();
    for &folder in &frozen.dropped {
        delete_pages(folder, snapshot, &mut rows)?;
    }
    for (id, state, applied) in &frozen.folders {
        let (id, listing) = (*id, &state.listing);
        let meta = FolderMeta {
            uid_validity: listing.uid_validity(),
            uid_next: listing.uid_next(),
            highest_modseq: listing.highest_modseq(),
            recent: state.recent,
            changed: state.changed,
            snapshot: state.snapshot,
        };
        rows.put(Key::folder_meta(id), encode(&meta)?);
        let same_keywords = applied.as_ref().is_some_and(|applied| {
            applied
                .keyword_names()
                .iter()
                .map(store::Keyword::as_str)
                .eq(listing.keyword_names().iter().map(store::Keyword::as_str))
                && applied.keyword_sets().eq(listing.keyword_sets())
        });
        if !same_keywords {
            let names = listing.keyword_names().to_vec();
            let sets = listing.keyword_sets().map(<[u16]>::to_vec).collect();
            rows.put(Key::folder_keywords(id), encode(&FolderKeywords { names, sets })?);
        }
        if applied.is_none() {
            delete_pages(id, snapshot, &mut rows)?;
        }
        changed_pages(id, applied.as_ref(), listing, &mut rows)?;
    }
    Ok(rows)
}

fn delete_pages(folder: FolderId, snapshot: &dyn Snapshot, rows: &mut Memtable) -> Result<()> {
    snapshot.range(&Key::page(folder, 0), &Key::page(folder, u32::MAX), &mut |key, _| {
        rows.delete(key);
        true
    })
}

/// Puts the pages that `before` does not share, and takes away those that are no more.
fn changed_pages(folder: FolderId, before: Option<&Listing>, after: &Listing, rows: &mut Memtable) -> Result<()> {
    let first = |page: &Arc<store::Page>| page.rows().first().map_or(0, |row| row.uid.get());
    let mut old = before.into_iter().flat_map(Listing::pages).peekable();
    for page in after.pages() {
        while let Some(gone) = old.next_if(|old| first(old) < first(page)) {
            rows.delete(Key::page(folder, first(gone)));
        }
        if let Some(old) = old.next_if(|old| first(old) == first(page))
            && Arc::ptr_eq(old, page)
        {
            continue;
        }
        let stored: Vec<StoredRow> = page.rows().iter().map(StoredRow::from).collect();
        let octets: Bytes = encode(&stored)?;
        rows.put(Key::page(folder, first(page)), octets);
    }
    for gone in old {
        rows.delete(Key::page(folder, first(gone)));
    }
    Ok(())
}
