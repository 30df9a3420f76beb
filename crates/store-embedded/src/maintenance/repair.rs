//! The index is made anew from the segments alone.

use std::path::Path;
use std::sync::Arc;

use store::{Error, Result};

use crate::disk::{Disk, Open, RealDisk};
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{Mark, index_file, segment_file};
use crate::follow::{Follower, open_index};
use crate::log::{Finding, Lsn, Position, Scan, ScannedFrame, SegmentHeader, SegmentId};
use crate::marks::Raise;
use crate::open::open;
use crate::options::Options;
use crate::segments::Segments;
use crate::sequencer::Pending;
use crate::state::Key;

/// Messages named in a report; beyond, they are counted only.
const NAMED: usize = 1000;

/// What a repair found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Durable points read.
    pub points: u64,
    /// Parts of segments that are no records: segment, and octets.
    pub damaged: Vec<(u64, std::ops::Range<u64>)>,
    /// Messages that folders listed and that are nowhere any more.
    pub lost: u64,
    /// Messages whose octets are damaged: taken out of their folders, and kept as long as what is expunged.
    pub unreadable: u64,
    /// The first of those lost or unreadable.
    pub named: Vec<Harmed>,
    /// Messages that nothing refers to.
    pub unreferenced: u64,
}

/// A message that a repair took out of its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harmed {
    pub mailbox: String,
    pub folder: String,
    pub uid: u32,
}

impl Repaired {
    pub(super) fn harmed(&mut self, harmed: Harmed) {
        if self.named.len() < NAMED {
            self.named.push(harmed);
        }
    }
}

/// Makes the index of a store anew that no process has open. The old one is kept beside it.
pub fn repair(dir: &Path, options: Options) -> Result<Repaired> {
    repair_on(Arc::new(RealDisk), dir, options)
}

pub(crate) fn repair_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<Repaired> {
    rebuild(disk, dir, options, Raise::AFTER_DAMAGE)
}

pub(super) fn rebuild(disk: Arc<dyn Disk>, dir: &Path, options: Options, raise: Raise) -> Result<Repaired> {
    let _lock = disk.lock(&dir.join("lock")).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => Error::Busy,
        _ => disk_error("locking the data directory", &error),
    })?;
    Mark::check(&*disk, dir, true)?;
    let mark = Mark::set(&*disk, dir, Mark::REPAIR)?;
    let proven = set_aside(&*disk, dir)?;
    let mut segments = Segments::list(&*disk, dir)?;
    let epoch = segments.epoch();
    segments.look_into_headless(epoch)?;
    // The index is empty and the segments are not: the opening is told not to mind.
    let ready = open(disk.clone(), dir, options, Some(epoch))?;
    let mut rebuild = Rebuild {
        pending: Pending::new(ready.engine.clone(), ready.counters),
        follower: Follower::new(ready.engine.clone()),
        repaired: Repaired::default(),
        lsn: Lsn::default(),
        raise,
        proven,
    };
    rebuild.pending.rebuilding = true;
    for id in segments.copies() {
        rebuild.header(id, &segments);
        rebuild.segment(id, None, false)?;
    }
    let mut end = Position::default();
    for (id, until) in segments.chain(SegmentId::default(), epoch) {
        rebuild.header(id, &segments);
        end = rebuild.segment(id, until, until.is_none())?;
    }
    rebuild.settle(end)?;
    mark.clear()?;
    Ok(rebuild.repaired)
}

/// Keeps the old index beside; how far it had followed the log, if it can tell.
fn set_aside(disk: &dyn Disk, dir: &Path) -> Result<Position> {
    let index = index_file(dir);
    let names = disk.list(dir).map_err(|error| disk_error("listing the data directory", &error))?;
    if !names.iter().any(|name| index.file_name().is_some_and(|index| index == name.as_str())) {
        return Ok(Position::default());
    }
    let progress = open_index(disk, dir, CACHE).and_then(|index| index.progress());
    let followed = progress.ok().flatten().map(|progress| progress.position).unwrap_or_default();
    let kept = (1..).map(|number| format!("index.redb.before-repair-{number}")).find(|name| !names.contains(name));
    let moved = disk.rename(&index, &dir.join(kept.unwrap_or_default())).and_then(|()| disk.sync_dir(dir));
    moved.map_err(|error| disk_error("setting the old index aside", &error))?;
    Ok(followed)
}

/// Octets of an index of which one row is read.
const CACHE: usize = 1 << 20;

pub(super) struct Rebuild {
    pub pending: Pending,
    pub follower: Follower,
    pub repaired: Repaired,
    pub lsn: Lsn,
    pub raise: Raise,
    /// How far the index that was set aside had followed: nothing up to there is a write that was cut short.
    pub proven: Position,
}

impl Rebuild {
    pub fn engine(&self) -> Arc<Engine> {
        self.pending.engine.clone()
    }

    fn header(&mut self, id: SegmentId, segments: &Segments) {
        if segments.is_beheaded(id) {
            self.repaired.damaged.push((id.0, 0..SegmentHeader::LENGTH as u64));
        }
    }

    /// Applies what can be read; where it ended. Also a last frame that perhaps never became durable: what of it is
    /// not whole is found with all other bodies.
    fn segment(&mut self, id: SegmentId, until: Option<u64>, may_be_torn: bool) -> Result<Position> {
        let engine = self.engine();
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        let mut scan = Scan::new(file, id, engine.epoch, 0, until)?;
        let mut end = Position { segment: id, offset: SegmentHeader::LENGTH as u64 };
        let mut torn = None;
        while let Some(finding) = scan.next()? {
            self.repaired.damaged.extend(torn.take().map(|range| (id.0, range)));
            match finding {
                Finding::Frame(frame) => {
                    self.apply(id, &frame)?;
                    end.offset = frame.end();
                }
                Finding::Broken { from, to } => torn = Some(from..to),
            }
        }
        let is_damage = |from: u64| !may_be_torn || self.proven.segment == id && from < self.proven.offset;
        let damage = torn.filter(|range| is_damage(range.start));
        self.repaired.damaged.extend(damage.map(|range| (id.0, range)));
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

    pub fn publish(&mut self) -> Result<()> {
        let engine = self.engine();
        let counters = self.pending.counters;
        self.pending.put(Key::counters(), &counters)?;
        let changes = self.pending.take_forming();
        engine.visible_mut().publish(changes, self.lsn, Position::default());
        if engine.unapplied() > engine.options.unapplied_limit {
            self.follower.follow(false)?;
        }
        Ok(())
    }
}
