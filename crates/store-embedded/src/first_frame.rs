//! A segment that gets its name together with its first frame: whole and durable, or not at all.

use std::sync::Arc;

use store::Result;

use crate::disk::{DiskFile, Open};
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{segment_file, segments_dir};
use crate::log::{FrameHeader, Lsn, Payload, Position, Predecessor, SegmentHeader};

impl Engine {
    /// Nothing of the predecessor beyond that position counts from then on. `octets`: what the payload is of.
    /// The place of the frame, the position behind it, and the open segment.
    pub fn begin_with(
        &self,
        predecessor: Position,
        lsn: Lsn,
        payload: Payload,
        octets: &[u8],
    ) -> Result<(Position, Position, Arc<dyn DiskFile>)> {
        let id = self.new_segment();
        let header = SegmentHeader { id, generation: 0, epoch: self.epoch, predecessor: Predecessor(predecessor) };
        let frame = FrameHeader { lsn, segment: id, payload };
        let path = segment_file(&self.dir, id);
        let unnamed = path.with_extension("new");
        let written = || {
            match self.disk.remove(&unnamed) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = self.disk.open(&unnamed, Open::Create)?;
            file.write_all_at(&[&header.encode(), &frame.encode(self.epoch), octets], 0)?;
            file.sync_data()?;
            self.disk.rename(&unnamed, &path)?;
            self.disk.sync_dir(&segments_dir(&self.dir))?;
            Ok(file)
        };
        let file = written().map_err(|error| disk_error("writing the log", &error))?;
        let place = Position { segment: id, offset: SegmentHeader::LENGTH as u64 };
        let end = Position { offset: place.offset + frame.frame_length(), ..place };
        Ok((place, end, file))
    }
}
