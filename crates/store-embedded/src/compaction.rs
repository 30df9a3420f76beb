//! Segments that hold little of use are copied together and removed, so that the disk holds about what is live.
//!
//! What is live in a segment is copied into one of a later generation and synced; then the log says where it lies
//! now; and only when the index has durably followed that is the old segment removed. Whatever folders and accounts
//! its records spoke of is in the log as a snapshot by then, so that the index can still be made anew from segments.

mod copy;
mod snapshot;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use store::{BodyId, Error, Result};

use self::copy::Copier;
use self::snapshot::Touched;
use crate::disk::Open;
use crate::engine::Engine;
use crate::fault::{disk_error, stopped};
use crate::files::{segment_file, segments_dir};
use crate::log::{BodyRecord, Finding, MessageRecord, Record, Scan, ScannedFrame, SegmentId, Stored, parse_file_name};
use crate::sequencer::Pending;
use crate::state::{AccountState, BodyRow, Key, MessageRow, Place, Table, decode};

/// A segment is worth copying when less than so many hundredths of it are live.
const LIVE_PERCENT: u64 = 75;
/// A round gains no more than so many segments hold, unless it must: backups wait for its end, and so does what it frees.
const ROUND: u64 = 8;
/// So many small segments are put together.
const SMALL_TOGETHER: usize = 8;
/// Records of one durable point of a switch: writers wait for no more than these.
const AT_ONCE: usize = 256;

/// The background's own state.
#[derive(Default)]
pub(crate) struct Compaction {
    /// Segments with damage: kept for repair, not touched again.
    quarantined: BTreeSet<SegmentId>,
    /// Octets of sealed segments, which do not change.
    lengths: HashMap<SegmentId, u64>,
    /// What a round should gain, as it was when that was last looked at.
    enough: u64,
    pace: Pace,
}

/// As long as there is room, most of the time is left to deliveries: every sync of a copy holds up one of theirs, and so
/// does every verb. The less the log is written to, the shorter the rests.
struct Pace {
    /// Since the last rest.
    worked: Duration,
    /// When that began, and for how long the log had been written to by then.
    rested: (Instant, Duration),
}

impl Default for Pace {
    fn default() -> Self {
        Self { worked: Duration::ZERO, rested: (Instant::now(), Duration::ZERO) }
    }
}

impl Pace {
    fn work<T>(&mut self, engine: &Engine, task: impl FnOnce() -> T) -> T {
        const TURN: Duration = Duration::from_millis(2);
        let begun = Instant::now();
        let done = task();
        self.worked += begun.elapsed();
        if self.worked >= TURN {
            let rest = self.rest(engine);
            if !engine.is_disk_full() && !engine.is_ending() {
                std::thread::sleep(rest.min(Duration::from_millis(500)));
            }
        }
        done
    }

    fn rest(&mut self, engine: &Engine) -> Duration {
        let now = (Instant::now(), Duration::from_nanos(engine.writing.load(Ordering::Relaxed)));
        let before = std::mem::replace(&mut self.rested, now);
        let (time, writing) = (now.0 - before.0, now.1.saturating_sub(before.1));
        let busy = (writing.as_secs_f64() / time.as_secs_f64().max(f64::MIN_POSITIVE)).min(1.0);
        (std::mem::take(&mut self.worked) * engine.options.compaction_rest).mul_f64(busy)
    }
}

/// A segment worth copying.
#[derive(Clone, Copy)]
struct Candidate {
    id: SegmentId,
    length: u64,
    live: u64,
}

impl Candidate {
    fn percent_live(&self) -> u64 {
        self.live.saturating_mul(100) / self.length.max(1)
    }

    fn gain(&self) -> u64 {
        self.length.saturating_sub(self.live)
    }
}

