use super::ParseError::Expected;
use super::{Cursor, Result};
use crate::imap::command::{SequenceRange, SequenceSet};

const WHAT: &str = "a set of message numbers";

/// RFC 3501 §9: sequence-set.
pub fn sequence_set(cursor: &mut Cursor<'_>) -> Result<SequenceSet> {
    let mut ranges = Vec::new();
    loop {
        let from = number_or_star(cursor)?;
        let to = if cursor.eat(b':') { number_or_star(cursor)? } else { from };
        ranges.push(SequenceRange { from, to });
        if !cursor.eat(b',') {
            return SequenceSet::new(ranges).ok_or(Expected(WHAT));
        }
    }
}

fn number_or_star(cursor: &mut Cursor<'_>) -> Result<Option<std::num::NonZeroU32>> {
    if cursor.eat(b'*') { Ok(None) } else { cursor.non_zero(WHAT).map(Some) }
}
