//! Keys that a row of the listing answers.

use proto::imap::command::{Date, Flag, SearchKey, SearchNode, SearchProgram};
use store::{Flags, ModSeq, Row, Timestamp};

use super::super::set;
use crate::view::{Positions, View};

/// What the keys of a program stand for in a view, found once and by the index of their key in the program.
pub struct RowKeys<'a> {
    view: &'a View,
    /// Of sequence sets.
    sets: Vec<Positions>,
    /// Of keywords: their position among the folder's, if it knows them.
    keywords: Vec<Option<u16>>,
    /// The folder's keyword sets by their number.
    members: Vec<&'a [u16]>,
}

impl<'a> RowKeys<'a> {
    pub fn new(view: &'a View, program: &SearchProgram) -> Self {
        let names = view.listing().keyword_names();
        let position = |name: &str| names.iter().position(|known| known.as_str().eq_ignore_ascii_case(name));
        let (sets, keywords) = program
            .nodes()
            .iter()
            .map(|node| match node {
                // RFC 3501 §6.4.4 names no error for a number past the last message: it finds nothing.
                SearchNode::Key(SearchKey::Sequence(set)) => (set::numbers_there_are(view, set), None),
                SearchNode::Key(SearchKey::Uid(set)) => (set::of_uids(view, set), None),
                SearchNode::Key(SearchKey::Has(Flag::Keyword(name)) | SearchKey::Lacks(Flag::Keyword(name))) => {
                    (Positions::new(), position(name).and_then(|at| u16::try_from(at).ok()))
                }
                _ => (Positions::new(), None),
            })
            .unzip();
        Self { view, sets, keywords, members: view.listing().keyword_sets().collect() }
    }

    /// `None` for keys that need more than the row.
    pub fn test(&self, at: usize, key: &SearchKey, position: u32, row: &Row) -> Option<bool> {
        let view = self.view;
        Some(match key {
            SearchKey::All => true,
            SearchKey::Has(flag) => self.has(at, row, flag),
            SearchKey::Lacks(flag) => !self.has(at, row, flag),
            SearchKey::Recent => view.is_recent(row.uid),
            SearchKey::New => view.is_recent(row.uid) && !row.flags.contains(Flags::SEEN),
            SearchKey::Old => !view.is_recent(row.uid),
            SearchKey::Sequence(_) | SearchKey::Uid(_) => {
                let ranges = self.sets.get(at).map_or(&[][..], |set| set);
                let place = ranges.partition_point(|range| range.end <= position);
                ranges.get(place).is_some_and(|range| range.contains(&position))
            }
            SearchKey::Larger(size) => row.size.octets() > *size,
            SearchKey::Smaller(size) => row.size.octets() < *size,
            SearchKey::Before(date) => day(row.internal_date) < *date,
            SearchKey::On(date) => day(row.internal_date) == *date,
            SearchKey::Since(date) => day(row.internal_date) >= *date,
            SearchKey::ModSeq(least) => row.modseq >= ModSeq(*least),
            // The empty text is in every body.
            SearchKey::Body(text) | SearchKey::Text(text) if text.is_empty() => true,
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

    fn has(&self, at: usize, row: &Row, flag: &Flag) -> bool {
        match flag {
            Flag::Answered => row.flags.contains(Flags::ANSWERED),
            Flag::Flagged => row.flags.contains(Flags::FLAGGED),
            Flag::Deleted => row.flags.contains(Flags::DELETED),
            Flag::Seen => row.flags.contains(Flags::SEEN),
            Flag::Draft => row.flags.contains(Flags::DRAFT),
            Flag::Keyword(_) => {
                let members = self.members.get(row.keywords.0 as usize).copied().unwrap_or_default();
                let keyword = self.keywords.get(at).copied().flatten();
                keyword.is_some_and(|keyword| members.binary_search(&keyword).is_ok())
            }
        }
    }
}

fn day(at: Timestamp) -> Date {
    Date::from_days(at.div_euclid(86_400))
}
