//! The records of a frame: each says what one verb decided, so that applying it again gives the same state.

use serde::{Deserialize, Serialize};
use store::{
    AcceptedDomain, Account, AccountId, BodyId, DeliveryId, FlagChange, Flags, Folder, FolderId, FolderName, Keyword,
    MessageId, MessageSize, ModSeq, Timestamp, Uid, UidSet, UidValidity,
};

use crate::state::{AccountState, BodyRow, DeliveryRow, Place, StoredRow};

/// UIDs as stored: ascending ranges, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ranges(pub Vec<(u32, u32)>);

impl From<&UidSet> for Ranges {
    fn from(set: &UidSet) -> Self {
        Self(set.ranges().map(|range| (range.start().get(), range.end().get())).collect())
    }
}

impl Ranges {
    pub fn to_set(&self) -> UidSet {
        let mut set = UidSet::new();
        for &(low, high) in &self.0 {
            if let (Some(low), Some(high)) = (Uid::new(low), Uid::new(high)) {
                set.insert_range(low..=high);
            }
        }
        set
    }
}

/// Where a body of this frame lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stored {
    /// In this frame, from this octet of its bodies on.
    Here(u32),
    /// In a file of its own.
    File(u64),
}

/// The bytes that several messages may share, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BodyRecord {
    pub id: BodyId,
    pub size: u64,
    pub stored: Stored,
    /// One for each 64 KiB.
    pub checksums: Vec<u32>,
    /// `mime::Outline`, encoded.
    pub outline: Vec<u8>,
    /// Messages that may use it have the numbers from the body's own on, this many.
    pub messages: u32,
}

impl BodyRecord {
    /// The row of a body whose record lies in this segment.
    pub fn row(&self, segment: super::SegmentId, place: Place) -> BodyRow {
        let record = self.outline.len() + 4 * self.checksums.len() + 24;
        let (size, checksums) = (self.size, self.checksums.clone());
        BodyRow { place, segment, record: record as u32, size, checksums, messages: self.messages }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRecord {
    pub id: MessageId,
    pub body: BodyId,
    pub prefix: Vec<u8>,
}

/// A message in a folder, under the folder's next UID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlaceRecord {
    pub folder: FolderId,
    pub uid_validity: UidValidity,
    pub uid: Uid,
    pub modseq: ModSeq,
    pub message: MessageId,
    pub size: MessageSize,
    pub internal_date: Timestamp,
    pub flags: Flags,
    pub keywords: Vec<Keyword>,
    pub delivery: Option<DeliveryId>,
}

/// All that is known of a folder, so that older records of it are not needed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FolderSnapshot {
    pub folder: FolderId,
    pub uid_validity: UidValidity,
    pub uid_next: Uid,
    pub highest_modseq: ModSeq,
    pub recent: Uid,
    pub keywords: Vec<Keyword>,
    pub keyword_sets: Vec<Vec<u16>>,
    pub rows: Vec<StoredRow>,
}

/// All that is known of an account but its folders' contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountSnapshot {
    pub account: Account,
    pub state: AccountState,
    pub folders: Vec<Folder>,
    pub subscribed_names: Vec<FolderName>,
}

/// One change. The order of the variants is the format: new ones go last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Record {
    Body(BodyRecord),
    Message(MessageRecord),
    Place(PlaceRecord),
    Flags {
        folder: FolderId,
        uids: Ranges,
        how: FlagChangeCode,
        flags: Flags,
        keywords: Vec<Keyword>,
        modseq: ModSeq,
    },
    Expunge {
        folder: FolderId,
        uids: Ranges,
        modseq: ModSeq,
        at: Timestamp,
    },
    /// Copies (or moves), in ascending order: each has the UID as far above `first` as its place in `uids`, whatever
    /// became of the others.
    Copy {
        from: FolderId,
        to: FolderId,
        uids: Ranges,
        first: Uid,
        modseq: ModSeq,
        moves: bool,
    },
    /// Folders put or taken away, and the names subscribed to without a folder.
    Folders {
        account: AccountId,
        put: Vec<Folder>,
        removed: Vec<FolderId>,
        subscribed_names: Vec<FolderName>,
        at: Timestamp,
    },
    Account(Account),
    AccountRemoved {
        account: AccountId,
        at: Timestamp,
    },
    Domains(Vec<AcceptedDomain>),
    /// Values as JSON; `None` takes the setting away.
    Settings(Vec<(String, Option<String>)>),
    Recent {
        folder: FolderId,
        from: Uid,
    },
    /// The end of the retention of expunged messages.
    Purge {
        folder: FolderId,
        expunged_at: Timestamp,
        first: Uid,
    },
    /// Compaction put a body and its record elsewhere; void unless they still lie at the old place.
    Moved {
        body: BodyId,
        from: (super::SegmentId, Place),
        to: (super::SegmentId, Place),
    },
    FolderSnapshot(FolderSnapshot),
    AccountSnapshot(AccountSnapshot),
    /// Delivery ids of this generation and older are forgotten.
    ForgetDeliveries {
        generation: u32,
    },
    /// The numbers given last, beside a snapshot.
    Counters(crate::state::Counters),
    /// Compaction put a message's record elsewhere.
    MessageMoved {
        message: MessageId,
        from: super::SegmentId,
        to: super::SegmentId,
    },
    /// Messages put back from a backup under the UIDs they had.
    Restored {
        folder: FolderId,
        places: Vec<PlaceRecord>,
    },
    /// UIDs and modseqs up to these were perhaps given before a restore or a repair.
    Raised {
        folder: FolderId,
        uid_next: Uid,
        modseq: ModSeq,
    },
    /// Delivery ids still remembered, so that their records can go.
    Deliveries(Vec<(AccountId, DeliveryId, DeliveryRow)>),
    /// Accounts that are gone, as ascending ranges: the records of their removal can go, those of their making may
    /// be there still.
    AccountsGone(Vec<(AccountId, AccountId)>),
    /// All settings, as JSON: any other is gone.
    SettingsSnapshot(Vec<(String, String)>),
}

