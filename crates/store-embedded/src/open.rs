//! A store is opened: the index as it was left, then what the log has beyond it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, unbounded};
use store::{AcceptedDomain, Error, FolderId, Result, SettingsMap};

use crate::blocking::Blocking;
use crate::disk::{Disk, DiskFile, Open};
use crate::engine::Engine;
use crate::fault::{damaged, disk_error};
use crate::files::{Mark, bodies_dir, index_file, parse_body_file, segment_file, segments_dir};
use crate::folder_cache::FolderCache;
use crate::follow::{Follower, open_index};
use crate::index::{Index, Snapshot};
use crate::log::{Finding, FrameHeader, Lsn, Position, Record, Scan, ScannedFrame, SegmentHeader, SegmentId};
use crate::marks::Raise;
use crate::options::Options;
use crate::segments::Segments;
use crate::sequencer::{Message, Pending};
use crate::state::{Counters, Key, Memtable, Progress, Table, decode};
use crate::visible::Visible;

/// What opening a store found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Durable points taken from the log because the index did not have them.
    pub replayed: u64,
    /// Octets of a last write that never became durable.
    pub torn: u64,
    /// Damaged parts of the log: segment, and the range of octets passed over.
    pub damaged: Vec<(u64, std::ops::Range<u64>)>,
    /// Files of large bodies that nothing named.
    pub removed_files: u64,
}

/// A store that is open, before its threads run.
pub(crate) struct Ready {
    pub engine: Arc<Engine>,
    pub counters: Counters,
    pub inbox: Receiver<Message>,
    pub opened: Opened,
    /// Where the log goes on, and the segment that is open there; without one, a new segment is begun.
    pub end: Position,
    pub file: Option<Arc<dyn DiskFile>>,
    pub last: Lsn,
}

/// `rebuild`: the epoch of a store whose index is being made anew; the log is then left to the caller.
pub(crate) fn open(disk: Arc<dyn Disk>, dir: &Path, options: Options, rebuild: Option<u64>) -> Result<Ready> {
    for dir in [segments_dir(dir), bodies_dir(dir)] {
        disk.create_dir(&dir).map_err(|error| disk_error("making a directory", &error))?;
    }
    Mark::check(&*disk, dir, rebuild.is_some())?;
    let mut segments = Segments::list(&*disk, dir)?;
    let index = open_index(&*disk, dir, options.index_cache).or_else(|error| {
        if segments.last > SegmentId::default() {
            return Err(error);
        }
        // Without a segment nothing was ever answered: the first start was cut short in making the index.
        tracing::warn!(%error, "the index was never finished and is begun anew");
        disk.remove(&index_file(dir)).map_err(|error| disk_error("removing the index", &error))?;
        open_index(&*disk, dir, options.index_cache)
    })?;
    let progress = match index.progress()? {
        Some(progress) => progress,
        None if rebuild.is_some() || segments.is_empty() => first_progress(&*disk, dir, &*index, rebuild)?,
        None => return Err(Error::Corrupt("the index is missing; `gatepost store repair` makes it anew".into())),
    };
    if progress.version > Progress::VERSION {
        return Err(Error::Invalid(format!(
            "the index has format {}: it was made by a newer program; use that one",
            progress.version
        )));
    }
    let snapshot = index.snapshot()?;
    let counters = read_row(&*snapshot, &Key::counters())?.unwrap_or_default();
    let visible = visible(snapshot, progress)?;
    let (sender, inbox) = unbounded();
    let next_file = next_file(&*disk, dir)?;
    let (blocking, _) = Blocking::start().map_err(|error| disk_error("starting a thread", &error))?;
    let engine = Arc::new(Engine::new(
        disk,
        dir.to_owned(),
        options,
        progress.epoch,
        index,
        visible,
        sender,
        SegmentId(segments.last.0 + 1),
        next_file,
        blocking,
    ));
    let mut replay = Replay {
        pending: Pending::new(engine.clone(), counters),
        follower: Follower::new(engine.clone()),
        opened: Opened::default(),
        last: progress.lsn,
    };
    let (mut end, mut file) = (progress.position, None);
    if rebuild.is_none() {
        segments.look_into_headless(progress.epoch)?;
        let unproven = replay.run(&segments, progress)?;
        (end, file) = replay.go_on(&segments, progress, unproven)?;
        if !replay.opened.damaged.is_empty() {
            (end, file) = replay.raise_marks(end)?;
        }
        // With damage, what names a file may be there and not be read: only a repair finds out.
        if !engine.visible().damaged {
            replay.opened.removed_files = remove_orphans(&engine)?;
        }
    }
    let Replay { pending, opened, last, .. } = replay;
    // A number that a removed file had is not given again: a repair reads records of both. Whatever file is used
    // comes with a later durable point.
    engine.next_file.fetch_max((engine.visible().lsn.0 + 1) << 20, Ordering::SeqCst);
    Ok(Ready { engine, counters: pending.counters, inbox, opened, end, file, last })
}

