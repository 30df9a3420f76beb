//! From octets to a [`Command`]: one pass over one buffer, no recursion.
//!
//! The buffer holds one whole command without its last line end, each literal inline behind its `{n}` and
//! line end. Errors name what was expected and hold nothing of what was sent.

mod cursor;
mod date;
mod error;
mod fetch;
mod flag;
mod logon;
mod mailbox;
mod search;
mod sequence;
#[cfg(test)]
mod tests;

pub use cursor::{Announcement, Cursor, Word};
pub use error::ParseError;
pub(super) use fetch::fetch;
pub(super) use flag::store;
pub(super) use logon::{authenticate, enable, id, login};
pub(super) use mailbox::{append, copy, list, lsub, mailbox, rename, select, status};
pub(super) use search::search;
pub(super) use sequence::sequence_set;

use super::command::{Command, Tag};
use super::table::{self, Row};

type Result<T, E = ParseError> = std::result::Result<T, E>;

/// How much of something a command may hold. Its length is limited by the framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of parentheses, NOT and OR in a SEARCH.
    pub search_depth: usize,
    /// Keys of a SEARCH: each costs time for each message.
    pub search_keys: usize,
    /// Different items of a FETCH.
    pub fetch_items: usize,
    /// Names in one HEADER.FIELDS.
    pub header_names: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { search_depth: 100, search_keys: 256, fetch_items: 256, header_names: 256 }
    }
}

/// The beginning of a command: its tag, its row in the table, and what is left. `Err` holds the tag if there
/// is one.
pub fn head(command: &[u8]) -> Result<(Tag, &'static Row, Cursor<'_>), (Option<Tag>, ParseError)> {
    let mut cursor = Cursor::new(command);
    let tag = cursor.take_while(|b| b != b' ');
    let Some(tag) = Tag::new(tag) else { return Err((None, ParseError::Expected("a tag and a command"))) };
    cursor.skip_spaces();
    let word = cursor.word();
    let mut row = table::find(word.as_bytes(), false);
    if word.as_bytes() == b"UID" {
        cursor.skip_spaces();
        row = table::find(cursor.word().as_bytes(), true);
    }
    // A name ends where the word ends, or it is another one.
    match row.filter(|_| matches!(cursor.peek(), None | Some(b' '))) {
        Some(row) => Ok((tag, row, cursor)),
        None => Err((Some(tag), ParseError::Invalid("The command is not known."))),
    }
}

/// The whole command. The session takes the two steps on its own, to judge the state in between.
pub fn command(command: &[u8], limits: &Limits) -> Result<Command, (Option<Tag>, ParseError)> {
    let (tag, row, cursor) = head(command)?;
    match row.parse(cursor, limits) {
        Ok(body) => Ok(Command { tag, body }),
        Err(error) => Err((Some(tag), error)),
    }
}
