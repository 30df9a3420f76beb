use std::borrow::Cow;

use super::ParseError::{Expected, Invalid};
use super::date::date_time;
use super::flag::flag_list;
use super::{Cursor, Result, sequence_set};
use crate::imap::command::{Append, Body, Copy, List, ListPattern, Mailbox, Select, Status, StatusItem};
use crate::imap::mutf7;

const MAILBOX: &str = "a mailbox name";

/// A mailbox name.
pub fn mailbox(cursor: &mut Cursor<'_>) -> Result<Mailbox> {
    cursor.astring(MAILBOX).and_then(decoded).map(Mailbox)
}

fn decoded(name: Cow<'_, [u8]>) -> Result<String> {
    mutf7::decode(&name).ok_or(Invalid("A mailbox name is neither in modified UTF-7 nor in UTF-8."))
}

/// SELECT and EXAMINE with the one parameter of RFC 7162 §3.1.8.
pub fn select(cursor: &mut Cursor<'_>) -> Result<Select> {
    let mailbox = mailbox(cursor)?;
    cursor.skip_spaces();
    let condstore = cursor.eat(b'(');
    if condstore {
        if cursor.word().as_bytes() != b"CONDSTORE" {
            return Err(Expected("CONDSTORE"));
        }
        cursor.expect(b')', "a closing parenthesis")?;
    }
    Ok(Select { mailbox, condstore })
}

pub fn rename(cursor: &mut Cursor<'_>) -> Result<Body> {
    let from = mailbox(cursor)?;
    cursor.space()?;
    Ok(Body::Rename { from, to: mailbox(cursor)? })
}

/// `LIST [(SPECIAL-USE)] reference pattern [RETURN (options)]` (RFC 3501 §6.3.8, RFC 6154 §2). SPECIAL-USE and
/// CHILDREN as return options ask for what is returned anyway.
pub fn list(cursor: &mut Cursor<'_>) -> Result<Body> {
    let mut special_use_only = false;
    if cursor.eat(b'(') {
        options(cursor, |option| {
            special_use_only = option == b"SPECIAL-USE";
            special_use_only
        })?;
        cursor.space()?;
    }
    let reference = mailbox(cursor)?;
    cursor.space()?;
    let pattern = pattern(cursor)?;
    cursor.skip_spaces();
    if !cursor.is_empty() {
        if cursor.word().as_bytes() != b"RETURN" {
            return Err(Expected("RETURN or the end of the command"));
        }
        cursor.space()?;
        cursor.expect(b'(', "a list of return options")?;
        options(cursor, |option| option == b"SPECIAL-USE" || option == b"CHILDREN")?;
    }
    Ok(Body::List(List { special_use_only, reference, pattern }))
}

/// Options up to the closing parenthesis, each of which `known` knows.
fn options(cursor: &mut Cursor<'_>, mut known: impl FnMut(&[u8]) -> bool) -> Result<()> {
    cursor.skip_spaces();
    while !cursor.eat(b')') {
        if !known(cursor.word().as_bytes()) {
            return Err(Invalid("LIST knows the option SPECIAL-USE, and CHILDREN to be returned."));
        }
        cursor.skip_spaces();
    }
    Ok(())
}

pub fn lsub(cursor: &mut Cursor<'_>) -> Result<Body> {
    let reference = mailbox(cursor)?;
    cursor.space()?;
    Ok(Body::Lsub { reference, pattern: pattern(cursor)? })
}

fn pattern(cursor: &mut Cursor<'_>) -> Result<ListPattern> {
    cursor.list_mailbox("a mailbox pattern").and_then(decoded).map(ListPattern)
}

/// `STATUS mailbox (items)` (RFC 3501 §6.3.10).
pub fn status(cursor: &mut Cursor<'_>) -> Result<Body> {
    let mailbox = mailbox(cursor)?;
    cursor.space()?;
    cursor.expect(b'(', "a list of status items")?;
    cursor.skip_spaces();
    let mut items = Vec::new();
    loop {
        let word = cursor.word();
        let item = StatusItem::ALL.into_iter().find(|item| item.name().as_bytes() == word.as_bytes());
        let item = item.ok_or(Expected("a status item"))?;
        if !items.contains(&item) {
            items.push(item);
        }
        cursor.skip_spaces();
        if cursor.eat(b')') {
            return Ok(Body::Status(Status { mailbox, items }));
        }
    }
}

/// `APPEND mailbox [(flags)] [date] {n}` up to the octets of the message, which do not stand behind it (RFC
/// 3501 §6.3.11).
pub fn append(cursor: &mut Cursor<'_>) -> Result<Body> {
    let mailbox = mailbox(cursor)?;
    cursor.space()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = flag_list(cursor)?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        date = Some(date_time(cursor)?);
        cursor.space()?;
    }
    if cursor.peek() != Some(b'{') {
        return Err(Expected("the message as a literal"));
    }
    let announcement = cursor.announcement()?;
    Ok(Body::Append(Append { mailbox, flags, date, size: announcement.size, non_sync: announcement.non_sync }))
}

/// COPY and MOVE.
pub fn copy(cursor: &mut Cursor<'_>, uid: bool) -> Result<Copy> {
    let set = sequence_set(cursor)?;
    cursor.space()?;
    Ok(Copy { set, uid, mailbox: mailbox(cursor)? })
}