fn first_progress(disk: &dyn Disk, dir: &Path, index: &dyn Index, epoch: Option<u64>) -> Result<Progress> {
    // Keys of a fresh RandomState come from the system's random numbers.
    let epoch = epoch.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let progress = Progress { version: Progress::VERSION, epoch, closed: true, ..Default::default() };
    index.commit(&[&Memtable::default()], progress)?;
    let synced = [segments_dir(dir), bodies_dir(dir), dir.to_owned()].iter().try_for_each(|dir| disk.sync_dir(dir));
    synced.map_err(|error| disk_error("making the store's directories durable", &error))?;
    Ok(progress)
}

fn read_row<T: serde::de::DeserializeOwned>(snapshot: &dyn Snapshot, key: &Key) -> Result<Option<T>> {
    snapshot.get(key)?.map(|octets| decode(&octets)).transpose()
}

fn visible(snapshot: Arc<dyn Snapshot>, progress: Progress) -> Result<Visible> {
    let domains: Vec<AcceptedDomain> = read_row(&*snapshot, &Key::domains())?.unwrap_or_default();
    let mut settings = SettingsMap::new();
    let mut segments = BTreeMap::new();
    let mut unread = None;
    snapshot.range(&Key::first(Table::Setting), &Key::last(Table::Setting), &mut |key, octets| {
        let text = decode::<String>(octets).ok().and_then(|text| serde_json::from_str(&text).ok());
        match (std::str::from_utf8(key.octets()), text) {
            (Ok(name), Some(value)) => drop(settings.insert(name.to_owned(), value)),
            _ => unread = Some("a setting"),
        }
        true
    })?;
    snapshot.range(&Key::first(Table::Segment), &Key::last(Table::Segment), &mut |key, octets| {
        match (key.leading_u64(), decode(octets)) {
            (Some(id), Ok(row)) => drop(segments.insert(SegmentId(id), row)),
            _ => unread = Some("a segment's row"),
        }
        true
    })?;
    if let Some(what) = unread {
        return Err(damaged(what));
    }
    Ok(Visible {
        lsn: progress.lsn,
        position: progress.position,
        applied: (progress.lsn, progress.position),
        active: Memtable::default(),
        frozen: None,
        snapshot,
        folders: FolderCache::default(),
        dropped: HashSet::new(),
        trees: HashMap::new(),
        evictions: 0,
        domains: Arc::new(domains),
        settings: Arc::new(settings),
        segments,
        counted: BTreeSet::new(),
        damaged: progress.damaged,
        unneeded: Vec::new(),
        loosened: false,
    })
}

fn next_file(disk: &dyn Disk, dir: &Path) -> Result<u64> {
    let names = disk.list(&bodies_dir(dir)).map_err(|error| disk_error("listing bodies", &error))?;
    Ok(names.iter().filter_map(|name| parse_body_file(name)).max().unwrap_or_default() + 1)
}

