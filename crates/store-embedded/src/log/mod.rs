//! The append-only log: at once the write-ahead log and the place where bodies lie.
//!
//! A segment is a header and frames one after the other. A frame is one durable point: the bodies that came with
//! it, each covered by a checksum per 64 KiB, then the records that say what changed, covered by one checksum.

mod frame;
mod record;
mod scan;
mod segment;

pub(crate) use frame::{FrameHeader, Payload};
pub use record::verify_records;
pub(crate) use record::{
    AccountSnapshot, BodyRecord, FolderSnapshot, MessageRecord, PlaceRecord, Ranges, Record, Stored, decode_records,
    encode_record, encoded_length,
};
pub(crate) use scan::{Finding, Scan, ScannedFrame, body_is_whole};
pub(crate) use segment::{Predecessor, SegmentHeader, file_name, parse_file_name};

/// A segment by its number: never used again within a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct SegmentId(pub u64);

/// A durable point's place in the one order of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct Lsn(pub u64);

/// An octet of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Position {
    pub segment: SegmentId,
    pub offset: u64,
}

/// One checksum for every so many octets of a body.
pub(crate) const CHUNK: usize = store::Unit::CHUNK as usize;

/// The checksums of a body's chunks.
pub(crate) fn checksums(body: &[u8]) -> Vec<u32> {
    body.chunks(CHUNK).map(crc32c::crc32c).collect()
}
