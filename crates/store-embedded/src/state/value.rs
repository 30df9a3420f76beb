//! Values: each row's fields, in postcard's stable format.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{
    BodyId, Error, Flags, FolderId, Keyword, KeywordSet, Listing, MessageId, MessageSize, ModSeq, Result, Row,
    Timestamp, Uid, UidValidity,
};

use crate::log::{Lsn, Position, SegmentId};

/// Where a body lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    Segment { segment: SegmentId, offset: u64 },
    File(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BodyRow {
    pub place: Place,
    /// Where its record lies, also when the octets have a file of their own.
    pub segment: SegmentId,
    /// Octets of that record, about.
    pub record: u32,
    pub size: u64,
    pub checksums: Vec<u32>,
    /// Messages from the body's own number on that may use it.
    pub messages: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    pub body: BodyId,
    /// Where its record lies: what compaction must copy.
    pub segment: SegmentId,
    #[serde(with = "serde_octets")]
    pub prefix: Bytes,
}

/// Octets in one piece rather than one by one.
mod serde_octets {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(octets: &bytes::Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(octets)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bytes::Bytes, D::Error> {
        struct Octets;
        impl<'de> Visitor<'de> for Octets {
            type Value = bytes::Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("octets")
            }

            fn visit_bytes<E: Error>(self, octets: &[u8]) -> Result<Self::Value, E> {
                Ok(bytes::Bytes::copy_from_slice(octets))
            }
        }
        deserializer.deserialize_bytes(Octets)
    }
}

/// An account's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountState {
    pub modseq: ModSeq,
    pub last_folder: u32,
    pub octets: u64,
    pub messages: u64,
    pub changed: Timestamp,
    /// The last snapshot of the account that is in the log.
    pub snapshot: SnapshotPlace,
}

/// A snapshot in the log: what was changed before it can be told without older records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotPlace {
    pub lsn: Lsn,
    pub segment: SegmentId,
    /// Octets that it takes there, until a later one takes its place.
    pub octets: u64,
}

impl Default for AccountState {
    fn default() -> Self {
        // The modseq of a folder that never changed: the first change has a greater one.
        let modseq = ModSeq::MIN;
        Self { modseq, last_folder: 0, octets: 0, messages: 0, changed: 0, snapshot: SnapshotPlace::default() }
    }
}

/// The numbers given last in the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub content: u64,
    pub account: u32,
    pub uid_validity: u32,
}

/// How far the index has followed the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Of the layout of rows.
    pub version: u32,
    pub lsn: Lsn,
    /// Right behind the last frame applied.
    pub position: Position,
    pub epoch: u64,
    /// Whether the store was closed in order, so that the tail may be written on.
    pub closed: bool,
    /// Whether damage was passed over at a start: until a repair, what seems unused may be used.
    pub damaged: bool,
}

impl BodyRow {
    /// Octets that it takes in its segment.
    pub fn live(&self) -> i64 {
        let octets = if matches!(self.place, Place::Segment { .. }) { self.size } else { 0 };
        octets as i64 + i64::from(self.record)
    }
}

impl MessageRow {
    /// Octets that its record takes in its segment, about.
    pub fn live(&self) -> i64 {
        self.prefix.len() as i64 + 24
    }
}

impl Progress {
    pub const VERSION: u32 = 1;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FolderMeta {
    pub uid_validity: UidValidity,
    pub uid_next: Uid,
    pub highest_modseq: ModSeq,
    /// Messages from here on are recent.
    pub recent: Uid,
    /// The durable point that changed the folder last.
    pub changed: Lsn,
    /// The last snapshot of the folder that is in the log.
    pub snapshot: SnapshotPlace,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FolderKeywords {
    pub names: Vec<Keyword>,
    pub sets: Vec<Vec<u16>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliveryRow {
    pub folder: FolderId,
    pub uid_validity: UidValidity,
    pub uid: Uid,
    /// Where the record lies that says so.
    pub segment: SegmentId,
}

impl DeliveryRow {
    /// Octets that it takes in its segment, about.
    pub const LIVE: i64 = 40;
}

/// What is known of a sealed or growing segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentRow {
    /// Octets that live bodies and messages take in it.
    pub live: u64,
}

/// [`Row`] as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredRow {
    pub uid: Uid,
    pub keywords: u32,
    pub modseq: ModSeq,
    pub message: MessageId,
    pub size: MessageSize,
    pub internal_date: Timestamp,
    pub flags: Flags,
}

/// Expunged rows. The folder may use the numbers of its keyword sets for others by now, so these are the page's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RetainedPage {
    pub rows: Vec<StoredRow>,
    pub keyword_sets: Vec<Vec<Keyword>>,
}