/// Files that were written for bodies that never became part of the log, or ceased to be.
fn remove_orphans(engine: &Engine) -> Result<u64> {
    let names = engine.disk.list(&bodies_dir(&engine.dir)).map_err(|error| disk_error("listing bodies", &error))?;
    let mut removed = 0;
    for number in names.iter().filter_map(|name| parse_body_file(name)) {
        // A file whose row goes with the next commit of the index is in `unneeded` and waits for that.
        if engine.get(&Key::file(number))?.is_none() && !engine.visible().unneeded.contains(&number) {
            engine.files.remove_body(number).map_err(|error| disk_error("removing a body", &error))?;
            removed += 1;
        }
    }
    Ok(removed)
}

struct Replay {
    pending: Pending,
    follower: Follower,
    opened: Opened,
    last: Lsn,
}

/// The last frame of the log: whole, but nothing after it says that it was durable.
struct Unproven {
    frame: ScannedFrame,
    file: Arc<dyn DiskFile>,
    segment: SegmentId,
}

impl Replay {
    /// Applies what the log has beyond the index, all but the last frame when nothing proves that one.
    fn run(&mut self, segments: &Segments, progress: Progress) -> Result<Option<Unproven>> {
        let chain = segments.chain(progress.position.segment, progress.epoch);
        let Some(&(last, _)) = chain.last() else { return Ok(None) };
        for (id, end) in chain {
            if segments.is_beheaded(id) {
                self.opened.damaged.push((id.0, 0..SegmentHeader::LENGTH as u64));
            }
            let path = segment_file(&self.pending.engine.dir, id);
            let file = self.pending.engine.disk.open(&path, Open::Existing);
            let file = file.map_err(|error| disk_error("opening a segment", &error))?;
            let from = if id == progress.position.segment { progress.position.offset } else { 0 };
            let mut scan = Scan::new(file.clone(), id, progress.epoch, from, end)?;
            let mut broken = None;
            let mut held: Option<ScannedFrame> = None;
            while let Some(finding) = scan.next()? {
                let frame = match finding {
                    Finding::Broken { from, to } => {
                        broken = Some(from..to);
                        continue;
                    }
                    Finding::Frame(frame) => frame,
                };
                // A frame behind the broken part was written after that was durable: it is damage.
                self.opened.damaged.extend(broken.take().map(|range| (id.0, range)));
                if let Some(proven) = held.replace(frame) {
                    self.apply(id, &proven)?;
                }
            }
            if id != last {
                self.opened.damaged.extend(broken.take().map(|range| (id.0, range)));
                if let Some(proven) = held {
                    self.apply(id, &proven)?;
                }
                continue;
            }
            self.opened.torn = broken.map_or(0, |range| range.end - range.start);
            let Some(frame) = held else { return Ok(None) };
            if !scan.bodies_are_whole(&frame)? {
                self.opened.torn += frame.header.frame_length();
                return Ok(None);
            }
            return Ok(Some(Unproven { frame, file, segment: id }));
        }
        Ok(None)
    }

    fn apply(&mut self, segment: SegmentId, frame: &ScannedFrame) -> Result<()> {
        self.apply_at(Position { segment, offset: frame.offset }, frame)
    }

    /// Applies a frame as one that stands at `position`.
    fn apply_at(&mut self, position: Position, frame: &ScannedFrame) -> Result<()> {
        self.last = self.last.max(frame.header.lsn);
        let engine = self.pending.engine.clone();
        if frame.header.lsn <= engine.visible().lsn {
            return Ok(());
        }
        self.opened.replayed += 1;
        self.pending.lsn = frame.header.lsn;
        self.pending.frame = position;
        for record in &frame.records {
            self.apply_record(record)?;
        }
        let end = Position { offset: position.offset + frame.header.frame_length(), ..position };
        self.publish((frame.header.lsn, end))
    }

