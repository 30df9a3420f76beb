//! The maildrop of one session.

use proto::pop3::{Number, Transaction, err, ok};
use store::{Listing, Row, UidSet};

use super::marks::Marks;
use super::message::Message;
use super::scan::{Scan, What};
use crate::reply::{Reply, Step, Supply};

/// The inbox as it was when its listing was taken: it never advances (RFC 1939 §4), whatever IMAP sessions
/// do to the folder meanwhile. Messages are numbered from 1; those marked as deleted keep their numbers and
/// are there no more.
#[derive(Clone, Debug)]
pub struct Maildrop {
    listing: Listing,
    marks: Marks,
    /// Of the messages that are left.
    octets: u64,
}

/// The answer to one command.
pub enum Answer<'a> {
    Line(Vec<u8>),
    Scan(Scan<'a>),
    Message(Message),
}

impl Maildrop {
    pub fn new(listing: Listing) -> Self {
        let octets = listing.rows().map(|row| row.size.octets_in_lines()).fold(0, u64::saturating_add);
        Self { listing, marks: Marks::default(), octets }
    }

    pub fn execute(&mut self, command: Transaction) -> Answer<'_> {
        match command {
            Transaction::Stat => fine(&format!("{} {}", self.count(), self.octets)),
            Transaction::List(None) => Answer::Scan(Scan::new(self, What::Sizes)),
            Transaction::Uidl(None) => Answer::Scan(Scan::new(self, What::Ids)),
            Transaction::List(Some(number)) => self.one(number, What::Sizes),
            Transaction::Uidl(Some(number)) => self.one(number, What::Ids),
            Transaction::Retr(number) => self.message(number, None),
            Transaction::Top(number, lines) => self.message(number, Some(lines)),
            Transaction::Dele(number) => self.delete(number),
            Transaction::Rset => {
                *self = Self::new(self.listing.clone());
                fine(&self.summary())
            }
        }
    }

    /// The messages marked as deleted: QUIT, and nothing else, has them removed (RFC 1939 §6).
    pub fn marked(&self) -> UidSet {
        let marked = self.marks.indices().filter_map(|index| self.listing.row_at(index));
        marked.map(|row| row.uid).collect()
    }

    pub(super) fn count(&self) -> u32 {
        self.listing.len() - self.marks.count()
    }

    /// How many messages are left, and how large they are.
    pub(super) fn summary(&self) -> String {
        format!("{} messages ({} octets)", self.count(), self.octets)
    }

    /// RFC 1939 §7: what UIDL gives is unique for ever in this maildrop: the folder's UIDVALIDITY and the UID.
    pub(super) fn unique_id(&self, row: &Row) -> String {
        format!("{}.{}", self.listing.uid_validity().0, row.uid.get())
    }

    /// Messages that are left from a position on, with their positions.
    pub(super) fn left_from(&self, index: u32) -> impl Iterator<Item = (u32, &Row)> {
        (index..).zip(self.listing.rows_from(index)).filter(|(index, _)| !self.marks.has(*index))
    }

    /// The position and row of a message that is left, or the answer that it is not.
    fn find(&self, number: Number) -> Result<(u32, &Row), Answer<'static>> {
        let found = number.0.checked_sub(1).and_then(|index| Some((index, self.listing.row_at(index)?)));
        match found {
            None => Err(wrong(&format!("No such message; there are {} in the maildrop.", self.listing.len()))),
            Some((index, _)) if self.marks.has(index) => Err(wrong("The message is marked as deleted.")),
            Some(found) => Ok(found),
        }
    }

    fn one(&self, number: Number, what: What) -> Answer<'static> {
        match self.find(number) {
            Ok((_, row)) => fine(&format!("{} {}", number.0, what.of(self, row))),
            Err(answer) => answer,
        }
    }

    fn message(&self, number: Number, lines: Option<u64>) -> Answer<'static> {
        match self.find(number) {
            Ok((_, row)) => Answer::Message(Message::new(row, lines)),
            Err(answer) => answer,
        }
    }

    fn delete(&mut self, number: Number) -> Answer<'static> {
        match self.find(number).map(|(index, row)| (index, row.size.octets_in_lines())) {
            Ok((index, size)) => {
                self.marks.set(index);
                self.octets = self.octets.saturating_sub(size);
                fine("The message is marked as deleted.")
            }
            Err(answer) => answer,
        }
    }
}

fn fine(text: &str) -> Answer<'static> {
    let mut line = Vec::new();
    ok(&mut line, text);
    Answer::Line(line)
}

fn wrong(text: &str) -> Answer<'static> {
    let mut line = Vec::new();
    err(&mut line, None, text);
    Answer::Line(line)
}

impl Reply for Answer<'_> {
    fn output(&mut self, out: &mut Vec<u8>) -> Step {
        match self {
            Self::Line(line) => line.output(out),
            Self::Scan(scan) => scan.output(out),
            Self::Message(message) => message.output(out),
        }
    }

    fn supply(&mut self, supply: Supply) {
        match self {
            Self::Line(line) => line.supply(supply),
            Self::Scan(scan) => scan.supply(supply),
            Self::Message(message) => message.supply(supply),
        }
    }
}

#[cfg(test)]
mod tests;
