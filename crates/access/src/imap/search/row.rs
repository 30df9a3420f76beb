//! Keys that a row of the listing answers.

use proto::imap::command::{Date, Flag, SearchKey, SearchNode, SearchProgram};
use store::{Flags, ModSeq, Row, Timestamp};

use super::super::set;
use crate::view::{Positions, View};

/// Sequence sets resolved once, by the index of their key in the program.
pub struct RowKeys {
    sets: Vec<Positions>,
}

impl RowKeys {
    pub fn new(view: &View, program: &SearchProgram) -> Self {
        let resolve = |node: &SearchNode| match node {
            // RFC 3501 §6.4.4 names no error for a number past the last message: it finds nothing.
            SearchNode::Key(SearchKey::Sequence(set)) => set::numbers_there_are(view, set),
            SearchNode::Key(SearchKey::Uid(set)) => set::of_uids(view, set),
            _ => Positions::new(),
        };
        Self { sets: program.nodes().iter().map(resolve).collect() }
    }

    pub fn evaluate(&self, program: &SearchProgram, view: &View, position: u32, row: &Row) -> Option<bool> {
        program.evaluate(|at, key| self.test(at, key, view, position, row))
    }

    /// `None` for keys that need more than the row.
    pub fn test(&self, at: usize, key: &SearchKey, view: &View, position: u32, row: &Row) -> Option<bool> {
        Some(match key {
            SearchKey::All => true,
            SearchKey::Has(flag) => has(view, row, flag),
            SearchKey::Lacks(flag) => !has(view, row, flag),
            SearchKey::Recent => view.is_recent(row.uid),
            SearchKey::New => view.is_recent(row.uid) && !row.flags.contains(Flags::SEEN),
            SearchKey::Old => !view.is_recent(row.uid),
            SearchKey::Sequence(_) | SearchKey::Uid(_) => {
                let ranges = self.sets.get(at).map_or(&[][..], |set| set);
                let place = ranges.partition_point(|range| range.end <= position);
                ranges.get(place).is_some_and(|range| range.contains(&position))
            }
            SearchKey::Larger(size) => row.size > *size,
            SearchKey::Smaller(size) => row.size < *size,
            SearchKey::Before(date) => day(row.internal_date) < *date,
            SearchKey::On(date) => day(row.internal_date) == *date,
            SearchKey::Since(date) => day(row.internal_date) >= *date,
            SearchKey::ModSeq(least) => row.modseq >= ModSeq(*least),
            SearchKey::SentBefore(_)
            | SearchKey::SentOn(_)
            | SearchKey::SentSince(_)
            | SearchKey::From(_)
            | SearchKey::To(_)
            | SearchKey::Cc(_)
            | SearchKey::Bcc(_)
            | SearchKey::Subject(_)
            | SearchKey::Header { .. }
            | SearchKey::Body(_)
            | SearchKey::Text(_) => return None,
        })
    }
}

fn day(at: Timestamp) -> Date {
    Date::from_days(at.div_euclid(86_400))
}

fn has(view: &View, row: &Row, flag: &Flag) -> bool {
    match flag {
        Flag::Answered => row.flags.contains(Flags::ANSWERED),
        Flag::Flagged => row.flags.contains(Flags::FLAGGED),
        Flag::Deleted => row.flags.contains(Flags::DELETED),
        Flag::Seen => row.flags.contains(Flags::SEEN),
        Flag::Draft => row.flags.contains(Flags::DRAFT),
        Flag::Keyword(name) => {
            view.listing().keywords(row.keywords).any(|keyword| keyword.as_str().eq_ignore_ascii_case(name))
        }
    }
}
