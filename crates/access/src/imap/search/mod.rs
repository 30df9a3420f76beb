//! SEARCH and UID SEARCH (RFC 3501 §6.4.4, RFC 7162 §3.1.5).
//!
//! The cheap keys go first: those that a row of the listing answers, then those of the envelope, then the
//! header, then the body. A message is read only as far as it takes to decide it, and once for all texts.

mod matcher;
mod reader;
mod row;
mod texts;

use std::ops::Range;

use proto::imap::command::{Search, SearchKey, SearchProgram};
use proto::imap::write;
use store::{Error, Mailboxes, MessageOutline, Row};

use self::reader::Reader;
use self::row::RowKeys;
use self::texts::Texts;
use super::answer::{Answer, Part};
use super::refusal::Outcome;
use super::session::Session;
use super::turn::{Turn, rest};
use crate::reply::Step;
use crate::view::{Expunges, Positions, View, add_range};

/// Messages whose outlines are read at once.
const BATCH: usize = 64;
/// Messages that are held until those before them are decided.
const HELD: usize = 1024;
/// What it takes to look at a row, and to test one key of it.
const ROW: usize = 64;
const KEY: usize = 16;

pub async fn search(session: &mut Session, mailboxes: &dyn Mailboxes, search: Search, answer: &mut Answer) -> Outcome {
    let form = session.form(search.uid);
    let selected = session.selected()?;
    let updates = selected.refresh(mailboxes, None, Expunges::HeldBack).await?;
    selected.push_updates(updates, form, answer);
    let found = Looking::new(&selected.view, mailboxes, &search.program).find().await?;
    // RFC 7162 §3.1.5: the greatest mod-sequence of what was found, if the client asked by mod-sequence.
    let by_mod_seq = search.program.keys().any(|key| matches!(key, SearchKey::ModSeq(_)));
    let rows = |range: &Range<u32>| selected.view.rows_from(range.start).take(range.len());
    let mod_seq = found.iter().filter(|_| by_mod_seq).flat_map(rows).map(|row| row.modseq.0).max();
    let view = selected.view.clone();
    answer.push(Part::Found(Found { view, positions: found, at: 0, uid: search.uid, begun: false, mod_seq }));
    if search.uid {
        selected.push_expunges(form, answer);
    }
    Ok(())
}

/// The SEARCH line, written as it is taken.
pub struct Found {
    view: View,
    positions: Positions,
    at: usize,
    uid: bool,
    begun: bool,
    mod_seq: Option<u64>,
}

impl Found {
    pub fn output(&mut self, out: &mut Vec<u8>, full: usize) -> Step {
        if !self.begun {
            self.begun = true;
            write::search_begin(out);
        }
        while let Some(range) = self.positions.get_mut(self.at) {
            let Some(position) = range.next() else {
                self.at += 1;
                continue;
            };
            let number = match self.uid {
                true => self.view.row_at(position).map_or(0, |row| row.uid.get()),
                false => position + 1,
            };
            write::search_number(out, number);
            if out.len() >= full {
                return Step::More;
            }
        }
        write::search_end(out, self.mod_seq);
        Step::Done
    }
}

/// One message on its way to a verdict.
struct Candidate {
    position: u32,
    row: Row,
    /// `None`: its row does not tell.
    matches: Option<bool>,
}

/// A search under way.
struct Looking<'a> {
    view: &'a View,
    mailboxes: &'a dyn Mailboxes,
    program: &'a SearchProgram,
    rows: RowKeys<'a>,
    texts: Texts,
    turn: Turn,
}

impl<'a> Looking<'a> {
    fn new(view: &'a View, mailboxes: &'a dyn Mailboxes, program: &'a SearchProgram) -> Self {
        let (rows, texts) = (RowKeys::new(view, program), Texts::new(program));
        Self { view, mailboxes, program, rows, texts, turn: Turn::default() }
    }

    async fn find(mut self) -> Outcome<Positions> {
        let mut found = Positions::new();
        let mut batch = Vec::new();
        let mut position = 0;
        let work = ROW + KEY * self.program.nodes().len();
        while position < self.view.len() {
            let (mut undecided, mut over) = (0, false);
            for row in self.view.rows_from(position) {
                let matches = self.program.evaluate(|at, key| self.rows.test(at, key, position, row));
                if matches != Some(false) {
                    undecided += usize::from(matches.is_none());
                    batch.push(Candidate { position, row: *row, matches });
                }
                position += 1;
                over = self.turn.is_over(work);
                if over || undecided == BATCH || batch.len() == HELD {
                    break;
                }
            }
            if undecided > 0 {
                self.decide(&mut batch).await?;
            }
            for candidate in batch.drain(..).filter(|candidate| candidate.matches == Some(true)) {
                add_range(&mut found, candidate.position..candidate.position + 1);
            }
            if over {
                rest().await;
            }
        }
        Ok(found)
    }

    /// Reads what the rows did not tell.
    async fn decide(&mut self, batch: &mut [Candidate]) -> store::Result<()> {
        let messages: Vec<_> = batch.iter().filter(|c| c.matches.is_none()).map(|c| c.row.message).collect();
        let mut outlines = self.mailboxes.outlines(&messages).await?.into_iter();
        for candidate in batch.iter_mut().filter(|c| c.matches.is_none()) {
            let decided = match outlines.next().unwrap_or(Err(Error::Gone)) {
                Ok(outline) => self.read(candidate, &outline).await,
                Err(error) => Err(error),
            };
            candidate.matches = match decided {
                Ok(decided) => decided,
                // Nobody knows what stood there: neither a text nor its absence is found in it.
                Err(Error::Gone | Error::NotFound(_) | Error::Corrupt(_)) => None,
                // A wrong answer would pass for a right one.
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    /// The dear keys: envelope first, then the header, then the body.
    async fn read(&mut self, candidate: &Candidate, outline: &MessageOutline) -> store::Result<Option<bool>> {
        let mut reader = Reader::new(self.mailboxes, candidate.row.message);
        self.texts.begin();
        self.texts.in_envelope(outline, &mut self.turn).await;
        if let Some(decided) = self.verdict(candidate) {
            return Ok(Some(decided));
        }
        self.texts.in_header(&mut reader, outline, &mut self.turn).await?;
        if let Some(decided) = self.verdict(candidate) {
            return Ok(Some(decided));
        }
        self.texts.in_body(&mut reader, outline, &mut self.turn).await?;
        Ok(self.verdict(candidate))
    }

    /// As far as it is known.
    fn verdict(&mut self, candidate: &Candidate) -> Option<bool> {
        let Candidate { position, row, .. } = candidate;
        self.program.evaluate(|at, key| self.rows.test(at, key, *position, row).or_else(|| self.texts.known(at)))
    }
}
