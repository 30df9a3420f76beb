//! Folders in memory: those that changed until the index has them, others as long as there is room.

use std::collections::{HashMap, HashSet};

use store::{FolderId, Listing};

use crate::visible::FolderState;

#[derive(Default)]
pub(crate) struct FolderCache {
    folders: HashMap<FolderId, Cached>,
    /// Those of which the index lacks something.
    dirty: HashSet<FolderId>,
    /// Of all listings, about.
    rows: usize,
    ticks: u64,
}

struct Cached {
    state: FolderState,
    /// As the index has it; `None` when that is not known and all its pages are to be written anew.
    applied: Option<Listing>,
    /// When it was read or changed last.
    fresh: u64,
}

/// What the index has to take: the folder, its state, and what the index has of it.
pub(crate) type Dirty = (FolderId, FolderState, Option<Listing>);

impl FolderCache {
    pub fn get(&self, id: FolderId) -> Option<&FolderState> {
        self.folders.get(&id).map(|cached| &cached.state)
    }

    /// A durable point changed it.
    pub fn change(&mut self, id: FolderId, state: FolderState) {
        let applied = self.folders.get_mut(&id).and_then(|cached| cached.applied.take());
        self.put(id, state, applied);
        self.dirty.insert(id);
    }

    /// It was read from the index.
    pub fn keep(&mut self, id: FolderId, state: FolderState) {
        let applied = Some(state.listing.clone());
        self.put(id, state, applied);
    }

    pub fn remove(&mut self, id: FolderId) {
        self.dirty.remove(&id);
        if let Some(gone) = self.folders.remove(&id) {
            self.rows -= weight(&gone.state);
        }
    }

    pub fn dirty(&self) -> Vec<Dirty> {
        let cached = |id: &FolderId| Some((*id, self.folders.get(id)?));
        let dirty = self.dirty.iter().filter_map(cached);
        dirty.map(|(id, cached)| (id, cached.state.clone(), cached.applied.clone())).collect()
    }

    /// The index has it in this state.
    pub fn applied(&mut self, id: FolderId, state: FolderState) {
        let Some(cached) = self.folders.get_mut(&id) else { return };
        if cached.state.is_same(&state) {
            self.dirty.remove(&id);
        }
        cached.applied = Some(state.listing);
    }

    /// Lets go of what was read or changed longest ago, as long as the index has it; whether anything went.
    pub fn evict(&mut self, limit: usize) -> bool {
        if self.rows <= limit {
            return false;
        }
        let clean = self.folders.iter().filter(|(id, _)| !self.dirty.contains(id));
        let mut by_age: Vec<_> = clean.map(|(id, cached)| (cached.fresh, *id)).collect();
        by_age.sort_unstable();
        // The freshest stays, however large it is: it is about to be used.
        by_age.pop();
        let mut gone = false;
        for (_, id) in by_age {
            if self.rows <= limit / 4 * 3 {
                break;
            }
            self.remove(id);
            gone = true;
        }
        gone
    }

    fn put(&mut self, id: FolderId, state: FolderState, applied: Option<Listing>) {
        self.ticks += 1;
        self.rows += weight(&state);
        let fresh = self.ticks;
        if let Some(before) = self.folders.insert(id, Cached { state, applied, fresh }) {
            self.rows -= weight(&before.state);
        }
    }
}

/// Rows, and a little for the folder itself.
fn weight(state: &FolderState) -> usize {
    state.listing.len() as usize + 8
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use store::{AccountId, Uid, UidValidity};

    use super::*;
    use crate::log::Lsn;
    use crate::state::SnapshotPlace;

    fn folder(number: u32) -> (FolderId, FolderState) {
        let listing = Listing::new(UidValidity(NonZeroU32::MIN));
        let state = FolderState { listing, recent: Uid::MIN, changed: Lsn(1), snapshot: SnapshotPlace::default() };
        (FolderId::new(AccountId(1), number), state)
    }

    #[test]
    fn what_was_read_longest_ago_goes_first_and_what_the_index_lacks_never() {
        let mut cache = FolderCache::default();
        for number in 0..10 {
            let (id, state) = folder(number);
            if number == 0 { cache.change(id, state) } else { cache.keep(id, state) }
        }
        assert!(!cache.evict(80));
        assert!(cache.evict(79));
        let left: Vec<u32> = (0..10).filter(|number| cache.get(folder(*number).0).is_some()).collect();
        assert_eq!(left, [0, 4, 5, 6, 7, 8, 9]);
        let (id, _) = folder(0);
        let state = cache.get(id).unwrap().clone();
        cache.applied(id, FolderState { changed: Lsn(0), ..state.clone() });
        assert_eq!(cache.dirty().len(), 1, "it changed again meanwhile");
        cache.applied(id, state);
        assert!(cache.dirty().is_empty());
        cache.evict(0);
        assert_eq!(cache.rows, 8, "the freshest stays, however little room there is");
    }
}
