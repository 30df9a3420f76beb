//! The index is made anew from the segments alone.

use std::path::Path;
use std::sync::Arc;

use store::{Error, FolderId, MessageId, ModSeq, Result, Uid, UidSet};

use super::verify::each_row;
use crate::disk::{Disk, Open, RealDisk};
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{Mark, index_file, segment_file, segments_dir};
use crate::follow::Follower;
use crate::log::{
    Finding, FrameHeader, Lsn, Payload, Position, Predecessor, Record, Scan, ScannedFrame, SegmentHeader, SegmentId,
    encode_record, parse_file_name,
};
use crate::open::open;
use crate::options::Options;
use crate::sequencer::Pending;
use crate::state::{BodyRow, Key, MessageRow, SegmentRow, Table, decode};

/// UIDs that were perhaps given after what could be read: none of them is given again.
const UIDS: u32 = 1 << 20;
/// As [`UIDS`].
const MODSEQS: u64 = 1 << 32;

/// What a repair found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Durable points read.
    pub points: u64,
    /// Parts of segments that are no records: segment, and octets.
    pub damaged: Vec<(u64, std::ops::Range<u64>)>,
    /// Messages that folders listed and that are nowhere any more.
    pub lost: u64,
    /// Messages that nothing refers to.
    pub unreferenced: u64,
}

/// Makes the index of a store anew that no process has open. The old one is kept beside it.
pub fn repair(dir: &Path, options: Options) -> Result<Repaired> {
    repair_on(Arc::new(RealDisk), dir, options)
}

pub(crate) fn repair_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Repaired> {
    let _lock = disk.lock(&dir.join("lock")).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => Error::Busy,
        _ => disk_error("locking the data directory", &error),
    })?;
    Mark::check(&*disk, dir, true)?;
    let mark = Mark::set(&*disk, dir, Mark::REPAIR)?;
    set_aside(&*disk, dir)?;
    let segments = Segments::list(&*disk, dir)?;
    // The index is empty and the segments are not: the opening is told not to mind.
    let ready = open(disk.clone(), dir, options, Some(segments.epoch))?;
    let mut rebuild = Rebuild {
        pending: Pending::new(ready.engine.clone(), ready.counters),
        follower: Follower::new(ready.engine.clone()),
        repaired: Repaired::default(),
        lsn: Lsn::default(),
    };
    rebuild.pending.rebuilding = true;
    for &id in &segments.copies {
        rebuild.segment(id, None)?;
    }
    let mut end = Position::default();
    for &(id, until) in &segments.log {
        end = rebuild.segment(id, until)?;
    }
    rebuild.settle(end)?;
    mark.clear()?;
    Ok(rebuild.repaired)
}

fn set_aside(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let index = index_file(dir);
    let names = disk.list(dir).map_err(|error| disk_error("listing the data directory", &error))?;
    if !names.iter().any(|name| index.file_name().is_some_and(|index| index == name.as_str())) {
        return Ok(());
    }
    let kept = (1..).map(|number| format!("index.redb.before-repair-{number}")).find(|name| !names.contains(name));
    let moved = disk.rename(&index, &dir.join(kept.unwrap_or_default())).and_then(|()| disk.sync_dir(dir));
    moved.map_err(|error| disk_error("setting the old index aside", &error))
}

/// The segments by what they are, the log's in their order with the offset up to which each counts.
struct Segments {
    copies: Vec<SegmentId>,
    log: Vec<(SegmentId, Option<u64>)>,
    epoch: u64,
}

