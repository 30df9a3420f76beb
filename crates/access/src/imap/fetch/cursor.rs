//! The rows of a FETCH, made one by one as the socket takes them.

use std::collections::VecDeque;

use bytes::Bytes;
use proto::imap::command::{DateTime, Fetch, FetchItem};
use proto::imap::write;
use store::{Error, MessageId, MessageOutline, ModSeq, Row, UidSet, Unit};

use super::super::refusal::Refusal;
use super::super::telling::row_flags;
use super::super::turn::Turn;
use super::section::{Source, source};
use crate::reply::{Coding, Splice, Step, Supply};
use crate::view::{Positions, View};

/// Outlines asked for at once. An outline is about 1 to 4 KB, seldom more.
const BATCH: usize = 64;
/// The same where bodies follow, which take their time on the wire.
const BATCH_WITH_BODIES: usize = 8;

/// What it takes to write a row and each of its octets, and to choose lines of a header by name, for each of
/// its octets.
const ROW: usize = 128;
const OCTET: usize = 4;
const FIELD_OCTET: usize = 16;

/// Holds a snapshot of the view, so that numbers stay true while the session moves on.
pub struct Cursor {
    view: View,
    positions: Positions,
    /// The range of `positions` that is being walked; it shrinks from its start.
    at: usize,
    items: Vec<FetchItem>,
    changed_since: Option<ModSeq>,
    /// Rows that this command made \Seen: they show their flags, asked for or not (RFC 3501 §6.4.5).
    seen: UidSet,
    /// RFC 7162 §3.2: flags that changed are told with their MODSEQ.
    condstore: bool,
    /// How many outlines to ask for at once, if any.
    batch: Option<usize>,
    outlines: VecDeque<store::Result<MessageOutline>>,
    open: Option<Open>,
    failure: Option<Refusal>,
    turn: Turn,
}

/// A row of which a part is written.
struct Open {
    row: Row,
    outline: Option<MessageOutline>,
    /// The item to write next.
    item: usize,
    /// What was read for that item.
    read: Option<store::Result<Bytes>>,
}

impl Cursor {
    pub fn new(view: View, positions: Positions, fetch: Fetch, seen: UidSet, condstore: bool) -> Self {
        let items = fetch.items;
        let sections = items
            .iter()
            .any(|item| matches!(item, FetchItem::Rfc822Text | FetchItem::Rfc822Header | FetchItem::Section { .. }));
        let batch = if sections { BATCH_WITH_BODIES } else { BATCH };
        Self {
            view,
            positions,
            at: 0,
            batch: items.iter().any(needs_outline).then_some(batch),
            items,
            changed_since: fetch.changed_since.map(ModSeq),
            seen,
            condstore,
            outlines: VecDeque::new(),
            open: None,
            failure: None,
            turn: Turn::default(),
        }
    }

    /// Why the command cannot be answered OK though its rows went out as far as they could.
    pub fn into_failure(self) -> Option<Refusal> {
        self.failure
    }

    pub fn output(&mut self, out: &mut Vec<u8>, full: usize) -> Step {
        loop {
            if let Some(open) = self.open.take() {
                let before = out.len();
                if let Some(step) = self.write_row(open, out) {
                    return step;
                }
                if out.len() >= full {
                    return Step::More;
                }
                if self.turn.is_over(ROW + OCTET * (out.len() - before)) {
                    return Step::Rest;
                }
            }
            let Some((position, row)) = self.peek() else { return Step::Done };
            let mut outline = None;
            if let Some(batch) = self.batch {
                match self.outlines.pop_front() {
                    None => return Step::Outlines(self.next_messages(batch)),
                    Some(Ok(known)) => outline = Some(known),
                    Some(Err(error)) => {
                        self.fail(error);
                        self.skip();
                        continue;
                    }
                }
            }
            self.skip();
            write::fetch_begin(out, position + 1);
            self.open = Some(Open { row, outline, item: 0, read: None });
        }
    }

    pub fn supply(&mut self, supply: Supply) {
        match supply {
            Supply::Outlines(outlines) => self.outlines = outlines.into(),
            Supply::Octets(octets) => {
                if let Some(open) = &mut self.open {
                    open.read = Some(octets);
                }
            }
        }
    }

    fn wants(&self, row: &Row) -> bool {
        self.changed_since.is_none_or(|since| row.modseq > since)
    }

    /// The next row to write, passing over those that CHANGEDSINCE leaves out.
    fn peek(&mut self) -> Option<(u32, Row)> {
        while let Some(range) = self.positions.get(self.at) {
            if self.changed_since.is_none() {
                // The usual case, without an iterator to set up.
                if let Some(row) = self.view.row_at(range.start).filter(|_| !range.is_empty()) {
                    return Some((range.start, *row));
                }
            } else {
                let mut rows = range.clone().zip(self.view.rows_from(range.start));
                let found = rows.find(|(_, row)| self.wants(row)).map(|(position, row)| (position, *row));
                drop(rows);
                if let Some((position, row)) = found {
                    if let Some(range) = self.positions.get_mut(self.at) {
                        range.start = position;
                    }
                    return Some((position, row));
                }
            }
            self.at += 1;
        }
        None
    }

    /// Goes past the row that [`peek`](Self::peek) showed.
    fn skip(&mut self) {
        if let Some(range) = self.positions.get_mut(self.at) {
            range.start += 1;
        }
    }

