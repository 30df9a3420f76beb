//! The end of a repair: what is nowhere or unreadable goes, marks are raised, everything is counted anew.

use std::collections::{BTreeMap, HashMap, HashSet};

use store::{AccountId, BodyId, FolderId, MessageId, ModSeq, Result, UidSet};

use super::repair::{Harmed, Rebuild};
use crate::fault::disk_error;
use crate::files::{bodies_dir, parse_body_file};
use crate::log::{Lsn, Position, Ranges, Record, SegmentId};
use crate::state::{AccountState, BodyRow, DeliveryRow, FolderMeta, Key, MessageRow, Place, SegmentRow, Table, decode};

/// Why a body cannot be read.
#[derive(Clone, Copy)]
enum Harm {
    Missing,
    Damaged,
}

impl Rebuild {
    /// Takes away what is nowhere, raises the marks, counts anew, and makes the index durable.
    pub fn settle(&mut self, end: Position) -> Result<()> {
        let engine = self.engine();
        // Folders that some snapshot or record spoke of and that no tree has in the end.
        self.follower.follow(false)?;
        let (mut folders, mut discarded): (Vec<FolderId>, Vec<FolderId>) = (Vec::new(), Vec::new());
        engine.each_row(Table::FolderMeta, |key, _| {
            let id = FolderId(key.leading_u64().unwrap_or_default());
            let known = engine.get(&Key::folder(id))?.is_some() && engine.get(&Key::account(id.account()))?.is_some();
            if known { &mut folders } else { &mut discarded }.push(id);
            Ok(())
        })?;
        // Numbers above all that were perhaps given.
        self.pending.lsn = Lsn(self.lsn.0 + 1);
        self.lsn = self.pending.lsn;
        self.pending.raise_counters(self.raise);
        for folder in discarded {
            self.pending.discard_folder(folder)?;
            self.publish()?;
        }
        let mut marks = vec![Record::Counters(self.pending.counters)];
        let harmed = self.harmed_bodies()?;
        for folder in folders {
            marks.extend(self.settle_folder(folder, &harmed)?);
            self.publish()?;
        }
        self.drop_strays()?;
        self.count_accounts()?;
        self.drop_unreferenced()?;
        self.count_segments()?;
        // Into the log as well: a backup of the repaired store has nothing else to know them from.
        let lsn = self.lsn;
        let (end, _) = engine.log_marks(end, lsn, &marks)?;
        engine.visible_mut().publish(crate::visible::Changes::default(), lsn, end);
        self.follower.follow(false)
    }

    /// What harm the bodies took, each read once and whole.
    fn harmed_bodies(&self) -> Result<HashMap<BodyId, Harm>> {
        let engine = self.engine();
        let names = engine.disk.list(&bodies_dir(&engine.dir)).map_err(|error| disk_error("listing bodies", &error))?;
        let files: HashSet<u64> = names.iter().filter_map(|name| parse_body_file(name)).collect();
        let mut harmed = HashMap::new();
        engine.each_row(Table::Body, |key, octets| {
            let id = BodyId(key.leading_u64().unwrap_or_default());
            let body: BodyRow = decode(octets)?;
            match body.place {
                Place::File(number) if !files.contains(&number) => drop(harmed.insert(id, Harm::Missing)),
                _ if !engine.is_whole(&body)? => drop(harmed.insert(id, Harm::Damaged)),
                _ => {}
            }
            Ok(())
        })?;
        Ok(harmed)
    }

    /// Takes out of a folder what cannot be read; the records of that and of the raised marks.
    fn settle_folder(&mut self, id: FolderId, harmed: &HashMap<BodyId, Harm>) -> Result<Vec<Record>> {
        let listing = self.pending.folder(id)?.listing;
        let (mut lost, mut unreadable) = (UidSet::new(), UidSet::new());
        for row in listing.rows() {
            let message: Option<MessageRow> = self.pending.row(&Key::message(row.message))?;
            let harm = match message {
                None => Some(Harm::Missing),
                Some(message) if self.pending.get(&Key::body(message.body))?.is_none() => Some(Harm::Missing),
                Some(message) => harmed.get(&message.body).copied(),
            };
            match harm {
                None => continue,
                Some(Harm::Missing) => {
                    lost.insert(row.uid);
                    self.pending.delete(Key::reference(row.message, id, row.uid.get()));
                }
                Some(Harm::Damaged) => unreadable.insert(row.uid),
            }
        }
        let raised = self.pending.raised(id, self.raise)?;
        let modseq = ModSeq(listing.highest_modseq().0 + 1);
        drop(listing);
        self.report(id, &lost, &unreadable)?;
        if !lost.is_empty() {
            self.pending.folder_mut(id)?.listing.remove(&lost, modseq);
        }
        let mut records = Vec::new();
        if !unreadable.is_empty() {
            let (uids, at) = (Ranges::from(&unreadable), self.pending.now());
            records.push(Record::Expunge { folder: id, uids, modseq, at });
        }
        records.push(raised);
        records.iter().try_for_each(|record| self.pending.apply(record))?;
        Ok(records)
    }

