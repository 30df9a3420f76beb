//! Messages are placed in folders, copied, taken out and put back.

use std::collections::BTreeMap;

use store::{
    AccountId, Error, FolderId, Keyword, KeywordSet, Listing, ModSeq, Page, Result, Row, Timestamp, Uid, UidSet,
};

use crate::log::PlaceRecord;
use crate::sequencer::Pending;
use crate::state::{DeliveryRow, Key, RetainedPage, Table, decode};

impl Pending {
    /// Places a message under the folder's next UID and answers it.
    pub fn apply_place(&mut self, place: &PlaceRecord) -> Result<Uid> {
        let account = place.folder.account();
        let mut now = self.account_now(account)?.state;
        let listing = &mut self.folder_mut(place.folder)?.listing;
        if place.uid > listing.uid_next() {
            listing.raise(place.uid, ModSeq::default());
        }
        let keywords = listing.intern(&place.keywords)?;
        let uid = listing.push(place.modseq, place.message, place.size, place.internal_date, place.flags, keywords)?;
        self.alterations += 1;
        now.modseq = now.modseq.max(place.modseq);
        now.octets += place.size.octets();
        now.messages += 1;
        self.change_account_state(account, |state| *state = now)?;
        self.put_octets(Key::reference(place.message, place.folder, uid.get()), &[]);
        Ok(uid)
    }

    pub fn remember_delivery(&mut self, place: &PlaceRecord) -> Result<()> {
        let Some(delivery) = place.delivery else { return Ok(()) };
        let PlaceRecord { folder, uid_validity, uid, .. } = *place;
        let (segment, _) = self.bodies_at();
        self.remember(folder.account(), delivery, &DeliveryRow { folder, uid_validity, uid, segment })
    }

    /// Takes messages out and keeps them for their retention; the folder's state before.
    pub fn apply_expunge(
        &mut self,
        folder: FolderId,
        uids: &UidSet,
        modseq: ModSeq,
        at: Timestamp,
    ) -> Result<Vec<Row>> {
        let removed = self.folder_mut(folder)?.listing.remove(uids, modseq);
        let listing = self.folder(folder)?.listing;
        self.retain(folder, &listing, &removed, at)?;
        self.raise_modseq(folder.account(), modseq)?;
        Ok(removed)
    }

    pub(super) fn retain(&mut self, folder: FolderId, listing: &Listing, rows: &[Row], at: Timestamp) -> Result<()> {
        let (mut octets, mut messages) = (0, 0);
        self.forming.retired |= !rows.is_empty();
        for page in rows.chunks(Page::CAPACITY) {
            let Some(first) = page.first() else { continue };
            octets += page.iter().map(|row| row.size.octets()).sum::<u64>();
            messages += page.len() as u64;
            // A UID that came back from a backup may be expunged a second time, perhaps within the same second.
            let mut at = at;
            while self.get(&Key::expunged(at, folder, first.uid.get()))?.is_some() {
                at += 1;
            }
            self.put(Key::expunged(at, folder, first.uid.get()), &RetainedPage::of(listing, page))?;
        }
        self.change_account_state(folder.account(), |state| {
            state.octets = state.octets.saturating_sub(octets);
            state.messages = state.messages.saturating_sub(messages);
        })
    }

    /// Copies or moves; (source, new) pairs in ascending order. All or nothing.
    pub fn apply_copy(
        &mut self,
        (from, to): (FolderId, FolderId),
        uids: &UidSet,
        first: Uid,
        modseq: ModSeq,
        moves: bool,
    ) -> Result<Vec<(Uid, Uid)>> {
        let source = self.folder(from)?;
        let mut target = self.folder(to)?;
        let mut pairs = Vec::new();
        let (mut octets, mut references) = (0, Vec::new());
        for (rank, old) in uids.iter().enumerate() {
            // A source that went with damage leaves a gap: nobody else's copy moves up.
            let Some(row) = source.listing.get(old) else { continue };
            let place = first.get().checked_add(rank as u32).and_then(Uid::new);
            let Some(wanted) = place.filter(|uid| *uid >= target.listing.uid_next()) else {
                return Err(Error::Limit("this folder has used all its UIDs; move its messages to a new one".into()));
            };
            target.listing.raise(wanted, ModSeq::default());
            let keywords: Vec<Keyword> = source.listing.keywords(row.keywords).cloned().collect();
            let set = target.listing.intern(&keywords)?;
            let uid = target.listing.push(modseq, row.message, row.size, row.internal_date, row.flags, set)?;
            pairs.push((row.uid, uid));
            references.push((row.message, row.uid, uid));
            octets += row.size.octets();
        }
        self.set_folder(to, target);
        if moves {
            self.folder_mut(from)?.listing.remove(uids, modseq);
        } else {
            let messages = pairs.len() as u64;
            self.change_account_state(to.account(), |state| {
                state.octets += octets;
                state.messages += messages;
            })?;
        }
        for (message, old, new) in references {
            self.put_octets(Key::reference(message, to, new.get()), &[]);
            if moves {
                self.delete(Key::reference(message, from, old.get()));
            }
        }
        self.raise_modseq(to.account(), modseq)?;
        Ok(pairs)
    }

