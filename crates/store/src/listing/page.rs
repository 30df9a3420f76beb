//! Rows, and the pages that hold them.

use std::sync::Arc;

use crate::{Flags, KeywordSet, MessageId, MessageSize, ModSeq, Timestamp, Uid};

/// One message in one folder: 48 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub uid: Uid,
    pub keywords: KeywordSet,
    pub modseq: ModSeq,
    pub message: MessageId,
    /// Of the whole message.
    pub size: MessageSize,
    pub internal_date: Timestamp,
    pub flags: Flags,
}

/// Up to [`Page::CAPACITY`] rows with ascending UIDs, never none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    rows: Vec<Row>,
    modseq: ModSeq,
    unseen: u32,
}

impl Page {
    pub const CAPACITY: usize = 256;

    pub(super) fn new(rows: Vec<Row>) -> Self {
        let mut page = Self { rows, modseq: ModSeq(0), unseen: 0 };
        page.recount();
        page
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    #[expect(clippy::len_without_is_empty, reason = "a page is never empty")]
    pub fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// The greatest modseq of its rows: a page at or below a client's modseq need not be visited.
    pub fn modseq(&self) -> ModSeq {
        self.modseq
    }

    /// Rows without `\Seen`.
    pub fn unseen(&self) -> u32 {
        self.unseen
    }

    /// A copy with one more row, and room for a few.
    pub(super) fn followed_by(&self, row: Row) -> Self {
        let mut rows = Vec::with_capacity(Self::CAPACITY.min(self.rows.len() + 8));
        rows.extend_from_slice(&self.rows);
        let mut page = Self { rows, ..*self };
        page.push(row);
        page
    }

    pub(super) fn push(&mut self, row: Row) {
        self.modseq = self.modseq.max(row.modseq);
        self.unseen += u32::from(!row.flags.contains(Flags::SEEN));
        self.rows.push(row);
    }

    pub(super) fn rows_mut(&mut self) -> &mut Vec<Row> {
        &mut self.rows
    }

    /// After rows were changed or taken out.
    pub(super) fn recount(&mut self) {
        self.modseq = self.rows.iter().map(|row| row.modseq).max().unwrap_or_default();
        self.unseen = self.rows.iter().filter(|row| !row.flags.contains(Flags::SEEN)).count() as u32;
    }
}

/// A page's place in the page directory.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// The position of its first row in the folder.
    pub start: u32,
    /// The UID of its first row.
    pub first: Uid,
    pub page: Arc<Page>,
}

impl Slot {
    /// `None` for no rows: there are no empty pages.
    pub fn new(start: u32, rows: Vec<Row>) -> Option<Self> {
        let first = rows.first()?.uid;
        Some(Self { start, first, page: Arc::new(Page::new(rows)) })
    }
}