impl Segments {
    fn list(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        let names = disk.list(&segments_dir(dir)).map_err(|error| disk_error("listing segments", &error))?;
        let mut ids: Vec<SegmentId> = names.iter().filter_map(|name| parse_file_name(name)).collect();
        ids.sort_unstable();
        let mut headers: Vec<(SegmentId, Option<SegmentHeader>)> = Vec::new();
        for id in ids {
            let file = disk.open(&segment_file(dir, id), Open::Existing);
            let file = file.map_err(|error| disk_error("opening a segment", &error))?;
            headers.push((id, Scan::header(&*file)?));
        }
        let epoch = headers.iter().find_map(|(_, header)| header.map(|header| header.epoch)).unwrap_or_default();
        let is_copy = |header: &Option<SegmentHeader>| header.is_some_and(|header| header.generation > 0);
        let copies = headers.iter().filter(|(_, header)| is_copy(header)).map(|(id, _)| *id).collect();
        let proper: Vec<_> = headers.iter().filter(|(_, header)| !is_copy(header)).collect();
        let mut log = Vec::new();
        let (mut at, mut end) = (proper.last().copied(), None);
        while let Some((id, header)) = at {
            log.push((*id, end));
            // What was abandoned after a failed write is named by nobody and passed over. Where the chain is broken,
            // because segments went or a header is damaged, it goes on with the next older segment.
            let named = header.map(|header| header.predecessor.0);
            let below = named.map_or(*id, |position| SegmentId(position.segment.0 + 1));
            at = proper.iter().rev().find(|(older, _)| *older < below && older < id).copied();
            end = named.filter(|named| at.is_some_and(|(older, _)| *older == named.segment)).map(|named| named.offset);
        }
        log.reverse();
        Ok(Self { copies, log, epoch })
    }
}

struct Rebuild {
    pending: Pending,
    follower: Follower,
    repaired: Repaired,
    lsn: Lsn,
}

impl Rebuild {
    fn engine(&self) -> Arc<Engine> {
        self.pending.engine.clone()
    }

    /// Applies what can be read; where it ended.
    fn segment(&mut self, id: SegmentId, until: Option<u64>) -> Result<Position> {
        let engine = self.engine();
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        let mut scan = Scan::new(file, id, engine.epoch, 0, until)?;
        let mut end = Position { segment: id, offset: SegmentHeader::LENGTH as u64 };
        let mut held: Option<ScannedFrame> = None;
        let mut broken = None;
        while let Some(finding) = scan.next()? {
            match finding {
                Finding::Frame(frame) => {
                    self.repaired.damaged.extend(broken.take().map(|range| (id.0, range)));
                    if let Some(proven) = held.replace(frame) {
                        self.apply(id, &proven)?;
                    }
                }
                Finding::Broken { from, to } => broken = Some(from..to),
            }
        }
        // The last of the log may never have become durable; anything else that is broken is damage.
        if until.is_some() {
            self.repaired.damaged.extend(broken.map(|range| (id.0, range)));
        }
        if let Some(frame) = held
            && (until.is_some() || scan.bodies_are_whole(&frame)?)
        {
            self.apply(id, &frame)?;
            end.offset = frame.end();
        }
        Ok(end)
    }

