//! Segments that hold little of use are copied together and removed, so that the disk holds about what is live.
//!
//! What is live in a segment is copied into one of a later generation and synced; then the log says where it lies
//! now; and only when the index has durably followed that is the old segment removed. Whatever folders and accounts
//! its records spoke of is in the log as a snapshot by then, so that the index can still be made anew from segments.

mod copy;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use store::{Error, Result};

use self::copy::Copier;
use self::snapshot::Touched;
use crate::disk::Open;
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{segment_file, segments_dir};
use crate::log::{BodyRecord, Finding, MessageRecord, Record, Scan, ScannedFrame, SegmentId, Stored, parse_file_name};
use crate::sequencer::Pending;
use crate::state::{BodyRow, Key, MessageRow, Place};

/// A segment is worth copying when less than so many hundredths of it are live.
const LIVE_PERCENT: u64 = 75;
/// So many small segments are put together.
const SMALL_TOGETHER: usize = 8;
/// Records of one durable point of a switch: writers wait for no more than these.
const AT_ONCE: usize = 256;

/// The background's own state.
#[derive(Default)]
pub(crate) struct Compaction {
    /// Segments with damage: kept for repair, not touched again.
    quarantined: BTreeSet<SegmentId>,
}

impl Compaction {
    /// Compacts the segments with the least that is live, as many as fill one new segment; whether there were any.
    pub fn step(&mut self, engine: &Engine) -> Result<bool> {
        let _held = engine.keep_segments();
        let candidates = self.candidates(engine)?;
        if candidates.is_empty() {
            return Ok(false);
        }
        let mut copier = Copier::new(engine);
        let mut touched = Touched::default();
        let mut done = Vec::new();
        for (id, live) in candidates {
            if !copier.has_room_for(live) {
                break;
            }
            match self.copy_segment(engine, id, &mut copier, &mut touched) {
                Ok(()) => done.push(id),
                Err(Error::Corrupt(what)) => {
                    tracing::error!(segment = id.0, what, "a damaged segment is kept for repair");
                    self.quarantined.insert(id);
                }
                Err(error) => return Err(error),
            }
        }
        for records in copier.finish()?.chunks(AT_ONCE) {
            let records = records.to_vec();
            engine.run_blocking(move |pending: &mut Pending| {
                records.iter().try_for_each(|record| pending.apply_and_log(record))
            })?;
        }
        touched.write_snapshots(engine)?;
        let switched = engine.visible().lsn;
        engine.wait_for_index();
        if engine.visible().applied.0 < switched {
            // The next round finds the same segments, then with nothing live in them.
            return Err(Error::Unavailable("the index did not follow the compaction".into()));
        }
        for id in &done {
            engine.files.remove_segment(*id).map_err(|error| disk_error("removing a segment", &error))?;
            engine.forget_segment(*id);
        }
        engine.disk.sync_dir(&segments_dir(&engine.dir)).map_err(|error| disk_error("removing segments", &error))?;
        Ok(!done.is_empty())
    }

    /// Sealed segments that the index has followed to their end, the emptiest first.
    fn candidates(&self, engine: &Engine) -> Result<Vec<(SegmentId, u64)>> {
        let names = engine.disk.list(&segments_dir(&engine.dir));
        let names = names.map_err(|error| disk_error("listing segments", &error))?;
        let (applied, rows) = {
            let visible = engine.visible();
            (visible.applied.1.segment, visible.segments.clone())
        };
        let mut found: BTreeMap<(u64, SegmentId), u64> = BTreeMap::new();
        let mut small = Vec::new();
        for id in names.iter().filter_map(|name| parse_file_name(name)) {
            if id >= applied || self.quarantined.contains(&id) {
                continue;
            }
            let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
            let length = file.and_then(|file| file.len()).map_err(|error| disk_error("opening a segment", &error))?;
            let live = rows.get(&id).map_or(0, |row| row.live);
            let percent = live.saturating_mul(100) / length.max(1);
            if percent < LIVE_PERCENT {
                found.insert((percent, id), live);
            } else if length < engine.options.segment_size / 8 {
                small.push(((percent, id), live));
            }
        }
        // Every start after a kill begins a segment: small ones are put together now and then.
        if small.len() >= SMALL_TOGETHER {
            found.extend(small);
        }
        Ok(found.into_iter().map(|((_, id), live)| (id, live)).collect())
    }

    fn copy_segment(
        &self,
        engine: &Engine,
        id: SegmentId,
        copier: &mut Copier<'_>,
        touched: &mut Touched,
    ) -> Result<()> {
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        let Some(header) = Scan::header(&*file)? else {
            // One whose beginning never became durable holds nothing.
            let live = engine.visible().segments.get(&id).map_or(0, |row| row.live);
            return if live == 0 { Ok(()) } else { Err(Error::Corrupt("its header is damaged".into())) };
        };
        copier.raise_generation(header.generation);
        let mut scan = Scan::new(file.clone(), id, engine.epoch, 0, None)?;
        while let Some(finding) = scan.next()? {
            let frame = match finding {
                Finding::Frame(frame) => frame,
                // A torn tail holds nothing that counts; damage may, and is found by what is missing below.
                Finding::Broken { .. } => continue,
            };
            let begun = Instant::now();
            for record in &frame.records {
                touched.note(record, frame.header.lsn);
                match record {
                    Record::Body(body) => copy_body(engine, &*file, &frame, id, body, copier)?,
                    Record::Message(message) => copy_message(engine, id, message, copier)?,
                    _ => {}
                }
            }
            pause(engine, begun.elapsed());
        }
        let live = engine.visible().segments.get(&id).map_or(0, |row| row.live);
        if copier.copied_from(id) < live && self.is_damaged(engine, id)? {
            return Err(Error::Corrupt("live bodies or messages are missing".into()));
        }
        Ok(())
    }

    fn is_damaged(&self, engine: &Engine, id: SegmentId) -> Result<bool> {
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        let mut scan = Scan::new(file, id, engine.epoch, 0, None)?;
        while let Some(finding) = scan.next()? {
            if matches!(finding, Finding::Broken { .. }) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn copy_body(
    engine: &Engine,
    file: &dyn crate::disk::DiskFile,
    frame: &ScannedFrame,
    segment: SegmentId,
    body: &BodyRecord,
    copier: &mut Copier<'_>,
) -> Result<()> {
    let Some(row) = engine.row::<BodyRow>(&Key::body(body.id))? else { return Ok(()) };
    let here = match body.stored {
        Stored::Here(at) => Place::Segment { segment, offset: frame.bodies_at() + u64::from(at) },
        Stored::File(number) => Place::File(number),
    };
    if (row.segment, row.place) != (segment, here) {
        return Ok(());
    }
    copier.body(file, body, (segment, here))
}

fn copy_message(engine: &Engine, segment: SegmentId, message: &MessageRecord, copier: &mut Copier<'_>) -> Result<()> {
    match engine.row::<MessageRow>(&Key::message(message.id))? {
        Some(row) if row.segment == segment => copier.message(message, segment, row.live()),
        _ => Ok(()),
    }
}

/// As long as there is room, two thirds of the time are left to deliveries: every sync of a copy holds up one of theirs.
fn pause(engine: &Engine, worked: Duration) {
    if worked > Duration::from_millis(2) && !engine.is_disk_full() {
        std::thread::sleep((worked * 2).min(Duration::from_millis(500)));
    }
}
