//! Messages are changed, copied, moved and expunged.

use store::{Applied, Change, Error, FolderId, Listing, ModSeq, Result, Uid, UidSet};

use super::Pending;
use crate::log::{Ranges, Record};

impl Pending {
    pub fn change(
        &mut self,
        folder: FolderId,
        uids: &UidSet,
        change: Change,
        unless: Option<ModSeq>,
    ) -> Result<Applied> {
        let listing = self.folder(folder)?.listing;
        let modseq = ModSeq(self.account_now(folder.account())?.state.modseq.0 + 1);
        let at = self.now();
        match change {
            Change::Flags { how, flags, keywords } => {
                let mut after = listing;
                let set = after.set_flags_where(uids, modseq, how, flags, &keywords, unless)?;
                if !set.altered.is_empty() {
                    let uids = Ranges::from(&set.changed);
                    let record = Record::Flags { folder, uids, how: how.into(), flags, keywords, modseq };
                    // Decided above; applying it again would count every row twice.
                    self.folder_mut(folder)?.listing = after.clone();
                    self.change_account_state(folder.account(), |state| state.modseq = modseq)?;
                    self.log(&record)?;
                }
                Ok(Applied { listing: after, changed: set.changed, conflicts: set.conflicts, copied: None })
            }
            Change::Expunge => {
                let (changed, conflicts) = selected(&listing, uids, unless);
                drop(listing);
                if !changed.is_empty() {
                    let record = Record::Expunge { folder, uids: Ranges::from(&changed), modseq, at };
                    self.apply_and_log(&record)?;
                }
                Ok(Applied { listing: self.folder(folder)?.listing, changed, conflicts, copied: None })
            }
            Change::Copy { to } => self.copy(listing, (folder, to), uids, modseq, unless, false),
            Change::Move { to } => self.copy(listing, (folder, to), uids, modseq, unless, true),
        }
    }

    fn copy(
        &mut self,
        listing: Listing,
        (from, to): (FolderId, FolderId),
        uids: &UidSet,
        modseq: ModSeq,
        unless: Option<ModSeq>,
        moves: bool,
    ) -> Result<Applied> {
        let (changed, conflicts) = selected(&listing, uids, unless);
        if to.account() != from.account() {
            return Err(Error::Invalid("messages are copied and moved within one mailbox only".into()));
        }
        let target = self.folder(to).map_err(|error| match error {
            Error::NotFound(_) => Error::NotFound("the target folder"),
            error => error,
        })?;
        let (uid_validity, first) = (target.listing.uid_validity(), target.listing.uid_next());
        // What copies nothing asks for nothing, also beyond the quota.
        if !moves && !changed.is_empty() {
            if self.disk_full {
                return Err(Error::DiskFull);
            }
            let octets = listing.rows_in(&changed).map(|row| row.size.octets()).sum();
            self.admit(to.account(), octets, changed.len())?;
        }
        drop((listing, target));
        let mut pairs: Vec<(Uid, Uid)> = Vec::new();
        if !changed.is_empty() {
            pairs = self.apply_copy((from, to), &changed, first, modseq, moves)?;
            self.log(&Record::Copy { from, to, uids: Ranges::from(&changed), first, modseq, moves })?;
        }
        let listing = self.folder(from)?.listing;
        Ok(Applied { listing, changed, conflicts, copied: Some((uid_validity, pairs)) })
    }

    /// Takes the claim on `\Recent` and gives it to the next who asks.
    pub fn claim_recent(&mut self, folder: FolderId) -> Result<Uid> {
        let state = self.folder(folder)?;
        let from = state.listing.uid_next();
        if state.recent != from {
            self.apply_and_log(&Record::Recent { folder, from })?;
        }
        Ok(state.recent)
    }
}

/// Those of the UIDs that exist, parted by whether they changed since `unless`.
fn selected(listing: &Listing, uids: &UidSet, unless: Option<ModSeq>) -> (UidSet, UidSet) {
    let (mut selected, mut conflicts) = (UidSet::new(), UidSet::new());
    for row in listing.rows_in(uids) {
        let conflict = unless.is_some_and(|unless| row.modseq > unless);
        if conflict { &mut conflicts } else { &mut selected }.insert(row.uid);
    }
    (selected, conflicts)
}