impl Compaction {
    /// One round: copies the segments with the least that is live until half of all that can be is gained, or what
    /// [`ROUND`] segments hold, writes the snapshots that stand in for their records, and removes them. Whether there was
    /// enough to gain.
    ///
    /// A segment's records may speak of every folder of the store, so that snapshots are worth writing for many
    /// segments at once only.
    pub fn round(&mut self, engine: &Engine) -> Result<bool> {
        let _held = engine.keep_segments();
        let mut candidates = VecDeque::from(self.candidates(engine)?);
        let gain: u64 = candidates.iter().map(Candidate::gain).sum();
        if candidates.is_empty() || !engine.is_disk_full() && !self.is_worth(engine, gain)? {
            return Ok(false);
        }
        let mut touched = Touched::default();
        let (mut done, mut gained) = (Vec::new(), 0);
        let enough = self.enough.max((gain / 2).min(ROUND * engine.options.segment_size));
        while (gained == 0 || gained < enough && !engine.is_disk_full()) && !candidates.is_empty() {
            gained += self.copy_together(engine, &mut candidates, &mut touched, &mut done)?;
        }
        touched.write_snapshots(engine, &mut self.pace)?;
        let switched = engine.visible().lsn;
        engine.wait_for_index();
        if engine.visible().applied.0 < switched {
            // The next round finds the same segments, then with nothing live in them.
            return Err(Error::Unavailable("the index did not follow the compaction".into()));
        }
        for id in &done {
            engine.files.remove_segment(*id).map_err(|error| disk_error("removing a segment", &error))?;
            engine.forget_segment(*id);
            self.lengths.remove(id);
        }
        engine.disk.sync_dir(&segments_dir(&engine.dir)).map_err(|error| disk_error("removing segments", &error))?;
        Ok(!done.is_empty())
    }

    /// Copies as many as fill one new segment, and has the log say where all of it lies now; the octets gained.
    fn copy_together(
        &mut self,
        engine: &Engine,
        candidates: &mut VecDeque<Candidate>,
        touched: &mut Touched,
        done: &mut Vec<SegmentId>,
    ) -> Result<u64> {
        let mut copier = Copier::new(engine);
        let mut gained = 0;
        while let Some(candidate) = candidates.pop_front_if(|next| copier.has_room_for(next.live)) {
            match self.copy_segment(engine, candidate.id, &mut copier, touched) {
                Ok(()) => {
                    done.push(candidate.id);
                    gained += candidate.gain();
                }
                Err(Error::Corrupt(what)) => {
                    tracing::error!(segment = candidate.id.0, what, "a damaged segment is kept for repair");
                    self.quarantined.insert(candidate.id);
                }
                Err(error) => return Err(error),
            }
        }
        for records in copier.finish()?.chunks(AT_ONCE) {
            let records = records.to_vec();
            self.pace.work(engine, || {
                engine.run_blocking(move |pending: &mut Pending| {
                    records.iter().try_for_each(|record| pending.apply_and_log(record))
                })
            })?;
        }
        Ok(gained)
    }

    /// Sealed segments that the index has followed to their end, the emptiest first.
    fn candidates(&mut self, engine: &Engine) -> Result<Vec<Candidate>> {
        let names = engine.disk.list(&segments_dir(&engine.dir));
        let names = names.map_err(|error| disk_error("listing segments", &error))?;
        let (applied, rows) = {
            let visible = engine.visible();
            (visible.applied.1.segment, visible.segments.clone())
        };
        let (mut found, mut small) = (Vec::new(), Vec::new());
        for id in names.iter().filter_map(|name| parse_file_name(name)) {
            if id >= applied || self.quarantined.contains(&id) {
                continue;
            }
            let live = rows.get(&id).map_or(0, |row| row.live);
            let candidate = Candidate { id, length: self.length(engine, id)?, live };
            if candidate.percent_live() < LIVE_PERCENT {
                found.push(candidate);
            } else if candidate.length < engine.options.segment_size / 8 {
                small.push(candidate);
            }
        }
        // Every start after a kill begins a segment: small ones are put together now and then.
        if small.len() >= SMALL_TOGETHER {
            found.extend(small);
        }
        found.sort_by_key(|candidate| (candidate.percent_live(), candidate.id));
        Ok(found)
    }

