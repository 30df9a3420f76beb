//! A frame's header: what follows it, and its place in the order of changes.

use super::{Lsn, SegmentId};

const MAGIC: [u8; 4] = *b"GPfr";

/// What a frame's lengths and checksum are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    /// Octets of bodies, right after the header.
    pub bodies: u32,
    /// Octets of records, after the bodies.
    pub records: u32,
    /// Of the records; bodies have checksums of their own within them.
    pub checksum: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub lsn: Lsn,
    /// The segment it was written for, so that a stray copy is not taken for a frame.
    pub segment: SegmentId,
    pub payload: Payload,
}

impl FrameHeader {
    pub const LENGTH: usize = 40;
    pub const MAGIC: [u8; 4] = MAGIC;

    /// `epoch` is the store's own random number: who sends a mail that looks like a frame does not know it, so that
    /// a search for the next frame behind damage does not find that one.
    pub fn encode(&self, epoch: u64) -> [u8; Self::LENGTH] {
        let mut out = Vec::with_capacity(Self::LENGTH);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.lsn.0.to_le_bytes());
        out.extend_from_slice(&self.segment.0.to_le_bytes());
        out.extend_from_slice(&self.payload.bodies.to_le_bytes());
        out.extend_from_slice(&self.payload.records.to_le_bytes());
        out.extend_from_slice(&self.payload.checksum.to_le_bytes());
        out.extend_from_slice(&((epoch >> 32) as u32).to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c_append(epoch as u32, &out).to_le_bytes());
        let mut header = [0; Self::LENGTH];
        header.copy_from_slice(&out);
        header
    }

    /// `None` unless it is whole and for this segment of this store.
    pub fn decode(octets: &[u8], segment: SegmentId, epoch: u64) -> Option<Self> {
        let (fields, sum) = octets.get(..Self::LENGTH)?.split_at(Self::LENGTH - 4);
        let rest = fields.strip_prefix(&MAGIC)?;
        if crc32c::crc32c_append(epoch as u32, fields).to_le_bytes() != sum {
            return None;
        }
        let (lsn, rest) = rest.split_first_chunk()?;
        let (of, rest) = rest.split_first_chunk()?;
        let (bodies, rest) = rest.split_first_chunk()?;
        let (records, rest) = rest.split_first_chunk()?;
        let (checksum, rest) = rest.split_first_chunk()?;
        let (own, _) = rest.split_first_chunk()?;
        let header = Self {
            lsn: Lsn(u64::from_le_bytes(*lsn)),
            segment: SegmentId(u64::from_le_bytes(*of)),
            payload: Payload {
                bodies: u32::from_le_bytes(*bodies),
                records: u32::from_le_bytes(*records),
                checksum: u32::from_le_bytes(*checksum),
            },
        };
        (header.segment == segment && u32::from_le_bytes(*own) == (epoch >> 32) as u32).then_some(header)
    }

    /// Octets from the header's first to the last of the records.
    pub fn frame_length(&self) -> u64 {
        Self::LENGTH as u64 + u64::from(self.payload.bodies) + u64::from(self.payload.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: u64 = 0x0123_4567_89ab_cdef;

    fn header() -> FrameHeader {
        let payload = Payload { bodies: 70_000, records: 80, checksum: 0xdead_beef };
        FrameHeader { lsn: Lsn(9), segment: SegmentId(3), payload }
    }

    #[test]
    fn what_was_written_is_read_for_its_segment_and_store_only() {
        let octets = header().encode(EPOCH);
        assert_eq!(FrameHeader::decode(&octets, SegmentId(3), EPOCH), Some(header()));
        assert_eq!(FrameHeader::decode(&octets, SegmentId(4), EPOCH), None);
        for bit in 0..64 {
            assert_eq!(FrameHeader::decode(&octets, SegmentId(3), EPOCH ^ (1 << bit)), None, "another store's");
        }
        assert_eq!(header().frame_length(), 40 + 70_080);
    }

    #[test]
    fn any_cut_or_flipped_bit_is_noticed() {
        let octets = header().encode(EPOCH);
        for cut in 0..octets.len() {
            assert_eq!(FrameHeader::decode(&octets[..cut], SegmentId(3), EPOCH), None);
        }
        for bit in 0..octets.len() * 8 {
            let mut octets = octets;
            octets[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&octets, SegmentId(3), EPOCH), None, "bit {bit}");
        }
    }
}
