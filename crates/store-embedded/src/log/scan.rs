//! Reads a segment frame by frame, and tells a torn tail from damage.

use std::sync::Arc;

use store::{Error, Result};

use super::{
    BodyRecord, CHUNK, FrameHeader, Record, SegmentHeader, SegmentId, Stored, decode_records, segment::VERSION,
};
use crate::disk::DiskFile;
use crate::fault::disk_error;

/// A whole frame.
#[derive(Debug)]
pub(crate) struct ScannedFrame {
    pub header: FrameHeader,
    /// Of its header.
    pub offset: u64,
    pub records: Vec<Record>,
}

impl ScannedFrame {
    /// Where its bodies begin.
    pub fn bodies_at(&self) -> u64 {
        self.offset + FrameHeader::LENGTH as u64
    }

    pub fn end(&self) -> u64 {
        self.offset + self.header.frame_length()
    }
}

/// What stands at a place of a segment.
#[derive(Debug)]
pub(crate) enum Finding {
    Frame(ScannedFrame),
    /// Octets that are no whole frame; the scan went on behind them.
    Broken {
        from: u64,
        to: u64,
    },
}

/// A walk through one segment.
pub(crate) struct Scan {
    file: Arc<dyn DiskFile>,
    segment: SegmentId,
    /// The store's own random number, that its frames are known by.
    epoch: u64,
    at: u64,
    end: u64,
}

/// Octets looked at together when searching for the next frame.
const WINDOW: usize = 1 << 20;

impl Scan {
    /// From an offset to an end; both at frames' edges, or the end of the file.
    pub fn new(file: Arc<dyn DiskFile>, segment: SegmentId, epoch: u64, from: u64, end: Option<u64>) -> Result<Self> {
        let length = file.len().map_err(|error| disk_error("reading a segment's length", &error))?;
        let from = from.max(SegmentHeader::LENGTH as u64);
        Ok(Self { file, segment, epoch, at: from, end: end.unwrap_or(length).min(length) })
    }

    /// `None` when it is damaged or torn; `Invalid` for one that only a newer program reads.
    pub fn header(file: &dyn DiskFile) -> Result<Option<SegmentHeader>> {
        let mut octets = [0; SegmentHeader::LENGTH];
        match file.read_exact_at(&mut octets, 0) {
            Ok(()) => match SegmentHeader::version(&octets) {
                Some(version) if version > VERSION => Err(Error::Invalid(format!(
                    "a segment of the log has format {version}: it was made by a newer program; use that one"
                ))),
                _ => Ok(SegmentHeader::decode(&octets)),
            },
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(disk_error("reading a segment's header", &error)),
        }
    }

    /// The next finding, `None` at the end. Checksums of records are verified, those of bodies are not.
    pub fn next(&mut self) -> Result<Option<Finding>> {
        if self.at >= self.end {
            return Ok(None);
        }
        if let Some(frame) = self.frame_at(self.at)? {
            self.at = frame.end();
            return Ok(Some(Finding::Frame(frame)));
        }
        let from = self.at;
        self.at = self.resync(from + 1)?;
        Ok(Some(Finding::Broken { from, to: self.at }))
    }

    /// Whether every body that came with the frame is whole.
    pub fn bodies_are_whole(&self, frame: &ScannedFrame) -> Result<bool> {
        for record in &frame.records {
            if let Record::Body(BodyRecord { stored: Stored::Here(at), size, checksums, .. }) = record
                && !body_is_whole(&*self.file, frame.bodies_at() + u64::from(*at), *size, checksums)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn frame_at(&self, offset: u64) -> Result<Option<ScannedFrame>> {
        let mut octets = [0; FrameHeader::LENGTH];
        if !self.fill(&mut octets, offset)? {
            return Ok(None);
        }
        let Some(header) = FrameHeader::decode(&octets, self.segment, self.epoch) else { return Ok(None) };
        if offset + header.frame_length() > self.end {
            return Ok(None);
        }
        let mut octets = vec![0; header.payload.records as usize];
        if !self.fill(&mut octets, offset + FrameHeader::LENGTH as u64 + u64::from(header.payload.bodies))? {
            return Ok(None);
        }
        if crc32c::crc32c(&octets) != header.payload.checksum {
            return Ok(None);
        }
        let Some(records) = decode_records(&octets) else { return Ok(None) };
        Ok(Some(ScannedFrame { header, offset, records }))
    }

    /// The offset of the next whole frame from here on, or the end.
    fn resync(&self, from: u64) -> Result<u64> {
        let mut at = from;
        let mut window = vec![0; WINDOW];
        while at < self.end {
            let wanted = (self.end - at).min(WINDOW as u64) as usize;
            let Some(part) = window.get_mut(..wanted) else { break };
            if !self.fill(part, at)? {
                break;
            }
            let candidates = part.windows(4).enumerate().filter(|(_, four)| **four == FrameHeader::MAGIC);
            for (found, _) in candidates {
                if self.frame_at(at + found as u64)?.is_some() {
                    return Ok(at + found as u64);
                }
            }
            // The magic may lie across two windows.
            at += (wanted as u64).saturating_sub(3).max(1);
        }
        Ok(self.end)
    }

    fn fill(&self, buffer: &mut [u8], at: u64) -> Result<bool> {
        if at + buffer.len() as u64 > self.end {
            return Ok(false);
        }
        match self.file.read_exact_at(buffer, at) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(disk_error("reading a segment", &error)),
        }
    }
}

/// Reads a body chunk by chunk and holds it against its checksums.
pub(crate) fn body_is_whole(file: &dyn DiskFile, at: u64, size: u64, checksums: &[u32]) -> Result<bool> {
    if checksums.len() as u64 != size.div_ceil(CHUNK as u64) {
        return Ok(false);
    }
    let mut chunk = vec![0; CHUNK.min(size as usize)];
    for (number, sum) in checksums.iter().enumerate() {
        let start = number as u64 * CHUNK as u64;
        let Some(part) = chunk.get_mut(..(size - start).min(CHUNK as u64) as usize) else { return Ok(false) };
        match file.read_exact_at(part, at + start) {
            Ok(()) if crc32c::crc32c(part) == *sum => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(Error::Unavailable(format!("reading a body: {error}"))),
        }
    }
    Ok(true)
}
