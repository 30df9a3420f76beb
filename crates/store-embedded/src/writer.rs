//! One write and one sync for each batch.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender};
use store::{Error, Result};

use crate::disk::{DiskFile, Open};
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{segment_file, segments_dir};
use crate::log::{FrameHeader, Payload, Position, Predecessor, SegmentHeader};
use crate::sequencer::{Batch, Held, Written};

pub(crate) struct Writer {
    engine: Arc<Engine>,
    /// The segment that is written on.
    file: Option<Arc<dyn DiskFile>>,
}

/// Why a batch was not written.
struct Lost {
    error: Error,
    resume: Option<(Position, Arc<dyn DiskFile>)>,
}

impl Writer {
    pub fn new(engine: Arc<Engine>, file: Option<Arc<dyn DiskFile>>) -> Self {
        Self { engine, file }
    }

    /// The writer's thread.
    pub fn run(batches: &Receiver<(Self, Batch)>, sequencer: &Sender<(Self, Written)>) {
        while let Ok((mut writer, batch)) = batches.recv() {
            let written = writer.make_durable(batch);
            let _ = sequencer.send((writer, written));
        }
    }

    pub fn make_durable(&mut self, mut batch: Batch) -> Written {
        let held = std::mem::take(&mut batch.held);
        let begun = Instant::now();
        let written = self.write(&batch);
        let time = begun.elapsed();
        self.engine.writing.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
        match written {
            Ok(()) => {
                held.into_iter().for_each(Held::used);
                Written::Durable(time)
            }
            Err(Lost { error, resume }) => {
                match error {
                    Error::Unknown(_) => held.into_iter().for_each(Held::used),
                    _ => drop(held),
                }
                let resume = resume.map(|(position, file)| {
                    self.file = Some(file);
                    position
                });
                Written::Lost { error, resume }
            }
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Lost> {
        if batch.records.is_empty() {
            return Ok(());
        }
        if let Some(header) = batch.begins {
            self.file = None;
            match self.begin(&header) {
                Ok(file) => self.file = Some(file),
                // The next batch tries anew: that is the probe that brings the service back.
                Err(error) => return Err(Lost { error, resume: None }),
            }
        }
        let Some(file) = self.file.clone() else {
            return Err(Lost { error: Error::Unavailable("no segment to write to".into()), resume: None });
        };
        let header = FrameHeader {
            lsn: batch.lsn,
            segment: batch.frame.segment,
            payload: Payload {
                bodies: batch.bodies.iter().map(Bytes::len).sum::<usize>() as u32,
                records: batch.records.len() as u32,
                checksum: crc32c::crc32c(&batch.records),
            },
        };
        let header = header.encode(self.engine.epoch);
        let mut parts: Vec<&[u8]> = Vec::with_capacity(batch.bodies.len() + 2);
        parts.push(&header);
        parts.extend(batch.bodies.iter().map(|body| &**body));
        parts.push(&batch.records);
        let written = file.write_all_at(&parts, batch.frame.offset).and_then(|()| file.sync_data());
        written.map_err(|error| self.give_up(batch, &disk_error("writing the log", &error)))
    }

    /// After a failure the file is not trusted again: a new segment says how far it counts. Until that is durable
    /// nobody can know whether the lost frame would be found after a crash.
    fn give_up(&mut self, batch: &Batch, error: &Error) -> Lost {
        tracing::error!(%error, "the log could not be written; a new segment is begun");
        self.file = None;
        let engine = &self.engine;
        let predecessor = batch.begins.map_or(Predecessor(batch.frame), |begun| begun.predecessor);
        let header = SegmentHeader { id: engine.new_segment(), generation: 0, epoch: engine.epoch, predecessor };
        match self.begin(&header) {
            Ok(file) => {
                let position = Position { segment: header.id, offset: SegmentHeader::LENGTH as u64 };
                Lost { error: error.clone(), resume: Some((position, file)) }
            }
            Err(_) => Lost { error: Error::Unknown(error.to_string()), resume: None },
        }
    }

    /// A segment whose header and name are durable.
    fn begin(&self, header: &SegmentHeader) -> Result<Arc<dyn DiskFile>> {
        let engine = &self.engine;
        let path = segment_file(&engine.dir, header.id);
        let begun = || {
            let file = engine.disk.open(&path, Open::Either)?;
            file.write_all_at(&[&header.encode()], 0)?;
            file.sync_data()?;
            engine.disk.sync_dir(&segments_dir(&engine.dir))?;
            Ok(file)
        };
        begun().map_err(|error| disk_error("beginning a segment", &error))
    }
}