    fn is_worth(&mut self, engine: &Engine, gain: u64) -> Result<bool> {
        // Looking at every account is for when there is something to gain.
        if gain < self.enough / 2 {
            return Ok(false);
        }
        self.enough = engine.options.compaction_worth * snapshots_length(engine)?;
        Ok(gain >= self.enough)
    }

    fn length(&mut self, engine: &Engine, id: SegmentId) -> Result<u64> {
        if let Some(length) = self.lengths.get(&id) {
            return Ok(*length);
        }
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let length = file.and_then(|file| file.len()).map_err(|error| disk_error("opening a segment", &error))?;
        self.lengths.insert(id, length);
        Ok(length)
    }

    fn copy_segment(
        &mut self,
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
        let mut is_broken = false;
        while let Some(finding) = self.pace.work(engine, || scan.next())? {
            let frame = match finding {
                Finding::Frame(frame) => frame,
                // A torn tail holds nothing that counts; damage may, and is found by what is missing below.
                Finding::Broken { .. } => {
                    is_broken = true;
                    continue;
                }
            };
            // What was copied so far is nothing that anybody looks for.
            if engine.is_ending() {
                return Err(stopped());
            }
            engine.compacted.fetch_add(frame.header.frame_length(), Ordering::Relaxed);
            self.pace.work(engine, || {
                let mut bodies = Bodies { engine, last: None };
                frame.records.iter().try_for_each(|record| {
                    touched.note(record, frame.header.lsn);
                    match record {
                        Record::Body(body) => copy_body(bodies.row(body.id)?, &*file, &frame, id, body, copier),
                        // A message goes before its body does.
                        Record::Message(message) if bodies.row(message.body)?.is_some() => {
                            copy_message(engine, id, message, copier)
                        }
                        _ => Ok(()),
                    }
                })
            })?;
        }
        let live = engine.visible().segments.get(&id).map_or(0, |row| row.live);
        if copier.copied_from(id) < live && is_broken {
            return Err(Error::Corrupt("live bodies or messages are missing".into()));
        }
        Ok(())
    }
}

/// Octets of snapshots of every folder and account, about.
fn snapshots_length(engine: &Engine) -> Result<u64> {
    /// Of one message in a folder's snapshot, and of an account with its usual folders.
    const ROW: u64 = 32;
    const ACCOUNT: u64 = 1024;
    const AT_ONCE: usize = 1000;
    let (mut length, mut from) = (0, Key::first(Table::AccountState));
    loop {
        let rows = engine.range(&from, &Key::last(Table::AccountState), AT_ONCE)?;
        let Some((last, _)) = rows.last() else { return Ok(length) };
        from = last.successor();
        for (_, octets) in &rows {
            length += ACCOUNT + ROW * decode::<AccountState>(octets)?.messages;
        }
    }
}

/// Rows of bodies; that of the last one is kept, for a body's messages are told next to it.
struct Bodies<'a> {
    engine: &'a Engine,
    last: Option<(BodyId, Option<BodyRow>)>,
}

impl Bodies<'_> {
    fn row(&mut self, id: BodyId) -> Result<Option<&BodyRow>> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != id) {
            self.last = Some((id, self.engine.row(&Key::body(id))?));
        }
        Ok(self.last.as_ref().and_then(|(_, row)| row.as_ref()))
    }
}

fn copy_body(
    row: Option<&BodyRow>,
    file: &dyn crate::disk::DiskFile,
    frame: &ScannedFrame,
    segment: SegmentId,
    body: &BodyRecord,
    copier: &mut Copier<'_>,
) -> Result<()> {
    let Some(row) = row else { return Ok(()) };
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
