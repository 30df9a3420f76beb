//! What a record does to the state: the same for a verb just decided, at a replay, and for a rebuilt index.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use store::{
    Account, AccountId, BodyId, Error, FolderId, Folders, Keyword, KeywordSet, Listing, MessageId, ModSeq, Page,
    Result, Row, SettingsMap, Timestamp, Uid, UidSet,
};

use super::Pending;
use crate::log::{
    AccountSnapshot, BodyRecord, FolderSnapshot, MessageRecord, PlaceRecord, Record, SegmentId, Stored, encoded_length,
};
use crate::state::{
    AccountState, BodyRow, DeliveryRow, Key, MessageRow, Place, SnapshotPlace, StoredRow, Table, decode,
};
use crate::visible::FolderState;

impl Pending {
    pub fn apply(&mut self, record: &Record) -> Result<()> {
        match record {
            Record::Body(body) => self.apply_body(body),
            Record::Message(message) => self.apply_message(message),
            Record::Place(place) => {
                // Before the rest: while the index is made anew, the folder may be in a later snapshot only.
                self.remember_delivery(place)?;
                self.apply_place(place).map(|_| ())
            }
            Record::Flags { folder, uids, how, flags, keywords, modseq } => {
                let listing = &mut self.folder_mut(*folder)?.listing;
                listing.set_flags_where(&uids.to_set(), *modseq, (*how).into(), *flags, keywords, None)?;
                self.raise_modseq(folder.account(), *modseq)
            }
            Record::Expunge { folder, uids, modseq, at } => {
                self.apply_expunge(*folder, &uids.to_set(), *modseq, *at).map(|_| ())
            }
            Record::Copy { from, to, uids, modseq, moves, at } => {
                self.apply_copy(*from, *to, &uids.to_set(), *modseq, *moves, *at).map(|_| ())
            }
            Record::Folders { account, put, removed, subscribed_names, at } => {
                let mut tree = Folders::clone(&*self.tree(*account)?);
                tree.folders.retain(|folder| {
                    !removed.contains(&folder.id) && !put.iter().any(|changed| changed.id == folder.id)
                });
                tree.folders.extend(put.iter().cloned());
                tree.folders.sort_by(|a, b| a.name.cmp(&b.name));
                tree.subscribed_names.clone_from(subscribed_names);
                self.apply_tree(*account, tree, *at)
            }
            Record::Account(account) => self.apply_account(account),
            Record::AccountRemoved { account, at } => self.apply_account_removed(*account, *at),
            Record::Domains(domains) => {
                self.put(Key::domains(), domains)?;
                self.forming.domains = Some(Arc::new(domains.clone()));
                Ok(())
            }
            Record::Settings(changes) => self.apply_settings(changes),
            Record::Recent { folder, from } => {
                self.folder_mut(*folder)?.recent = *from;
                Ok(())
            }
            // What can be purged then is found anew when the index stands.
            Record::Purge { .. } if self.rebuilding => Ok(()),
            Record::Purge { folder, expunged_at, first } => self.apply_purge(*folder, *expunged_at, *first),
            Record::Moved { body, from, to } => self.apply_moved(*body, *from, *to),
            Record::FolderSnapshot(snapshot) => self.apply_folder_snapshot(snapshot),
            Record::AccountSnapshot(snapshot) => self.apply_account_snapshot(snapshot),
            Record::ForgetDeliveries { generation } => self.apply_forget_deliveries(*generation),
            Record::Counters(counters) => {
                self.counters.content = self.counters.content.max(counters.content);
                self.counters.account = self.counters.account.max(counters.account);
                self.counters.uid_validity = self.counters.uid_validity.max(counters.uid_validity);
                Ok(())
            }
            Record::MessageMoved { message, from, to } => self.apply_message_moved(*message, *from, *to),
            Record::Deliveries(rows) if !self.rebuilding => {
                rows.iter().try_for_each(|(account, id, _)| self.move_delivery(*account, *id))
            }
            Record::Deliveries(rows) => {
                rows.iter().try_for_each(|(account, id, row)| self.remember(*account, *id, row))
            }
            Record::Raised { folder, uid_next, modseq } => {
                self.folder_mut(*folder)?.listing.raise(*uid_next, *modseq);
                self.raise_modseq(folder.account(), *modseq)
            }
            Record::Restored { folder, places } => self.apply_restored(*folder, places),
        }
    }