    fn apply(&mut self, segment: SegmentId, frame: &ScannedFrame) -> Result<()> {
        self.repaired.points += 1;
        self.lsn = self.lsn.max(frame.header.lsn);
        self.pending.lsn = frame.header.lsn;
        self.pending.frame = Position { segment, offset: frame.offset };
        for record in &frame.records {
            match self.pending.apply(record) {
                // What it speaks of is in a later snapshot, or went with damage.
                Err(Error::NotFound(_) | Error::Limit(_) | Error::Corrupt(_)) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        self.publish()
    }

    fn publish(&mut self) -> Result<()> {
        let engine = self.engine();
        let counters = self.pending.counters;
        self.pending.put(Key::counters(), &counters)?;
        let changes = self.pending.take_forming();
        engine.visible_mut().publish(&changes, self.lsn, Position::default());
        if engine.unapplied() > engine.options.unapplied_limit {
            self.follower.follow(false)?;
        }
        Ok(())
    }

    /// Takes away what is nowhere, raises the marks, counts anew, and makes the index durable.
    fn settle(&mut self, end: Position) -> Result<()> {
        let engine = self.engine();
        // Folders that some snapshot or record spoke of and that no tree has in the end.
        self.follower.follow(false)?;
        let (mut folders, mut discarded): (Vec<FolderId>, Vec<FolderId>) = (Vec::new(), Vec::new());
        each_row(&engine, Table::FolderMeta, |key, _| {
            let id = FolderId(key.leading_u64().unwrap_or_default());
            let known = engine.get(&Key::folder(id))?.is_some() && engine.get(&Key::account(id.account()))?.is_some();
            if known { &mut folders } else { &mut discarded }.push(id);
            Ok(())
        })?;
        // Numbers above all that were perhaps given.
        self.pending.lsn = Lsn(self.lsn.0 + 1);
        self.lsn = self.pending.lsn;
        self.pending.counters.content += u64::from(UIDS);
        self.pending.counters.account += 1 << 10;
        self.pending.counters.uid_validity = self.pending.counters.uid_validity.saturating_add(1 << 10);
        for folder in discarded {
            self.pending.discard_folder(folder)?;
            self.publish()?;
        }
        let mut raised = vec![Record::Counters(self.pending.counters)];
        for folder in folders {
            raised.push(self.settle_folder(folder)?);
            self.publish()?;
        }
        self.count_accounts()?;
        self.drop_unreferenced()?;
        self.count_segments()?;
        let end = self.log_marks(end, &raised)?;
        let lsn = self.lsn;
        engine.visible_mut().publish(&crate::visible::Changes::default(), lsn, end);
        self.follower.follow(false)
    }

    /// The raised marks go into the log as well: a backup of the repaired store has nothing else to know them from.
    fn log_marks(&self, end: Position, raised: &[Record]) -> Result<Position> {
        let engine = self.engine();
        let mut records = Vec::new();
        raised.iter().try_for_each(|record| encode_record(record, &mut records))?;
        let segment = engine.new_segment();
        let header = SegmentHeader { id: segment, generation: 0, epoch: engine.epoch, predecessor: Predecessor(end) };
        let payload = Payload { bodies: 0, records: records.len() as u32, checksum: crc32c::crc32c(&records) };
        let frame = FrameHeader { lsn: self.lsn, durable: self.lsn, segment, payload };
        let written = || {
            let file = engine.disk.open(&segment_file(&engine.dir, segment), Open::Create)?;
            file.write_all_at(&[&header.encode(), &frame.encode(engine.epoch), &records], 0)?;
            file.sync_data()?;
            engine.disk.sync_dir(&segments_dir(&engine.dir))
        };
        written().map_err(|error| disk_error("writing the log", &error))?;
        Ok(Position { segment, offset: SegmentHeader::LENGTH as u64 + frame.frame_length() })
    }

    /// The record of its raised marks.
    fn settle_folder(&mut self, id: FolderId) -> Result<Record> {
        let listing = self.pending.folder(id)?.listing;
        let mut lost = UidSet::new();
        for row in listing.rows() {
            let message: Option<MessageRow> = self.pending.row(&Key::message(row.message))?;
            let body = message.map(|message| self.pending.get(&Key::body(message.body))).transpose()?.flatten();
            if body.is_none() {
                lost.insert(row.uid);
                self.pending.delete(Key::reference(row.message, id, row.uid.get()));
            }
        }
        self.repaired.lost += lost.len();
        let modseq = ModSeq(listing.highest_modseq().0 + MODSEQS);
        let uid_next = Uid::new(listing.uid_next().get().saturating_add(UIDS)).unwrap_or(Uid::MAX);
        drop(listing);
        if !lost.is_empty() {
            self.pending.folder_mut(id)?.listing.remove(&lost, modseq);
        }
        let raised = Record::Raised { folder: id, uid_next, modseq };
        self.pending.apply(&raised)?;
        Ok(raised)
    }

    fn count_accounts(&mut self) -> Result<()> {
        let engine = self.engine();
        let mut accounts = Vec::new();
        each_row(&engine, Table::Account, |_, octets| {
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

    fn drop_unreferenced(&mut self) -> Result<()> {
        let engine = self.engine();
        let mut unreferenced: Vec<MessageId> = Vec::new();
        each_row(&engine, Table::Message, |key, _| {
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
        each_row(&engine, Table::Body, |key, octets| {
            let (id, body) = (key.leading_u64().unwrap_or_default(), decode::<BodyRow>(octets)?);
            let last = MessageId(id + u64::from(body.messages.max(1)) - 1);
            if engine.range(&Key::message(MessageId(id)), &Key::message(last), 1)?.is_empty() {
                bodies.push(store::BodyId(id));
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
        let mut live = std::collections::BTreeMap::<SegmentId, SegmentRow>::new();
        each_row(&engine, Table::Body, |_, octets| {
            let body: BodyRow = decode(octets)?;
            live.entry(body.segment).or_default().live += body.live() as u64;
            Ok(())
        })?;
        each_row(&engine, Table::Message, |_, octets| {
            let message: MessageRow = decode(octets)?;
            live.entry(message.segment).or_default().live += message.live() as u64;
            Ok(())
        })?;
        engine.visible_mut().segments = live;
        Ok(())
    }
}
