//! A segment's header and its file's name.

use super::{Position, SegmentId};

const MAGIC: [u8; 8] = *b"GATEPLOG";
/// Raised when frames or records change in a way that an older reader would misread.
pub(crate) const VERSION: u32 = 1;

/// Where the log stood when the segment was begun: nothing of the predecessor beyond this counts, whatever a
/// failed write may have left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predecessor(pub Position);

/// The first octets of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub id: SegmentId,
    /// 0 for the log proper; above it for copies that compaction made, which hold no order of changes.
    pub generation: u32,
    /// The store's own random number: a segment of another store is not read.
    pub epoch: u64,
    /// Segment 0 for none.
    pub predecessor: Predecessor,
}

impl SegmentHeader {
    pub const LENGTH: usize = 64;

    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut out = Vec::with_capacity(Self::LENGTH);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&self.id.0.to_le_bytes());
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&self.predecessor.0.segment.0.to_le_bytes());
        out.extend_from_slice(&self.predecessor.0.offset.to_le_bytes());
        out.resize(Self::LENGTH - 4, 0);
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        let mut header = [0; Self::LENGTH];
        header.copy_from_slice(&out);
        header
    }

    /// Of a whole header, whatever else the format of that version has in it.
    pub fn version(octets: &[u8]) -> Option<u32> {
        let (fields, sum) = octets.get(..Self::LENGTH)?.split_at(Self::LENGTH - 4);
        let version = fields.strip_prefix(&MAGIC)?.first_chunk()?;
        (crc32c::crc32c(fields).to_le_bytes() == sum).then_some(u32::from_le_bytes(*version))
    }

    /// `None` when it is damaged, torn or of another format.
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let (fields, sum) = octets.get(..Self::LENGTH)?.split_at(Self::LENGTH - 4);
        if crc32c::crc32c(fields).to_le_bytes() != sum {
            return None;
        }
        let rest = fields.strip_prefix(&MAGIC)?;
        let (version, rest) = rest.split_first_chunk()?;
        if u32::from_le_bytes(*version) != VERSION {
            return None;
        }
        let (generation, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (segment, rest) = rest.split_first_chunk()?;
        let (offset, _) = rest.split_first_chunk()?;
        let segment = SegmentId(u64::from_le_bytes(*segment));
        let offset = u64::from_le_bytes(*offset);
        Some(Self {
            id: SegmentId(u64::from_le_bytes(*id)),
            generation: u32::from_le_bytes(*generation),
            epoch: u64::from_le_bytes(*epoch),
            predecessor: Predecessor(Position { segment, offset }),
        })
    }
}

pub(crate) fn file_name(id: SegmentId) -> String {
    format!("{:016x}.log", id.0)
}

pub(crate) fn parse_file_name(name: &str) -> Option<SegmentId> {
    let digits = name.strip_suffix(".log").filter(|digits| digits.len() == 16)?;
    Some(SegmentId(u64::from_str_radix(digits, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        let predecessor = Predecessor(Position { segment: SegmentId(6), offset: 4711 });
        SegmentHeader { id: SegmentId(7), generation: 1, epoch: 42, predecessor }
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(SegmentHeader::decode(&header().encode()), Some(header()));
        assert_eq!(parse_file_name(&file_name(SegmentId(0xabc))), Some(SegmentId(0xabc)));
    }

    #[test]
    fn a_header_of_a_later_version_is_told_from_damage() {
        let mut octets = header().encode();
        octets[8..12].copy_from_slice(&(VERSION + 1).to_le_bytes());
        assert_eq!(SegmentHeader::version(&octets), None, "damage");
        let sum = crc32c::crc32c(&octets[..60]);
        octets[60..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(SegmentHeader::version(&octets), Some(VERSION + 1));
        assert_eq!(SegmentHeader::decode(&octets), None);
    }

    #[test]
    fn any_cut_or_flipped_bit_is_noticed() {
        let octets = header().encode();
        for cut in 0..octets.len() {
            assert_eq!(SegmentHeader::decode(&octets[..cut]), None);
        }
        for bit in 0..octets.len() * 8 {
            let mut octets = octets;
            octets[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&octets), None, "bit {bit}");
        }
    }

    #[test]
    fn the_first_format_can_still_be_read() {
        let mut fixture = Vec::from(*b"GATEPLOG");
        fixture.extend([1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0]);
        fixture.extend([6, 0, 0, 0, 0, 0, 0, 0, 0x67, 0x12, 0, 0, 0, 0, 0, 0]);
        fixture.resize(60, 0);
        let sum = crc32c::crc32c(&fixture);
        fixture.extend(sum.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&fixture), Some(header()));
    }
}