    fn apply_body(&mut self, body: &BodyRecord) -> Result<()> {
        let (segment, bodies_at) = self.bodies_at();
        let place = match body.stored {
            Stored::Here(at) => Place::Segment { segment, offset: bodies_at + u64::from(at) },
            Stored::File(number) => {
                self.put(Key::file(number), &body.id)?;
                Place::File(number)
            }
        };
        self.counters.content = self.counters.content.max(body.id.0 + u64::from(body.messages.max(1)) - 1);
        let row = body.row(segment, place);
        self.count_live(segment, row.live());
        self.put(Key::body(body.id), &row)?;
        self.put_octets(Key::outline(body.id), body.outline.clone().into());
        Ok(())
    }

    fn apply_message(&mut self, message: &MessageRecord) -> Result<()> {
        let (segment, _) = self.bodies_at();
        let row = MessageRow { body: message.body, segment, prefix: message.prefix.clone().into() };
        self.count_live(segment, row.live());
        self.put(Key::message(message.id), &row)
    }

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
        now.octets += place.size;
        now.messages += 1;
        self.change_account_state(account, |state| *state = now)?;
        self.put_octets(Key::reference(place.message, place.folder, uid.get()), bytes::Bytes::new());
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
        self.retain(folder, &removed, at)?;
        self.raise_modseq(folder.account(), modseq)?;
        Ok(removed)
    }

    fn retain(&mut self, folder: FolderId, rows: &[Row], at: Timestamp) -> Result<()> {
        let (mut octets, mut messages) = (0, 0);
        self.forming.retired |= !rows.is_empty();
        for page in rows.chunks(Page::CAPACITY) {
            let Some(first) = page.first() else { continue };
            octets += page.iter().map(|row| row.size).sum::<u64>();
            messages += page.len() as u64;
            let stored: Vec<StoredRow> = page.iter().map(StoredRow::from).collect();
            // A UID that came back from a backup may be expunged a second time, perhaps within the same second.
            let mut at = at;
            while self.get(&Key::expunged(at, folder, first.uid.get()))?.is_some() {
                at += 1;
            }
            self.put(Key::expunged(at, folder, first.uid.get()), &stored)?;
        }
        self.change_account_state(folder.account(), |state| {
            state.octets = state.octets.saturating_sub(octets);
            state.messages = state.messages.saturating_sub(messages);
        })
    }

    /// Copies or moves; (source, new) pairs in ascending order. All or nothing.
    pub fn apply_copy(
        &mut self,
        from: FolderId,
        to: FolderId,
        uids: &UidSet,
        modseq: ModSeq,
        moves: bool,
        _at: Timestamp,
    ) -> Result<Vec<(Uid, Uid)>> {
        let source = self.folder(from)?;
        let mut target = self.folder(to)?;
        let mut pairs = Vec::new();
        let (mut octets, mut references) = (0, Vec::new());
        for row in source.listing.rows_in(uids) {
            let keywords: Vec<Keyword> = source.listing.keywords(row.keywords).cloned().collect();
            let set = target.listing.intern(&keywords)?;
            let uid = target.listing.push(modseq, row.message, row.size, row.internal_date, row.flags, set)?;
            pairs.push((row.uid, uid));
            references.push((row.message, row.uid, uid));
            octets += row.size;
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
            self.put_octets(Key::reference(message, to, new.get()), bytes::Bytes::new());
            if moves {
                self.delete(Key::reference(message, from, old.get()));
            }
        }
        self.raise_modseq(to.account(), modseq)?;
        Ok(pairs)
    }

    fn raise_modseq(&mut self, account: AccountId, modseq: ModSeq) -> Result<()> {
        self.change_account_state(account, |state| state.modseq = state.modseq.max(modseq))
    }

    /// Makes the tree the account's: new folders are empty, missing ones go with their messages.
    fn apply_tree(&mut self, account: AccountId, tree: Folders, at: Timestamp) -> Result<()> {
        let before = match self.tree(account) {
            Ok(tree) => tree,
            Err(Error::NotFound(_)) => Arc::default(),
            Err(error) => return Err(error),
        };
        for folder in &tree.folders {
            self.counters.uid_validity = self.counters.uid_validity.max(folder.uid_validity.0.get());
            match before.by_id(folder.id) {
                Some(old) if old == folder => continue,
                Some(_) => {}
                None if self.rebuilding && self.folder(folder.id).is_ok() => {}
                None => {
                    let listing = Listing::new(folder.uid_validity);
                    let (changed, snapshot) = (self.lsn, SnapshotPlace::default());
                    let state = FolderState { listing, recent: Uid::MIN, changed, snapshot };
                    self.set_folder(folder.id, state);
                }
            }
            self.put(Key::folder(folder.id), folder)?;
        }
        let kept: HashSet<FolderId> = tree.folders.iter().map(|folder| folder.id).collect();
        for folder in before.folders.iter().filter(|folder| !kept.contains(&folder.id)) {
            let rows: Vec<Row> = self.folder(folder.id)?.listing.rows().copied().collect();
            self.retain(folder.id, &rows, at)?;
            self.drop_folder(folder.id);
        }
        if before.subscribed_names != tree.subscribed_names {
            self.put(Key::subscribed_names(account), &tree.subscribed_names)?;
        }
        let last = tree.folders.iter().map(|folder| folder.id.number()).max().unwrap_or_default();
        self.forming.trees.insert(account, Some(Arc::new(tree)));
        self.change_account_state(account, |state| state.last_folder = state.last_folder.max(last))
    }

    /// Takes a folder away with all that refers to its messages.
    pub fn discard_folder(&mut self, id: FolderId) -> Result<()> {
        let rows: Vec<Row> = self.folder(id)?.listing.rows().copied().collect();
        for row in rows {
            self.delete(Key::reference(row.message, id, row.uid.get()));
        }
        self.drop_folder(id);
        Ok(())
    }

    fn drop_folder(&mut self, folder: FolderId) {
        if let Ok(state) = self.folder(folder) {
            self.drop_snapshot(state.snapshot);
        }
        self.forming.folders.insert(folder, None);
        self.delete(Key::folder(folder));
        self.delete(Key::folder_meta(folder));
        self.delete(Key::folder_keywords(folder));
    }

    fn apply_account(&mut self, account: &Account) -> Result<()> {
        let before: Option<Account> = self.row(&Key::account(account.id))?;
        for address in before.iter().flat_map(addresses) {
            self.delete(Key::address(address));
        }
        for address in addresses(account) {
            self.put(Key::address(address), &account.id)?;
        }
        self.put(Key::account(account.id), account)?;
        self.forget_account(account.id);
        if before.is_none() && !self.rebuilding {
            self.put(Key::account_state(account.id), &AccountState { changed: account.created, ..Default::default() })?;
            self.forming.trees.insert(account.id, Some(Arc::default()));
        }
        self.counters.account = self.counters.account.max(account.id.0);
        Ok(())
    }

    fn apply_account_removed(&mut self, id: AccountId, at: Timestamp) -> Result<()> {
        let account = self.account(id)?;
        let snapshot = self.account_now(id)?.state.snapshot;
        self.drop_snapshot(snapshot);
        self.apply_tree(id, Folders::default(), at)?;
        for address in addresses(&account) {
            self.delete(Key::address(address));
        }
        self.delete(Key::account(id));
        self.delete(Key::account_state(id));
        self.delete(Key::subscribed_names(id));
        self.forming.trees.insert(id, None);
        self.forming.touched.insert(id);
        self.forget_account(id);
        Ok(())
    }

    fn apply_settings(&mut self, changes: &[(String, Option<String>)]) -> Result<()> {
        let mut settings = SettingsMap::clone(&*self.settings());
        for (name, value) in changes {
            match value {
                Some(value) => {
                    let parsed = serde_json::from_str(value)
                        .map_err(|error| Error::Corrupt(format!("the setting {name}: {error}")))?;
                    settings.insert(name.clone(), parsed);
                    self.put(Key::setting(name), value)?;
                }
                None => {
                    settings.remove(name);
                    self.delete(Key::setting(name));
                }
            }
        }
        self.forming.settings = Some(Arc::new(settings));
        Ok(())
    }

    fn apply_purge(&mut self, folder: FolderId, at: Timestamp, first: Uid) -> Result<()> {
        let key = Key::expunged(at, folder, first.get());
        let Some(rows) = self.row::<Vec<StoredRow>>(&key)? else { return Ok(()) };
        self.delete(key);
        for row in rows {
            self.delete(Key::reference(row.message, folder, row.uid.get()));
            self.free_message(row.message)?;
        }
        Ok(())
    }

    /// Takes a message away that nothing refers to any more, and its body with the last message of it.
    pub fn free_message(&mut self, id: MessageId) -> Result<()> {
        let from = Key::reference(id, FolderId(0), 0);
        let to = Key::reference(id, FolderId(u64::MAX), u32::MAX);
        if !self.range(&from, &to, 1)?.is_empty() {
            return Ok(());
        }
        let Some(message) = self.row::<MessageRow>(&Key::message(id))? else { return Ok(()) };
        self.delete(Key::message(id));
        self.count_live(message.segment, -message.live());
        self.free_body(message.body)
    }

    /// Takes a body away that no message uses any more.
    pub fn free_body(&mut self, id: BodyId) -> Result<()> {
        let Some(body) = self.row::<BodyRow>(&Key::body(id))? else { return Ok(()) };
        let from = Key::message(MessageId(id.0));
        let to = Key::message(MessageId(id.0 + u64::from(body.messages.max(1)) - 1));
        if !self.range(&from, &to, 1)?.is_empty() {
            return Ok(());
        }
        self.delete(Key::body(id));
        self.delete(Key::outline(id));
        self.count_live(body.segment, -body.live());
        if let Place::File(number) = body.place {
            self.delete(Key::file(number));
            self.forming.unneeded.push(number);
        }
        Ok(())
    }

    fn apply_moved(&mut self, id: BodyId, from: (SegmentId, Place), to: (SegmentId, Place)) -> Result<()> {
        let Some(mut body) = self.row::<BodyRow>(&Key::body(id))? else { return Ok(()) };
        if (body.segment, body.place) != from {
            return Ok(());
        }
        self.count_live(body.segment, -body.live());
        (body.segment, body.place) = to;
        self.count_live(body.segment, body.live());
        self.put(Key::body(id), &body)
    }

    fn apply_message_moved(&mut self, id: MessageId, from: SegmentId, to: SegmentId) -> Result<()> {
        let Some(mut message) = self.row::<MessageRow>(&Key::message(id))? else { return Ok(()) };
        if message.segment != from {
            return Ok(());
        }
        self.count_live(from, -message.live());
        self.count_live(to, message.live());
        message.segment = to;
        self.put(Key::message(id), &message)
    }

    /// Over a live store it only notes where the snapshot lies: the state is the same already.
    fn apply_folder_snapshot(&mut self, snapshot: &FolderSnapshot) -> Result<()> {
        if self.rebuilding {
            self.install_folder(snapshot)?;
        }
        let before = self.folder(snapshot.folder)?.snapshot;
        self.folder_mut(snapshot.folder)?.snapshot = self.replace_snapshot(before, encoded_length(snapshot)?);
        Ok(())
    }

    /// A snapshot is what its segment must be kept or copied for, until a later one is there.
    fn replace_snapshot(&mut self, before: SnapshotPlace, octets: u64) -> SnapshotPlace {
        let (segment, _) = self.bodies_at();
        self.drop_snapshot(before);
        self.count_live(segment, octets as i64);
        SnapshotPlace { lsn: self.lsn, segment, octets }
    }

    fn drop_snapshot(&mut self, snapshot: SnapshotPlace) {
        self.count_live(snapshot.segment, -(snapshot.octets as i64));
    }

    /// Makes the folder what the snapshot says, whatever was known of it.
    fn install_folder(&mut self, snapshot: &FolderSnapshot) -> Result<()> {
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
            self.put_octets(Key::reference(row.message, id, row.uid.get()), bytes::Bytes::new());
        }
        self.set_folder(id, FolderState { listing, recent: snapshot.recent, ..before });
        Ok(())
    }

    /// As [`Self::apply_folder_snapshot`].
    fn apply_account_snapshot(&mut self, snapshot: &AccountSnapshot) -> Result<()> {
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

    /// Puts messages back under the UIDs they had; those whose UID is taken stay away.
    pub fn apply_restored(&mut self, folder: FolderId, places: &[PlaceRecord]) -> Result<()> {
        let mut state = self.folder(folder)?;
        let account = folder.account();
        let new = places.iter().filter(|place| state.listing.get(place.uid).is_none());
        let (listing, rows) = with_rows(&state.listing, new)?;
        state.listing = listing;
        self.set_folder(folder, state);
        for row in &rows {
            self.put_octets(Key::reference(row.message, folder, row.uid.get()), bytes::Bytes::new());
        }
        self.change_account_state(account, |state| {
            state.octets += rows.iter().map(|row| row.size).sum::<u64>();
            state.messages += rows.len() as u64;
            state.modseq = rows.iter().map(|row| row.modseq).fold(state.modseq, ModSeq::max);
        })
    }

    fn apply_forget_deliveries(&mut self, generation: u32) -> Result<()> {
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

fn addresses(account: &Account) -> impl Iterator<Item = &store::Address> {
    [&account.address].into_iter().chain(&account.aliases)
}
