//! Snapshots: over a live store a mark, for an index made anew the state itself.

use store::{Error, Folders, Listing, Page, Result, Row, Uid};

use crate::log::{AccountSnapshot, FolderSnapshot, encoded_length};
use crate::sequencer::Pending;
use crate::state::{Key, SnapshotPlace};
use crate::visible::FolderState;

impl Pending {
    /// Over a live store it only notes where the snapshot lies: the state is the same already.
    pub(super) fn apply_folder_snapshot(&mut self, snapshot: &FolderSnapshot) -> Result<()> {
        if self.rebuilding {
            self.install_folder(snapshot)?;
        }
        let state = self.folder(snapshot.folder)?;
        let place = self.replace_snapshot(state.snapshot, encoded_length(snapshot)?);
        let folder = self.folder_mut(snapshot.folder)?;
        // That it was changed in the same durable point as well must not be hidden by this.
        (folder.snapshot, folder.changed) = (place, state.changed);
        Ok(())
    }

    /// Makes the folder what the snapshot says, whatever was known of it.
    pub(super) fn install_folder(&mut self, snapshot: &FolderSnapshot) -> Result<()> {
        let id = snapshot.folder;
        let before = match self.folder(id) {
            Ok(state) => state,
            // The tree that it stands in may be in a later snapshot only.
            Err(Error::NotFound(_)) => FolderState {
                listing: Listing::new(snapshot.uid_validity),
                recent: Uid::MIN,
                changed: self.lsn,
                snapshot: SnapshotPlace::default(),
            },
            Err(error) => return Err(error),
        };
        let rows: Vec<Row> = snapshot.rows.iter().copied().map(Row::from).collect();
        let listing = Listing::restore(
            snapshot.uid_validity,
            snapshot.uid_next,
            snapshot.highest_modseq,
            snapshot.keywords.clone(),
            snapshot.keyword_sets.clone(),
            rows.chunks(Page::CAPACITY).map(<[Row]>::to_vec),
        )?;
        for row in before.listing.rows() {
            self.delete(Key::reference(row.message, id, row.uid.get()));
        }
        for row in &rows {
            self.put_octets(Key::reference(row.message, id, row.uid.get()), &[]);
        }
        self.set_folder(id, FolderState { listing, recent: snapshot.recent, ..before });
        Ok(())
    }

    /// As [`Self::apply_folder_snapshot`].
    pub(super) fn apply_account_snapshot(&mut self, snapshot: &AccountSnapshot) -> Result<()> {
        let id = snapshot.account.id;
        if self.rebuilding {
            self.apply_account(&snapshot.account)?;
            let (folders, subscribed_names) = (snapshot.folders.clone(), snapshot.subscribed_names.clone());
            self.apply_tree(id, Folders { folders, subscribed_names }, snapshot.state.changed)?;
            self.change_account_state(id, |state| {
                state.modseq = state.modseq.max(snapshot.state.modseq);
                state.last_folder = state.last_folder.max(snapshot.state.last_folder);
            })?;
        }
        let before = self.account_now(id)?.state.snapshot;
        let place = self.replace_snapshot(before, encoded_length(snapshot)?);
        self.change_account_state(id, |state| state.snapshot = place)
    }

    /// A snapshot is what its segment must be kept or copied for, until a later one is there.
    pub(super) fn replace_snapshot(&mut self, before: SnapshotPlace, octets: u64) -> SnapshotPlace {
        let (segment, _) = self.bodies_at();
        self.drop_snapshot(before);
        self.count_live(segment, octets as i64);
        SnapshotPlace { lsn: self.lsn, segment, octets }
    }

    pub(super) fn drop_snapshot(&mut self, snapshot: SnapshotPlace) {
        if snapshot.octets > 0 {
            self.count_live(snapshot.segment, -(snapshot.octets as i64));
        }
    }
}
