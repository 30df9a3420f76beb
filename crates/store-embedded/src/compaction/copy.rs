//! Writes a segment of a later generation.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use store::Result;

use crate::disk::{DiskFile, Open};
use crate::engine::Engine;
use crate::fault::{damaged, disk_error};
use crate::files::{segment_file, segments_dir};
use crate::log::{
    BodyRecord, FrameHeader, Lsn, MessageRecord, Payload, Predecessor, Record, SegmentHeader, SegmentId, Stored,
    checksums, encode_record,
};
use crate::state::Place;

/// Octets of one frame: what is held in memory, and written at once.
const FRAME: usize = 1 << 20;

pub(super) struct Copier<'a> {
    engine: &'a Engine,
    output: Option<Output>,
    generation: u32,
    /// Octets taken so far.
    taken: u64,
    bodies: Vec<u8>,
    records: Vec<u8>,
    /// What the log will say.
    moves: Vec<Record>,
    from: BTreeMap<SegmentId, u64>,
}

struct Output {
    id: SegmentId,
    file: Arc<dyn DiskFile>,
    offset: u64,
}

impl<'a> Copier<'a> {
    pub fn new(engine: &'a Engine) -> Self {
        Self {
            engine,
            output: None,
            generation: 0,
            taken: 0,
            bodies: Vec::new(),
            records: Vec::new(),
            moves: Vec::new(),
            from: BTreeMap::new(),
        }
    }

    pub fn has_room_for(&self, live: u64) -> bool {
        self.taken == 0 || self.taken + live <= self.engine.options.segment_size
    }

    /// The copy is of a later generation than all it was copied from.
    pub fn raise_generation(&mut self, source: u32) {
        if self.output.is_none() {
            self.generation = self.generation.max(source + 1);
        }
    }

    pub fn copied_from(&self, segment: SegmentId) -> u64 {
        self.from.get(&segment).copied().unwrap_or_default()
    }

    pub fn body(&mut self, file: &dyn DiskFile, body: &BodyRecord, from: (SegmentId, Place)) -> Result<()> {
        let mut copied = body.clone();
        let output = self.output()?;
        let (id, frame) = (output.id, output.offset);
        let place = match from.1 {
            Place::Segment { offset, .. } => {
                let mut octets = vec![0; body.size as usize];
                file.read_exact_at(&mut octets, offset).map_err(|_| damaged("a body ends too early"))?;
                if checksums(&octets) != body.checksums {
                    return Err(damaged("a body does not match its checksums"));
                }
                let at = self.bodies.len();
                self.bodies.extend_from_slice(&octets);
                copied.stored = Stored::Here(at as u32);
                Place::Segment { segment: id, offset: frame + (FrameHeader::LENGTH + at) as u64 }
            }
            Place::File(number) => Place::File(number),
        };
        let live = copied.row(id, place).live() as u64;
        encode_record(&Record::Body(copied), &mut self.records)?;
        self.moves.push(Record::Moved { body: body.id, from, to: (id, place) });
        self.count(from.0, live)
    }

    pub fn message(&mut self, message: &MessageRecord, from: SegmentId, live: i64) -> Result<()> {
        let to = self.output()?.id;
        encode_record(&Record::Message(message.clone()), &mut self.records)?;
        self.moves.push(Record::MessageMoved { message: message.id, from, to });
        self.count(from, live as u64)
    }

    fn count(&mut self, from: SegmentId, live: u64) -> Result<()> {
        self.taken += live;
        *self.from.entry(from).or_default() += live;
        if self.bodies.len() + self.records.len() >= FRAME { self.write() } else { Ok(()) }
    }

    /// Makes all of it durable; what the log has to say then.
    pub fn finish(mut self) -> Result<Vec<Record>> {
        self.write()?;
        let Some(output) = self.output else { return Ok(Vec::new()) };
        let dir = segments_dir(&self.engine.dir);
        let synced = output.file.sync_data().and_then(|()| self.engine.disk.sync_dir(&dir));
        synced.map_err(|error| disk_error("writing a compacted segment", &error))?;
        Ok(self.moves)
    }

    fn output(&mut self) -> Result<&mut Output> {
        let output = match self.output.take() {
            Some(output) => output,
            None => self.begin()?,
        };
        Ok(self.output.insert(output))
    }

    fn begin(&self) -> Result<Output> {
        let engine = self.engine;
        let id = engine.new_segment();
        let header = SegmentHeader {
            id,
            generation: self.generation.max(1),
            epoch: engine.epoch,
            predecessor: Predecessor(crate::log::Position::default()),
        };
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Create);
        let file = file.map_err(|error| disk_error("beginning a compacted segment", &error))?;
        let written = file.write_all_at(&[&header.encode()], 0);
        written.map_err(|error| disk_error("beginning a compacted segment", &error))?;
        Ok(Output { id, file, offset: SegmentHeader::LENGTH as u64 })
    }

    fn write(&mut self) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let (bodies, records) = (Bytes::from(std::mem::take(&mut self.bodies)), std::mem::take(&mut self.records));
        let epoch = self.engine.epoch;
        let output = self.output()?;
        let payload =
            Payload { bodies: bodies.len() as u32, records: records.len() as u32, checksum: crc32c::crc32c(&records) };
        // Copies have no place in the order of changes.
        let header = FrameHeader { lsn: Lsn(0), segment: output.id, payload };
        let written = output.file.write_all_at(&[&header.encode(epoch), &bodies, &records], output.offset);
        written.map_err(|error| disk_error("writing a compacted segment", &error))?;
        // Little by little, so that the sync at the end does not hold up the log's.
        output.file.sync_data().map_err(|error| disk_error("writing a compacted segment", &error))?;
        output.offset += header.frame_length();
        Ok(())
    }
}
