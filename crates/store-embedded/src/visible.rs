//! What every reader sees: the state after the last durable point.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use store::{AcceptedDomain, AccountId, FolderId, Folders, Listing, SettingsMap, Uid};

use crate::folder_cache::FolderCache;
use crate::index::Snapshot;
use crate::log::{Lsn, Position, SegmentId};
use crate::state::{Key, Memtable, Overlay, SegmentRow, SnapshotPlace, overlay};

/// A folder's contents; a clone costs a reference count.
#[derive(Clone, Debug)]
pub(crate) struct FolderState {
    pub listing: Listing,
    /// Messages from here on are recent for who asks next.
    pub recent: Uid,
    /// The durable point that changed it last.
    pub changed: Lsn,
    /// The last snapshot of it that is in the log.
    pub snapshot: SnapshotPlace,
}

impl FolderState {
    /// Whether the log needs a snapshot of it, so that records up to `lsn` can go.
    pub fn needs_snapshot(&self, lsn: Lsn) -> bool {
        self.snapshot.lsn <= lsn.max(self.changed)
    }

    pub fn is_same(&self, other: &Self) -> bool {
        let marks = |state: &Self| (state.recent, state.changed, state.snapshot);
        self.listing.is_same(&other.listing) && marks(self) == marks(other)
    }
}

/// What one durable point changes.
#[derive(Default)]
pub(crate) struct Changes {
    pub rows: Memtable,
    /// `None`: the folder is gone.
    pub folders: HashMap<FolderId, Option<FolderState>>,
    pub trees: HashMap<AccountId, Option<Arc<Folders>>>,
    pub domains: Option<Arc<Vec<AcceptedDomain>>>,
    pub settings: Option<Arc<SettingsMap>>,
    /// Whose watches wake.
    pub touched: HashSet<AccountId>,
    /// How the live octets of segments change.
    pub live: BTreeMap<SegmentId, i64>,
    /// Files of large bodies that nothing names any more.
    pub unneeded: Vec<u64>,
    /// Whether messages were expunged.
    pub retired: bool,
}

pub(crate) struct Visible {
    pub lsn: Lsn,
    /// Right behind the last durable frame.
    pub position: Position,
    /// How far the index has durably followed.
    pub applied: (Lsn, Position),
    pub active: Memtable,
    /// Being written to the index.
    pub frozen: Option<Arc<Memtable>>,
    pub snapshot: Arc<dyn Snapshot>,
    pub folders: FolderCache,
    pub dropped: HashSet<FolderId>,
    pub trees: HashMap<AccountId, Arc<Folders>>,
    /// Raised when something leaves the caches: what was read before may not be put in after it.
    pub evictions: u64,
    pub domains: Arc<Vec<AcceptedDomain>>,
    pub settings: Arc<SettingsMap>,
    pub segments: BTreeMap<SegmentId, SegmentRow>,
    /// Segments whose rows the index has not got yet.
    pub counted: BTreeSet<SegmentId>,
    /// Whether damage was passed over at a start since the index was made.
    pub damaged: bool,
    /// Files to remove once the index has followed.
    pub unneeded: Vec<u64>,
    /// Whether segments lost something that was live, which the index has not got yet.
    pub loosened: bool,
}

impl Visible {
    /// The row as memory has it, if it has.
    pub fn recent_row(&self, key: &Key) -> Option<Option<Bytes>> {
        let layers = [Some(&self.active), self.frozen.as_deref()];
        layers.into_iter().flatten().find_map(|layer| layer.get(key)).cloned()
    }

    /// The rows of a range that memory has, under those of newer layers.
    pub fn recent_rows(&self, newer: &[&Memtable], from: &Key, to: &Key) -> Overlay {
        let mut layers = newer.to_vec();
        layers.push(&self.active);
        layers.extend(self.frozen.as_deref());
        overlay(&layers, from, to)
    }

    /// Makes the changes of one durable point seen.
    pub fn publish(&mut self, changes: Changes, lsn: Lsn, position: Position) {
        (self.lsn, self.position) = (lsn, position);
        self.active.merge(changes.rows);
        for (id, state) in changes.folders {
            match state {
                Some(state) => self.folders.change(id, state),
                None => {
                    self.folders.remove(id);
                    self.dropped.insert(id);
                }
            }
        }
        for (account, tree) in changes.trees {
            match tree {
                Some(tree) => self.trees.insert(account, tree),
                None => self.trees.remove(&account),
            };
        }
        if let Some(domains) = changes.domains {
            self.domains = domains;
        }
        if let Some(settings) = changes.settings {
            self.settings = settings;
        }
        for (segment, octets) in changes.live {
            let row = self.segments.entry(segment).or_default();
            row.live = row.live.saturating_add_signed(octets);
            self.counted.insert(segment);
            self.loosened |= octets < 0;
        }
        self.unneeded.extend(changes.unneeded);
    }

    /// Keeps what is in memory within bounds, as long as the index has it.
    pub fn evict(&mut self, limit: usize) {
        if self.folders.evict(limit) {
            self.evictions += 1;
        }
        const TREES: usize = 10_000;
        if self.trees.len() > TREES {
            self.trees.clear();
            self.evictions += 1;
        }
    }
}
