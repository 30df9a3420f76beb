//! A folder as one value: rows in UID order on shared copy-on-write pages.
//!
//! Engines patch a listing and publish it; every session of a node shares the pages. A clone costs one
//! reference count. Two listings are compared by visiting only the pages they do not share.

mod diff;
mod edit;
mod flags;
mod keywords;
mod page;

use std::sync::Arc;

pub use diff::Difference;
pub use flags::FlagsSet;
pub use keywords::KeywordSet;
pub use page::{Page, Row};

use self::keywords::KeywordTable;
use self::page::Slot;
use crate::{Error, Keyword, ModSeq, Result, Uid, UidSet, UidValidity};

/// All messages of one folder at one point of the order of changes.
#[derive(Clone, Debug)]
pub struct Listing(Arc<Root>);

#[derive(Clone, Debug)]
struct Root {
    uid_validity: UidValidity,
    uid_next: Uid,
    highest_modseq: ModSeq,
    len: u32,
    unseen: u32,
    octets: u64,
    keywords: Arc<KeywordTable>,
    slots: Vec<Slot>,
}

impl Listing {
    /// Keywords that one folder may hold; the next one is refused (`Error::Limit`).
    pub const MAX_KEYWORDS: usize = keywords::MAX_KEYWORDS;
    /// Messages that one folder may hold.
    pub const MAX_MESSAGES: u32 = 10_000_000;

    /// An empty folder.
    pub fn new(uid_validity: UidValidity) -> Self {
        Self(Arc::new(Root {
            uid_validity,
            uid_next: Uid::MIN,
            highest_modseq: ModSeq::MIN,
            len: 0,
            unseen: 0,
            octets: 0,
            keywords: Arc::default(),
            slots: Vec::new(),
        }))
    }

    /// From what an engine kept. `Corrupt` unless rows ascend below `uid_next` and keyword sets exist.
    pub fn restore(
        uid_validity: UidValidity,
        uid_next: Uid,
        highest_modseq: ModSeq,
        keywords: Vec<Keyword>,
        keyword_sets: Vec<Vec<u16>>,
        pages: impl IntoIterator<Item = Vec<Row>>,
    ) -> Result<Self> {
        let damaged = |what: &str| Error::Corrupt(format!("folder listing: {what}"));
        let keywords = KeywordTable::restore(keywords, keyword_sets).ok_or_else(|| damaged("keywords"))?;
        let mut slots = Vec::new();
        let (mut start, mut unseen, mut octets, mut last) = (0u32, 0u32, 0u64, 0u32);
        for rows in pages {
            for row in &rows {
                if row.uid.get() <= last || row.uid >= uid_next || !keywords.has(row.keywords) {
                    return Err(damaged("rows"));
                }
                last = row.uid.get();
                octets = octets.saturating_add(row.size.octets());
            }
            let Some(slot) = Slot::new(start, rows) else { continue };
            start += slot.page.len();
            unseen += slot.page.unseen();
            slots.push(slot);
        }
        let keywords = Arc::new(keywords);
        Ok(Self(Arc::new(Root { uid_validity, uid_next, highest_modseq, len: start, unseen, octets, keywords, slots })))
    }

    pub fn uid_validity(&self) -> UidValidity {
        self.0.uid_validity
    }

    /// RFC 3501 §2.3.1.1: the UID that the next message will have at least.
    pub fn uid_next(&self) -> Uid {
        self.0.uid_next
    }

    /// RFC 7162 §3.1.2.1: the greatest modseq of any change in the folder, expunges included.
    pub fn highest_modseq(&self) -> ModSeq {
        self.0.highest_modseq
    }

    pub fn len(&self) -> u32 {
        self.0.len
    }

    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// Messages without `\Seen`.
    pub fn unseen(&self) -> u32 {
        self.0.unseen
    }

    /// The sum of all message sizes.
    pub fn octets(&self) -> u64 {
        self.0.octets
    }

    /// The row at a position counted from 0 (an IMAP sequence number less one).
    pub fn row_at(&self, index: u32) -> Option<&Row> {
        let slot = self.0.slots.get(self.slot_of_index(index)?)?;
        slot.page.rows().get((index - slot.start) as usize)
    }

    /// The position of a UID, or where it would stand.
    pub fn index_of(&self, uid: Uid) -> Result<u32, u32> {
        let Some(slot) = self.slot_of_uid(uid).and_then(|at| self.0.slots.get(at)) else { return Err(0) };
        match slot.page.rows().binary_search_by_key(&uid, |row| row.uid) {
            Ok(at) => Ok(slot.start + at as u32),
            Err(at) => Err(slot.start + at as u32),
        }
    }

    pub fn get(&self, uid: Uid) -> Option<&Row> {
        let slot = self.0.slots.get(self.slot_of_uid(uid)?)?;
        let at = slot.page.rows().binary_search_by_key(&uid, |row| row.uid).ok()?;
        slot.page.rows().get(at)
    }

    /// Rows from a position on, in UID order.
    pub fn rows_from(&self, index: u32) -> impl Iterator<Item = &Row> {
        let first = self.slot_of_index(index).unwrap_or(self.0.slots.len());
        let slots = self.0.slots.get(first..).unwrap_or_default();
        let skip = slots.first().map_or(0, |slot| (index - slot.start) as usize);
        slots.iter().flat_map(|slot| slot.page.rows()).skip(skip)
    }

    /// All rows in UID order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows_from(0)
    }

    /// Rows of a set in UID order; the set may name any number of messages that do not exist.
    pub fn rows_in<'a>(&'a self, uids: &'a UidSet) -> impl Iterator<Item = &'a Row> {
        uids.ranges().flat_map(|range| {
            let from = self.index_of(*range.start()).unwrap_or_else(|at| at);
            self.rows_from(from).take_while(move |row| row.uid <= *range.end())
        })
    }

    /// The pages in UID order; two listings share those that did not change between them.
    pub fn pages(&self) -> impl Iterator<Item = &Arc<Page>> {
        self.0.slots.iter().map(|slot| &slot.page)
    }

    /// Every keyword the folder knows, in the order of their first use.
    pub fn keyword_names(&self) -> &[Keyword] {
        self.0.keywords.names()
    }

    /// The keywords of one row.
    pub fn keywords(&self, set: KeywordSet) -> impl Iterator<Item = &Keyword> {
        self.0.keywords.members(set)
    }

    /// The keyword sets in their order, each as positions in [`Self::keyword_names`]; for engines.
    pub fn keyword_sets(&self) -> impl Iterator<Item = &[u16]> {
        self.0.keywords.sets()
    }

    /// Whether both are the very same value, so that nothing changed in between.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The positions of pages that hold a row of the set, found without looking at others.
    fn slots_with(&self, uids: &UidSet) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for range in uids.ranges() {
            let first = self.slot_of_uid(*range.start()).unwrap_or(0).max(found.last().map_or(0, |last| last + 1));
            let slots = self.0.slots.iter().enumerate().skip(first);
            let within = slots.take_while(|(_, slot)| slot.first <= *range.end());
            found.extend(
                within
                    .filter(|(_, slot)| slot.page.rows().iter().any(|row| range.contains(&row.uid)))
                    .map(|(at, _)| at),
            );
        }
        found
    }

    fn slot_of_index(&self, index: u32) -> Option<usize> {
        (index < self.0.len).then(|| self.0.slots.partition_point(|slot| slot.start <= index) - 1)
    }

    fn slot_of_uid(&self, uid: Uid) -> Option<usize> {
        self.0.slots.partition_point(|slot| slot.first <= uid).checked_sub(1)
    }
}