    fn next_messages(&self, batch: usize) -> Vec<MessageId> {
        let ranges = self.positions.get(self.at..).unwrap_or_default();
        let rows = ranges.iter().flat_map(|range| self.view.rows_from(range.start).take(range.len()));
        rows.filter(|row| self.wants(row)).map(|row| row.message).take(batch).collect()
    }

    fn fail(&mut self, error: Error) {
        if self.failure.is_none() {
            self.failure = Some(match error {
                Error::Gone => Refusal::EXPUNGED,
                other => other.into(),
            });
        }
    }

    /// Writes the row as far as it goes; a step if it needs something.
    fn write_row(&mut self, mut open: Open, out: &mut Vec<u8>) -> Option<Step> {
        while let Some(item) = self.items.get(open.item) {
            if open.item > 0 && open.read.is_none() {
                out.push(b' ');
            }
            match item {
                FetchItem::Uid => {
                    out.extend_from_slice(b"UID ");
                    write::number(out, open.row.uid.get().into());
                }
                FetchItem::Flags => {
                    out.extend_from_slice(b"FLAGS ");
                    row_flags(out, &self.view, &open.row);
                }
                FetchItem::ModSeq => write::mod_seq(out, open.row.modseq.0),
                FetchItem::Rfc822Size => {
                    out.extend_from_slice(b"RFC822.SIZE ");
                    write::number(out, open.row.size.octets());
                }
                FetchItem::InternalDate => {
                    out.extend_from_slice(b"INTERNALDATE ");
                    write::internal_date(out, DateTime { seconds: open.row.internal_date, offset_minutes: 0 });
                }
                FetchItem::Envelope => {
                    out.extend_from_slice(b"ENVELOPE ");
                    if let Some(known) = &open.outline {
                        write::envelope(out, known.outline.envelope());
                    }
                }
                FetchItem::Body | FetchItem::BodyStructure => {
                    write::item_name(out, item);
                    out.push(b' ');
                    if let Some(known) = &open.outline {
                        write::body_structure(out, &known.outline, *item == FetchItem::BodyStructure);
                    }
                }
                FetchItem::Rfc822 | FetchItem::Rfc822Header | FetchItem::Rfc822Text | FetchItem::Section { .. } => {
                    match source(item, open.row.size.octets(), open.outline.as_ref()) {
                        Source::Nothing => {
                            write::item_name(out, item);
                            out.extend_from_slice(b" NIL");
                        }
                        // The first octets are read before the literal is begun, which cannot be taken back. Of most
                        // messages they are all.
                        Source::Range(range) => match open.read.take() {
                            None if !range.is_empty() => {
                                let first = range.start..range.end.min(range.start + Unit::CHUNK);
                                let message = open.row.message;
                                self.open = Some(open);
                                return Some(Step::Octets { message, range: first });
                            }
                            Some(Err(error)) => {
                                write::item_name(out, item);
                                out.extend_from_slice(b" NIL");
                                self.fail(error);
                            }
                            read => {
                                let octets = read.and_then(Result::ok).unwrap_or_default();
                                write::item_name(out, item);
                                out.push(b' ');
                                write::literal_begin(out, range.end - range.start);
                                out.extend_from_slice(&octets);
                                let range = range.start + octets.len() as u64..range.end;
                                if !range.is_empty() {
                                    let splice = Splice { message: open.row.message, range, coding: Coding::Plain };
                                    open.item += 1;
                                    self.open = Some(open);
                                    return Some(Step::Splice(splice));
                                }
                            }
                        },
                        Source::Fields { header, fields, partial } => match open.read.take() {
                            // Only a part of a message can have such a header; cut, it would pass for whole.
                            None if header.end - header.start > Step::MAX_READ => {
                                write::item_name(out, item);
                                out.extend_from_slice(b" NIL");
                                self.failure.get_or_insert(Refusal::HEADER_TOO_LONG);
                            }
                            None => {
                                let message = open.row.message;
                                self.open = Some(open);
                                return Some(Step::Octets { message, range: header });
                            }
                            Some(Ok(block)) => {
                                write::item_name(out, item);
                                out.push(b' ');
                                fields.write(out, &block, partial);
                                if self.turn.is_over(FIELD_OCTET * block.len()) {
                                    open.item += 1;
                                    self.open = Some(open);
                                    return Some(Step::Rest);
                                }
                            }
                            Some(Err(error)) => {
                                write::item_name(out, item);
                                out.extend_from_slice(b" NIL");
                                self.fail(error);
                            }
                        },
                    }
                }
            }
            open.item += 1;
        }
        if !self.seen.is_empty() && self.seen.contains(open.row.uid) && !self.items.contains(&FetchItem::Flags) {
            out.extend_from_slice(b" FLAGS ");
            row_flags(out, &self.view, &open.row);
            if self.condstore && !self.items.contains(&FetchItem::ModSeq) {
                out.push(b' ');
                write::mod_seq(out, open.row.modseq.0);
            }
        }
        write::fetch_end(out);
        None
    }
}

fn needs_outline(item: &FetchItem) -> bool {
    match item {
        FetchItem::Envelope
        | FetchItem::Body
        | FetchItem::BodyStructure
        | FetchItem::Rfc822Header
        | FetchItem::Rfc822Text => true,
        FetchItem::Section { section, .. } => !section.part.is_empty() || section.text.is_some(),
        FetchItem::Flags
        | FetchItem::InternalDate
        | FetchItem::Rfc822
        | FetchItem::Rfc822Size
        | FetchItem::Uid
        | FetchItem::ModSeq => false,
    }
}