    /// Puts messages back under the UIDs they had; those whose UID is taken stay away.
    pub fn apply_restored(&mut self, folder: FolderId, places: &[PlaceRecord]) -> Result<()> {
        let mut state = self.folder(folder)?;
        let account = folder.account();
        let new = places.iter().filter(|place| state.listing.get(place.uid).is_none());
        let (listing, rows) = with_rows(&state.listing, new)?;
        state.listing = listing;
        self.set_folder(folder, state);
        for row in &rows {
            self.put_octets(Key::reference(row.message, folder, row.uid.get()), &[]);
        }
        self.change_account_state(account, |state| {
            state.octets += rows.iter().map(|row| row.size.octets()).sum::<u64>();
            state.messages += rows.len() as u64;
            state.modseq = rows.iter().map(|row| row.modseq).fold(state.modseq, ModSeq::max);
        })
    }

    pub(super) fn apply_forget_deliveries(&mut self, generation: u32) -> Result<()> {
        let from = Key::first(Table::Delivery);
        let to = Key::delivery(generation, AccountId(u32::MAX), store::DeliveryId(u128::MAX));
        // A busy store remembers millions: whoever forgets them asks again until none is left.
        const AT_ONCE: usize = 4096;
        for (key, octets) in self.range(&from, &to, AT_ONCE)? {
            let row: DeliveryRow = decode(&octets)?;
            self.count_live(row.segment, -DeliveryRow::LIVE);
            self.delete(key);
        }
        Ok(())
    }
}

/// The listing with more rows, each at its place in the order of UIDs; and the new rows.
fn with_rows<'a>(listing: &Listing, places: impl Iterator<Item = &'a PlaceRecord>) -> Result<(Listing, Vec<Row>)> {
    let mut names = listing.keyword_names().to_vec();
    let mut sets: Vec<Vec<u16>> = listing.keyword_sets().map(<[u16]>::to_vec).collect();
    let mut new: BTreeMap<Uid, Row> = BTreeMap::new();
    for place in places {
        let mut members = Vec::with_capacity(place.keywords.len());
        for keyword in &place.keywords {
            let known = names.iter().position(|name| name == keyword);
            members.push(known.unwrap_or(names.len()) as u16);
            if known.is_none() {
                names.push(keyword.clone());
            }
        }
        members.sort_unstable();
        members.dedup();
        let known = sets.iter().position(|set| *set == members);
        let keywords = KeywordSet(known.unwrap_or(sets.len()) as u32);
        if known.is_none() {
            sets.push(members);
        }
        let PlaceRecord { uid, modseq, message, size, internal_date, flags, .. } = *place;
        new.insert(uid, Row { uid, keywords, modseq, message, size, internal_date, flags });
    }
    if names.len() > Listing::MAX_KEYWORDS {
        return Err(Error::Limit(format!("a folder holds at most {} different keywords", Listing::MAX_KEYWORDS)));
    }
    let new: Vec<Row> = new.into_values().collect();
    let mut rows: Vec<Row> = listing.rows().chain(&new).copied().collect();
    rows.sort_by_key(|row| row.uid);
    let above = new.last().and_then(|row| row.uid.next()).unwrap_or(Uid::MIN);
    let modseq = new.iter().map(|row| row.modseq).max().unwrap_or_default();
    let listing = Listing::restore(
        listing.uid_validity(),
        listing.uid_next().max(above),
        listing.highest_modseq().max(modseq),
        names,
        sets,
        rows.chunks(Page::CAPACITY).map(<[Row]>::to_vec),
    )?;
    Ok((listing, new))
}
