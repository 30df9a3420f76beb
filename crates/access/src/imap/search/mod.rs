//! SEARCH and UID SEARCH (RFC 3501 §6.4.4, RFC 7162 §3.1.5).
//!
//! The cheap keys go first: those that a row of the listing answers, then those of the envelope, then the
//! header, then the body. A message is read only as far as it takes to decide it.

mod body;
mod header;
mod matcher;
mod row;

use std::ops::Range;

use proto::imap::command::{Search, SearchKey, SearchProgram};
use proto::imap::write;
use store::{Mailboxes, MessageOutline, Row};

use self::row::RowKeys;
use super::answer::{Answer, Part};
use super::refusal::Outcome;
use super::session::Session;
use super::wake::{TURN, rest};
use crate::reply::Step;
use crate::view::{Expunges, Positions, View, add_range};

/// Messages whose outlines are read at once.
const BATCH: usize = 64;

pub async fn search(session: &mut Session, mailboxes: &dyn Mailboxes, search: Search, answer: &mut Answer) -> Outcome {
    let form = session.form(search.uid);
    let selected = session.selected()?;
    let updates = selected.refresh(mailboxes, None, Expunges::HeldBack).await?;
    selected.push_updates(updates, form, answer);
    let found = find(&selected.view, mailboxes, &search.program).await;
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

async fn find(view: &View, mailboxes: &dyn Mailboxes, program: &SearchProgram) -> Positions {
    let keys = RowKeys::new(view, program);
    let mut found = Positions::new();
    let mut batch = Vec::new();
    let mut position = 0;
    while position < view.len() {
        let mut undecided = 0;
        for row in view.rows_from(position).take(TURN) {
            let matches = keys.evaluate(program, view, position, row);
            if matches != Some(false) {
                undecided += usize::from(matches.is_none());
                batch.push(Candidate { position, row: *row, matches });
            }
            position += 1;
            if undecided == BATCH {
                break;
            }
        }
        if undecided > 0 {
            decide(view, mailboxes, program, &keys, &mut batch).await;
        }
        for candidate in batch.drain(..).filter(|candidate| candidate.matches == Some(true)) {
            add_range(&mut found, candidate.position..candidate.position + 1);
        }
        rest().await;
    }
    found
}

/// Reads what the rows did not tell.
async fn decide(
    view: &View,
    mailboxes: &dyn Mailboxes,
    program: &SearchProgram,
    keys: &RowKeys,
    batch: &mut [Candidate],
) {
    let messages: Vec<_> = batch.iter().filter(|c| c.matches.is_none()).map(|c| c.row.message).collect();
    let mut outlines = mailboxes.outlines(&messages).await.unwrap_or_default().into_iter();
    for candidate in batch.iter_mut().filter(|c| c.matches.is_none()) {
        let Candidate { position, row, .. } = *candidate;
        let by_row = |at: usize, key: &SearchKey| keys.test(at, key, view, position, &row);
        candidate.matches = match outlines.next() {
            Some(Ok(outline)) => {
                match program.evaluate(|at, key| by_row(at, key).or_else(|| header::test(key, &outline))) {
                    Some(decided) => Some(decided),
                    None => read(mailboxes, program, row, &outline, by_row).await,
                }
            }
            // What cannot be read holds no text that could be found.
            _ => program.evaluate(|at, key| by_row(at, key).or(Some(false))),
        };
    }
}

/// The dear keys: header first, then the body.
async fn read(
    mailboxes: &dyn Mailboxes,
    program: &SearchProgram,
    row: Row,
    outline: &MessageOutline,
    by_row: impl Fn(usize, &SearchKey) -> Option<bool>,
) -> Option<bool> {
    let header = header::read(mailboxes, row.message, outline).await;
    let cheap = |at: usize, key: &SearchKey| {
        by_row(at, key).or_else(|| header::test(key, outline)).or_else(|| header::test_block(key, &header))
    };
    if let Some(decided) = program.evaluate(cheap) {
        return Some(decided);
    }
    let mut texts = body::Texts::new(program, |at, key| cheap(at, key).is_none());
    texts.search(mailboxes, row.message, outline).await;
    program.evaluate(|at, key| cheap(at, key).or_else(|| Some(texts.found(at))))
}