    fn report(&mut self, folder: FolderId, lost: &UidSet, unreadable: &UidSet) -> Result<()> {
        self.repaired.lost += lost.len();
        self.repaired.unreadable += unreadable.len();
        if lost.is_empty() && unreadable.is_empty() {
            return Ok(());
        }
        let mailbox = self.pending.account(folder.account())?.address.to_string();
        let tree = self.pending.tree(folder.account())?;
        let name = tree.by_id(folder).map(|folder| folder.name.as_str().to_owned()).unwrap_or_default();
        for uid in lost.iter().chain(unreadable.iter()) {
            self.repaired.harmed(Harmed { mailbox: mailbox.clone(), folder: name.clone(), uid: uid.get() });
        }
        Ok(())
    }

    fn count_accounts(&mut self) -> Result<()> {
        let engine = self.engine();
        let mut accounts = Vec::new();
        engine.each_row(Table::Account, |_, octets| {
            accounts.push(decode::<store::Account>(octets)?.id);
            Ok(())
        })?;
        for id in accounts {
            let tree = self.pending.tree(id)?;
            let (mut octets, mut messages, mut modseq) = (0, 0, ModSeq::default());
            for folder in &tree.folders {
                let listing = self.pending.folder(folder.id)?.listing;
                octets += listing.octets();
                messages += u64::from(listing.len());
                modseq = modseq.max(listing.highest_modseq());
            }
            self.pending.change_account_state(id, |state| {
                (state.octets, state.messages, state.modseq) = (octets, messages, state.modseq.max(modseq));
            })?;
            self.publish()?;
        }
        Ok(())
    }

    /// Counters of accounts that are gone: their mail was met before word of their removal.
    fn drop_strays(&mut self) -> Result<()> {
        let engine = self.engine();
        let mut strays = Vec::new();
        engine.each_row(Table::AccountState, |key, _| {
            let Some(id) = key.leading_u32().map(AccountId) else { return Ok(()) };
            if engine.get(&Key::account(id))?.is_none() {
                strays.push(id);
            }
            Ok(())
        })?;
        for id in strays {
            self.pending.delete(Key::account_state(id));
        }
        self.publish()
    }

    fn drop_unreferenced(&mut self) -> Result<()> {
        let engine = self.engine();
        let mut unreferenced: Vec<MessageId> = Vec::new();
        engine.each_row(Table::Message, |key, _| {
            let id = MessageId(key.leading_u64().unwrap_or_default());
            let (from, to) = (Key::reference(id, FolderId(0), 0), Key::reference(id, FolderId(u64::MAX), u32::MAX));
            if engine.range(&from, &to, 1)?.is_empty() {
                unreferenced.push(id);
            }
            Ok(())
        })?;
        self.repaired.unreferenced = unreferenced.len() as u64;
        for id in unreferenced {
            self.pending.free_message(id)?;
        }
        self.publish()?;
        // Bodies whose messages were all lost.
        let mut bodies = Vec::new();
        engine.each_row(Table::Body, |key, octets| {
            let (id, body) = (key.leading_u64().unwrap_or_default(), decode::<BodyRow>(octets)?);
            let last = MessageId(id + u64::from(body.messages.max(1)) - 1);
            if engine.range(&Key::message(MessageId(id)), &Key::message(last), 1)?.is_empty() {
                bodies.push(BodyId(id));
            }
            Ok(())
        })?;
        for id in bodies {
            self.pending.free_body(id)?;
        }
        self.publish()
    }

    fn count_segments(&mut self) -> Result<()> {
        let engine = self.engine();
        let mut live = BTreeMap::<SegmentId, SegmentRow>::new();
        let mut count = |segment, octets| {
            if octets > 0 {
                live.entry(segment).or_default().live += octets;
            }
        };
        engine.each_row(Table::Body, |_, octets| {
            let body: BodyRow = decode(octets)?;
            count(body.segment, body.live() as u64);
            Ok(())
        })?;
        engine.each_row(Table::Message, |_, octets| {
            let message: MessageRow = decode(octets)?;
            count(message.segment, message.live() as u64);
            Ok(())
        })?;
        engine.each_row(Table::FolderMeta, |_, octets| {
            let FolderMeta { snapshot, .. } = decode(octets)?;
            count(snapshot.segment, snapshot.octets);
            Ok(())
        })?;
        engine.each_row(Table::AccountState, |_, octets| {
            let AccountState { snapshot, .. } = decode(octets)?;
            count(snapshot.segment, snapshot.octets);
            Ok(())
        })?;
        engine.each_row(Table::Delivery, |_, octets| {
            let DeliveryRow { segment, .. } = decode(octets)?;
            count(segment, DeliveryRow::LIVE as u64);
            Ok(())
        })?;
        let mut visible = engine.visible_mut();
        let before = std::mem::replace(&mut visible.segments, live);
        let all: Vec<SegmentId> = before.into_keys().chain(visible.segments.keys().copied()).collect();
        visible.counted.extend(all);
        Ok(())
    }
}
