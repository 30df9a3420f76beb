use super::ParseError::{Expected, Invalid};
use super::{Cursor, Result, sequence_set};
use crate::imap::command::{Body, Flag, Store, StoreHow};

/// `STORE set [(UNCHANGEDSINCE n)] [+-]FLAGS[.SILENT] flags` (RFC 3501 §6.4.6, RFC 7162 §3.1.3).
pub fn store(cursor: &mut Cursor<'_>, uid: bool) -> Result<Body> {
    let set = sequence_set(cursor)?;
    cursor.space()?;
    let mut unchanged_since = None;
    if cursor.eat(b'(') {
        if cursor.word().as_bytes() != b"UNCHANGEDSINCE" {
            return Err(Expected("UNCHANGEDSINCE"));
        }
        cursor.space()?;
        unchanged_since = Some(cursor.mod_seq()?);
        cursor.expect(b')', "a closing parenthesis")?;
        cursor.space()?;
    }
    let (how, silent) = match cursor.word().as_bytes() {
        b"FLAGS" => (StoreHow::Replace, false),
        b"FLAGS.SILENT" => (StoreHow::Replace, true),
        b"+FLAGS" => (StoreHow::Add, false),
        b"+FLAGS.SILENT" => (StoreHow::Add, true),
        b"-FLAGS" => (StoreHow::Remove, false),
        b"-FLAGS.SILENT" => (StoreHow::Remove, true),
        _ => return Err(Expected("FLAGS, +FLAGS or -FLAGS")),
    };
    cursor.space()?;
    let flags = if cursor.peek() == Some(b'(') { flag_list(cursor)? } else { bare_flags(cursor)? };
    Ok(Body::Store(Store { set, uid, unchanged_since, how, silent, flags }))
}

/// `(\Seen keyword)`, perhaps empty.
pub fn flag_list(cursor: &mut Cursor<'_>) -> Result<Vec<Flag>> {
    cursor.expect(b'(', "a list of flags")?;
    let mut flags = Vec::new();
    cursor.skip_spaces();
    while !cursor.eat(b')') {
        flags.extend(flag(cursor)?);
        if cursor.peek() != Some(b')') {
            cursor.space()?;
        }
    }
    Ok(flags)
}

/// RFC 3501 §9: store-att-flags allows flags without parentheses.
fn bare_flags(cursor: &mut Cursor<'_>) -> Result<Vec<Flag>> {
    let mut flags = Vec::new();
    loop {
        flags.extend(flag(cursor)?);
        cursor.skip_spaces();
        if cursor.is_empty() {
            return Ok(flags);
        }
    }
}

/// `None` for `\Recent`: RFC 3501 §2.3.2 lets no client alter it, and clients that copy flags from one server
/// to another send it along.
fn flag(cursor: &mut Cursor<'_>) -> Result<Option<Flag>> {
    if !cursor.eat(b'\\') {
        return Ok(Some(Flag::Keyword(cursor.atom("a flag")?.to_owned())));
    }
    Ok(Some(match cursor.word().as_bytes() {
        b"ANSWERED" => Flag::Answered,
        b"FLAGGED" => Flag::Flagged,
        b"DELETED" => Flag::Deleted,
        b"SEEN" => Flag::Seen,
        b"DRAFT" => Flag::Draft,
        b"RECENT" => return Ok(None),
        _ => return Err(Invalid("There is no such system flag.")),
    }))
}