    fn publish(&mut self, (lsn, end): (Lsn, Position)) -> Result<()> {
        let engine = self.pending.engine.clone();
        let counters = self.pending.counters;
        self.pending.put(Key::counters(), &counters)?;
        let changes = self.pending.take_forming();
        engine.visible_mut().publish(changes, lsn, end);
        if engine.unapplied() > engine.options.unapplied_limit {
            self.follower.follow(false)?;
        }
        Ok(())
    }

    /// What went with damage may have been answered: nothing that it gave is given again, nor is the damage met again.
    fn raise_marks(&mut self, end: Position) -> Result<(Position, Option<Arc<dyn DiskFile>>)> {
        let engine = self.pending.engine.clone();
        let (before, position) = (self.last, engine.visible().position);
        self.pending.raise_counters(Raise::AFTER_DAMAGE);
        let mut marks = vec![Record::Counters(self.pending.counters)];
        let mut folders = Vec::new();
        engine.each_row(Table::Folder, |key, _| {
            folders.extend(key.leading_u64().map(FolderId));
            Ok(())
        })?;
        for folder in folders {
            match self.pending.raised(folder, Raise::AFTER_DAMAGE) {
                Ok(raised) => marks.push(raised),
                Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.last = Lsn(before.0 + 1);
        self.pending.lsn = self.last;
        let (end, file) = engine.log_marks(end, self.last, &marks)?;
        engine.visible_mut().damaged = true;
        for (at, mark) in marks.iter().enumerate() {
            self.pending.apply(mark)?;
            // Only with the last of them has the index got it all.
            let whole = at + 1 == marks.len();
            self.publish(if whole { (self.last, end) } else { (before, position) })?;
        }
        self.follower.follow(false)?;
        Ok((end, Some(file)))
    }

    fn apply_record(&mut self, record: &Record) -> Result<()> {
        match self.pending.apply(record) {
            // What it speaks of went with a damaged part of the log, which is reported.
            Err(Error::NotFound(_) | Error::Limit(_)) if !self.opened.damaged.is_empty() => Ok(()),
            other => other,
        }
    }

    /// Where the log goes on. After a clean close, right where it ended. Else in a new segment, which says how
    /// far the old one counts and begins with the last frame: nobody can tell any more whether that was synced.
    fn go_on(
        &mut self,
        segments: &Segments,
        progress: Progress,
        unproven: Option<Unproven>,
    ) -> Result<(Position, Option<Arc<dyn DiskFile>>)> {
        let engine = self.pending.engine.clone();
        let position = engine.visible().position;
        if let Some(Unproven { frame, file, segment }) = unproven {
            let mut octets = vec![0; frame.header.frame_length() as usize];
            file.read_exact_at(&mut octets, frame.offset).map_err(|error| disk_error("reading the log", &error))?;
            let octets = octets.get(FrameHeader::LENGTH..).unwrap_or_default();
            // It cuts off the frame in the old segment: so it gets its name when it is whole and durable.
            let before = Position { segment, offset: frame.offset };
            let FrameHeader { lsn, payload, .. } = frame.header;
            let (position, end, file) = engine.begin_with(before, lsn, payload, octets)?;
            self.apply_at(position, &frame)?;
            return Ok((end, Some(file)));
        }
        // A later segment, begun after a write that failed, has said how far this one counts.
        let is_last =
            segments.chain(position.segment, progress.epoch).last().is_some_and(|(id, _)| *id == position.segment);
        if progress.closed && self.opened.torn == 0 && is_last {
            let path = segment_file(&engine.dir, position.segment);
            let file = engine.disk.open(&path, Open::Existing);
            return Ok((position, Some(file.map_err(|error| disk_error("opening a segment", &error))?)));
        }
        Ok((position, None))
    }
}