/// [`FlagChange`] as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FlagChangeCode {
    Add,
    Remove,
    Replace,
}

impl From<FlagChange> for FlagChangeCode {
    fn from(how: FlagChange) -> Self {
        match how {
            FlagChange::Add => Self::Add,
            FlagChange::Remove => Self::Remove,
            FlagChange::Replace => Self::Replace,
        }
    }
}

impl From<FlagChangeCode> for FlagChange {
    fn from(how: FlagChangeCode) -> Self {
        match how {
            FlagChangeCode::Add => Self::Add,
            FlagChangeCode::Remove => Self::Remove,
            FlagChangeCode::Replace => Self::Replace,
        }
    }
}

/// Appends a record: its length, then its octets.
pub(crate) fn encode_record(record: &Record, out: &mut Vec<u8>) -> store::Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let encoded = postcard::to_extend(record, std::mem::take(out));
    *out = encoded.map_err(|error| store::Error::Unavailable(format!("a record cannot be encoded: {error}")))?;
    let length = (out.len() - start - 4) as u32;
    if let Some(field) = out.get_mut(start..start + 4) {
        field.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

/// Octets that a record's content takes.
pub(crate) fn encoded_length<T: Serialize>(content: &T) -> store::Result<u64> {
    let length = postcard::serialize_with_flavor(content, postcard::ser_flavors::Size::default());
    length
        .map(|length| length as u64)
        .map_err(|error| store::Error::Unavailable(format!("a record cannot be encoded: {error}")))
}

/// All records of a frame; `None` when the octets are no records.
pub(crate) fn decode_records(mut octets: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    while !octets.is_empty() {
        let (length, rest) = octets.split_first_chunk()?;
        let (encoded, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        records.push(postcard::from_bytes(encoded).ok()?);
        octets = rest;
    }
    Some(records)
}

/// What is promised of any octets, for fuzzing: they are refused, or they are records that can be written again and
/// then read as the same. `false` if that does not hold.
pub fn verify_records(octets: &[u8]) -> bool {
    let Some(records) = decode_records(octets) else { return true };
    let mut again = Vec::new();
    let written = records.iter().all(|record| encode_record(record, &mut again).is_ok());
    written && decode_records(&again).as_ref() == Some(&records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let folder = FolderId::new(AccountId(1), 2);
        vec![
            Record::Body(BodyRecord {
                id: BodyId(5),
                size: 70_000,
                stored: Stored::Here(12),
                checksums: vec![1, u32::MAX],
                outline: vec![1, 2, 3],
                messages: 2,
            }),
            Record::Place(PlaceRecord {
                folder,
                uid_validity: UidValidity(std::num::NonZeroU32::MIN),
                uid: Uid::new(7).unwrap(),
                modseq: ModSeq(300),
                message: MessageId(5),
                size: 70_010.into(),
                internal_date: -1,
                flags: Flags::SEEN,
                keywords: vec![Keyword::new("$Forwarded").unwrap()],
                delivery: Some(DeliveryId(u128::MAX)),
            }),
            Record::Expunge { folder, uids: Ranges(vec![(1, 3), (9, 9)]), modseq: ModSeq(301), at: 1 << 40 },
            Record::Settings(vec![("a".into(), Some("1".into())), ("b".into(), None)]),
        ]
    }

    fn encoded() -> Vec<u8> {
        let mut octets = Vec::new();
        for record in records() {
            encode_record(&record, &mut octets).unwrap();
        }
        octets
    }

    #[test]
    fn records_come_back_as_they_were() {
        assert_eq!(decode_records(&encoded()).unwrap(), records());
    }

    #[test]
    fn a_cut_between_records_loses_the_rest_and_any_other_cut_is_noticed() {
        let octets = encoded();
        let whole: Vec<usize> = (0..=records().len())
            .map(|n| {
                let mut octets = Vec::new();
                records()[..n].iter().for_each(|record| encode_record(record, &mut octets).unwrap());
                octets.len()
            })
            .collect();
        for cut in 0..=octets.len() {
            assert_eq!(decode_records(&octets[..cut]).is_some(), whole.contains(&cut), "cut at {cut}");
        }
    }

    #[test]
    fn the_first_format_can_still_be_read() {
        let fixture = [
            18, 0, 0, 0, 4, 0x82, 0x80, 0x80, 0x80, 0x10, 2, 1, 3, 9, 9, 0xad, 0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40,
        ];
        let expunge = records().remove(2);
        let mut octets = Vec::new();
        encode_record(&expunge, &mut octets).unwrap();
        assert_eq!(octets[4..], fixture[4..]);
        assert_eq!(decode_records(&octets).unwrap(), [expunge]);
    }
}
