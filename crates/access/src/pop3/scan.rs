//! LIST and UIDL of a whole maildrop.

use std::io::Write;

use proto::pop3::ok;
use store::Row;

use super::maildrop::Maildrop;
use crate::reply::{LOW_WATER, Reply, Step, Supply};

/// A cursor over the messages that are left.
pub struct Scan<'a> {
    maildrop: &'a Maildrop,
    what: What,
    /// The position to go on from; `None` before the status line.
    next: Option<u32>,
}

/// What a line says of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Sizes,
    Ids,
}

impl What {
    pub fn of(self, maildrop: &Maildrop, row: &Row) -> String {
        match self {
            // RFC 1939 §11: exact, in octets of the message with CRLF at its line ends.
            Self::Sizes => row.size.octets_in_lines().to_string(),
            Self::Ids => maildrop.unique_id(row),
        }
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(maildrop: &'a Maildrop, what: What) -> Self {
        Self { maildrop, what, next: None }
    }
}

impl Reply for Scan<'_> {
    fn output(&mut self, out: &mut Vec<u8>) -> Step {
        let end = out.len() + LOW_WATER;
        let next = self.next.unwrap_or_else(|| {
            ok(out, &self.maildrop.summary());
            0
        });
        for (index, row) in self.maildrop.left_from(next) {
            if out.len() >= end {
                self.next = Some(index);
                return Step::More;
            }
            let number = u64::from(index) + 1;
            // Writing to a vector does not fail.
            let _ = write!(out, "{number} {}\r\n", self.what.of(self.maildrop, row));
        }
        out.extend_from_slice(b".\r\n");
        Step::Done
    }

    fn supply(&mut self, _: Supply) {}
}