impl RetainedPage {
    /// Rows that the listing has or had a moment ago.
    pub fn of(listing: &Listing, rows: &[Row]) -> Self {
        let mut page = Self::default();
        let mut known: HashMap<KeywordSet, u32> = HashMap::new();
        for row in rows {
            let keywords = *known.entry(row.keywords).or_insert_with(|| {
                page.keyword_sets.push(listing.keywords(row.keywords).cloned().collect());
                page.keyword_sets.len() as u32 - 1
            });
            page.rows.push(StoredRow { keywords, ..row.into() });
        }
        page
    }
}

impl From<&Row> for StoredRow {
    fn from(row: &Row) -> Self {
        let Row { uid, keywords, modseq, message, size, internal_date, flags } = *row;
        Self { uid, keywords: keywords.0, modseq, message, size, internal_date, flags }
    }
}

impl From<StoredRow> for Row {
    fn from(row: StoredRow) -> Self {
        let StoredRow { uid, keywords, modseq, message, size, internal_date, flags } = row;
        Self { uid, keywords: KeywordSet(keywords), modseq, message, size, internal_date, flags }
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes> {
    let octets = postcard::to_allocvec(value);
    octets.map(Into::into).map_err(|error| unencodable(&error))
}

/// Encodes many values, which share a few pieces of memory: a row costs none of its own, and they all go together.
#[derive(Default)]
pub(crate) struct Encoder {
    scratch: Vec<u8>,
    piece: BytesMut,
}

impl Encoder {
    const PIECE: usize = 64 * 1024;

    pub fn encode<T: Serialize>(&mut self, value: &T) -> Result<Bytes> {
        self.scratch.clear();
        let encoded = postcard::to_extend(value, std::mem::take(&mut self.scratch));
        let octets = encoded.map_err(|error| unencodable(&error))?;
        let row = self.copy(&octets);
        self.scratch = octets;
        Ok(row)
    }

    pub fn copy(&mut self, octets: &[u8]) -> Bytes {
        if octets.is_empty() {
            return Bytes::new();
        }
        if self.piece.capacity() < octets.len() {
            self.piece = BytesMut::with_capacity(Self::PIECE.max(octets.len()));
        }
        self.piece.extend_from_slice(octets);
        self.piece.split().freeze()
    }
}

fn unencodable(error: &postcard::Error) -> Error {
    Error::Unavailable(format!("a row cannot be encoded: {error}"))
}

pub(crate) fn decode<T: DeserializeOwned>(octets: &[u8]) -> Result<T> {
    let decoded = postcard::from_bytes(octets);
    decoded
        .map_err(|error| Error::Corrupt(format!("a row of the index: {error}; `gatepost store repair` makes it anew")))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn expunged_rows_keep_their_keywords_whatever_the_folder_does_with_the_numbers() {
        let word = |word: &str| Keyword::new(word).unwrap();
        let mut listing = Listing::new(UidValidity(NonZeroU32::MIN));
        for keywords in [vec![], vec![word("a")], vec![word("b"), word("a")], vec![word("a")]] {
            let set = listing.intern(&keywords).unwrap();
            listing.push(ModSeq(2), MessageId(1), 1.into(), 0, Flags::NONE, set).unwrap();
        }
        let rows: Vec<Row> = listing.rows().skip(1).copied().collect();
        let page = RetainedPage::of(&listing, &rows);
        let keywords: Vec<&Vec<Keyword>> =
            page.rows.iter().map(|row| &page.keyword_sets[row.keywords as usize]).collect();
        assert_eq!(keywords, [&vec![word("a")], &vec![word("a"), word("b")], &vec![word("a")]]);
        assert_eq!(decode::<RetainedPage>(&encode(&page).unwrap()).unwrap(), page);
    }
}
