//! Numbers that were perhaps given and that nobody knows of any more are not given again: the marks are raised
//! above them.

use std::sync::Arc;

use store::{FolderId, ModSeq, Result, Timestamp, Uid};

use crate::disk::DiskFile;
use crate::engine::Engine;
use crate::log::{Lsn, Payload, Position, Record, encode_record};
use crate::sequencer::Pending;

/// How far the marks are raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raise {
    /// UIDs of each folder, UIDVALIDITYs, and numbers of accounts.
    numbers: u32,
    /// Of each account.
    modseqs: u64,
}

impl Raise {
    /// Above what went with damage.
    pub const AFTER_DAMAGE: Self = Self { numbers: 1 << 20, modseqs: 1 << 32 };

    /// Above what was given since a backup of this age, and above what was given since an earlier restore of the
    /// same backup: with its age, each restore goes higher than the one before.
    pub fn since(age: Timestamp) -> Self {
        let Self { numbers, modseqs } = Self::AFTER_DAMAGE;
        let age = u32::try_from(age.max(0)).unwrap_or(u32::MAX);
        let (young, old) = (age.min(HALF_A_YEAR), age.saturating_sub(HALF_A_YEAR));
        let more = (young * UIDS_A_SECOND).saturating_add(old);
        Self { numbers: numbers.saturating_add(more), modseqs: modseqs + u64::from(more) }
    }
}

/// What a folder takes at most, day and night; from half a year on, what one takes rather: a folder has 2^32 UIDs,
/// and a backup of ten years may come back more than once.
const UIDS_A_SECOND: u32 = 16;
const HALF_A_YEAR: u32 = 182 * 24 * 60 * 60;

impl Pending {
    pub fn raise_counters(&mut self, raise: Raise) {
        let counters = &mut self.counters;
        counters.content += u64::from(raise.numbers);
        counters.account = counters.account.saturating_add(raise.numbers);
        counters.uid_validity = counters.uid_validity.saturating_add(raise.numbers);
    }

    /// The record of a folder's raised marks.
    pub fn raised(&self, folder: FolderId, raise: Raise) -> Result<Record> {
        let listing = self.folder(folder)?.listing;
        let uid_next = listing.uid_next().get().saturating_add(raise.numbers);
        let uid_next = Uid::new(uid_next).unwrap_or(Uid::MAX);
        let modseq = ModSeq(listing.highest_modseq().0 + raise.modseqs);
        Ok(Record::Raised { folder, uid_next, modseq })
    }
}

impl Engine {
    /// Records that are the first of a new segment, durable; the position behind them.
    pub fn log_marks(&self, end: Position, lsn: Lsn, marks: &[Record]) -> Result<(Position, Arc<dyn DiskFile>)> {
        let mut records = Vec::new();
        marks.iter().try_for_each(|record| encode_record(record, &mut records))?;
        let payload = Payload { bodies: 0, records: records.len() as u32, checksum: crc32c::crc32c(&records) };
        let (_, end, file) = self.begin_with(end, lsn, payload, &records)?;
        Ok((end, file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_restores_goes_higher_and_a_backup_of_ten_years_leaves_room() {
        assert_eq!(Raise::since(-5), Raise::AFTER_DAMAGE);
        let numbers = |age| Raise::since(age).numbers;
        assert_eq!(numbers(61) - numbers(60), UIDS_A_SECOND);
        let half = Timestamp::from(HALF_A_YEAR);
        assert!(numbers(half) < numbers(half + 1) && numbers(half + 1) < numbers(20 * half));
        assert!(numbers(20 * half) < u32::MAX / 6);
        assert_eq!(numbers(Timestamp::MAX), u32::MAX);
    }
}
