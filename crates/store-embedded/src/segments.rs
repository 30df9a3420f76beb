//! The segments of a data directory by what they are: those of the log in their order, and compaction's copies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use store::Result;

use crate::disk::{Disk, DiskFile, Open};
use crate::fault::disk_error;
use crate::files::{segment_file, segments_dir};
use crate::log::{Finding, Lsn, Position, Scan, SegmentHeader, SegmentId, parse_file_name};

#[derive(Default)]
pub(crate) struct Segments {
    headers: BTreeMap<SegmentId, SegmentHeader>,
    /// Without a whole header, and not looked into yet.
    headless: Vec<(SegmentId, Arc<dyn DiskFile>)>,
    /// Of the log, with a damaged header.
    beheaded: BTreeSet<SegmentId>,
    /// Copies with a damaged header.
    beheaded_copies: BTreeSet<SegmentId>,
    /// The greatest number given, also to what cannot be read.
    pub last: SegmentId,
}

impl Segments {
    pub fn list(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        let names = disk.list(&segments_dir(dir)).map_err(|error| disk_error("listing segments", &error))?;
        let mut segments = Self::default();
        for id in names.iter().filter_map(|name| parse_file_name(name)) {
            segments.last = segments.last.max(id);
            let file = disk.open(&segment_file(dir, id), Open::Existing);
            let file = file.map_err(|error| disk_error("opening a segment", &error))?;
            if let Some(header) = Scan::header(&*file)?.filter(|header| header.id == id) {
                segments.headers.insert(id, header);
            } else {
                segments.headless.push((id, file));
            }
        }
        Ok(segments)
    }

    /// Whether no segment ever began.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// The store's own random number, as its first segment has it.
    pub fn epoch(&self) -> u64 {
        self.headers.values().next().map(|header| header.epoch).unwrap_or_default()
    }

    /// Tells those whose header is damaged from those that never began: a header is durable before the first frame is
    /// written.
    pub fn look_into_headless(&mut self, epoch: u64) -> Result<()> {
        for (id, file) in std::mem::take(&mut self.headless) {
            match first_lsn(file, id, epoch)? {
                // Frames of copies have no place in the order of changes.
                Some(Lsn(0)) => self.beheaded_copies.insert(id),
                Some(_) => self.beheaded.insert(id),
                None => false,
            };
        }
        Ok(())
    }

    pub fn is_beheaded(&self, id: SegmentId) -> bool {
        self.beheaded.contains(&id) || self.beheaded_copies.contains(&id)
    }

    pub fn copies(&self) -> Vec<SegmentId> {
        let whole = self.headers.values().filter(|header| header.generation > 0).map(|header| header.id);
        let all: BTreeSet<SegmentId> = whole.chain(self.beheaded_copies.iter().copied()).collect();
        all.into_iter().collect()
    }

    /// Those of the log from this one to the last, each with the offset up to which it counts.
    pub fn chain(&self, from: SegmentId, epoch: u64) -> Vec<(SegmentId, Option<u64>)> {
        let proper = |header: &&SegmentHeader| header.generation == 0 && header.epoch == epoch;
        let whole = self.headers.values().filter(proper).map(|header| (header.id, Some(header.predecessor.0)));
        let log: BTreeMap<SegmentId, Option<Position>> =
            whole.chain(self.beheaded.iter().map(|id| (*id, None))).collect();
        let mut chain = Vec::new();
        let (mut at, mut end) = (log.last_key_value(), None);
        while let Some((&id, &named)) = at.filter(|(id, _)| **id >= from) {
            chain.push((id, end));
            // What was abandoned after a failed write is named by nobody and passed over. Where the chain is broken,
            // because segments went or a header is damaged, it goes on with the next older segment.
            at = log.range(..id).rev().find(|(older, _)| named.is_none_or(|named| **older <= named.segment));
            end = named.filter(|named| at.is_some_and(|(older, _)| *older == named.segment)).map(|named| named.offset);
        }
        chain.reverse();
        chain
    }
}

/// Of the first frame that can be found.
fn first_lsn(file: Arc<dyn DiskFile>, id: SegmentId, epoch: u64) -> Result<Option<Lsn>> {
    let mut scan = Scan::new(file, id, epoch, 0, None)?;
    while let Some(finding) = scan.next()? {
        if let Finding::Frame(frame) = finding {
            return Ok(Some(frame.header.lsn));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Predecessor;

    /// Segments of the log, each with the one it names as its predecessor and how far that counts.
    fn segments(named: &[(u64, u64, u64)]) -> Segments {
        let header = |&(id, segment, offset): &(u64, u64, u64)| {
            let predecessor = Predecessor(Position { segment: SegmentId(segment), offset });
            (SegmentId(id), SegmentHeader { id: SegmentId(id), generation: 0, epoch: 7, predecessor })
        };
        Segments { headers: named.iter().map(header).collect(), ..Segments::default() }
    }

    fn chain(segments: &Segments, from: u64) -> Vec<(u64, Option<u64>)> {
        segments.chain(SegmentId(from), 7).into_iter().map(|(id, end)| (id.0, end)).collect()
    }

    #[test]
    fn what_was_abandoned_is_passed_over_and_what_went_is_no_end() {
        assert_eq!(chain(&segments(&[]), 0), []);
        let all = segments(&[(1, 0, 0), (2, 1, 100), (3, 2, 200), (4, 2, 150)]);
        assert_eq!(chain(&all, 0), [(1, Some(100)), (2, Some(150)), (4, None)]);
        assert_eq!(chain(&all, 2), [(2, Some(150)), (4, None)]);
        let gap = segments(&[(1, 0, 0), (4, 2, 150)]);
        assert_eq!(chain(&gap, 0), [(1, None), (4, None)]);
        assert_eq!(gap.chain(SegmentId(0), 8), [], "another store's");
    }

    #[test]
    fn one_with_a_damaged_header_stands_where_its_number_says() {
        let mut segments = segments(&[(1, 0, 0), (4, 3, 150)]);
        segments.beheaded.insert(SegmentId(3));
        assert_eq!(chain(&segments, 0), [(1, None), (3, Some(150)), (4, None)]);
    }
}
