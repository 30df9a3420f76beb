use super::ParseError::{BadCharset, Expected, Invalid, Limit};
use super::date::date;
use super::{Cursor, Limits, Result, sequence_set};
use crate::imap::command::{Body, Date, Flag, Search, SearchBuilder, SearchKey, SearchShapeError};

/// `SEARCH [CHARSET name] keys` (RFC 3501 §6.4.4).
pub fn search(cursor: &mut Cursor<'_>, limits: &Limits, uid: bool) -> Result<Body> {
    charset(cursor)?;
    let mut builder = SearchBuilder::new(limits.search_depth);
    let shape = |error| match error {
        SearchShapeError::TooDeep => Limit { what: "levels in a SEARCH", limit: limits.search_depth },
        SearchShapeError::Incomplete => Expected("a search key"),
    };
    let mut keys = 0;
    loop {
        cursor.skip_spaces();
        if cursor.is_empty() {
            break;
        }
        if cursor.eat(b'(') {
            builder.open().map_err(shape)?;
        } else if cursor.eat(b')') {
            builder.close().map_err(shape)?;
        } else {
            match token(cursor)? {
                Token::Key(_) if keys == limits.search_keys => {
                    return Err(Limit { what: "keys in a SEARCH", limit: limits.search_keys });
                }
                Token::Key(key) => {
                    keys += 1;
                    builder.key(key);
                }
                Token::Not => builder.not().map_err(shape)?,
                Token::Or => builder.or().map_err(shape)?,
            }
        }
    }
    Ok(Body::Search(Search { uid, program: builder.finish().map_err(shape)? }))
}

/// RFC 3501 §6.4.4: US-ASCII is a must; UTF-8 is what everybody uses. Texts are taken as UTF-8 in any case,
/// since clients send it without saying so.
fn charset(cursor: &mut Cursor<'_>) -> Result<()> {
    let mut ahead = *cursor;
    if ahead.word().as_bytes() != b"CHARSET" {
        return Ok(());
    }
    ahead.space()?;
    let name = ahead.astring("the name of a charset")?;
    if !["UTF-8", "US-ASCII", "UTF8", "ASCII"].iter().any(|known| known.as_bytes().eq_ignore_ascii_case(&name)) {
        return Err(BadCharset);
    }
    ahead.space()?;
    *cursor = ahead;
    Ok(())
}

enum Token {
    Key(SearchKey),
    Not,
    Or,
}

fn token(cursor: &mut Cursor<'_>) -> Result<Token> {
    use SearchKey as Key;
    if cursor.peek().is_some_and(|b| b.is_ascii_digit() || b == b'*') {
        return Ok(Token::Key(Key::Sequence(sequence_set(cursor)?)));
    }
    let word = cursor.word();
    Ok(Token::Key(match word.as_bytes() {
        b"NOT" => return Ok(Token::Not),
        b"OR" => return Ok(Token::Or),
        b"ALL" => Key::All,
        b"ANSWERED" => Key::Has(Flag::Answered),
        b"DELETED" => Key::Has(Flag::Deleted),
        b"DRAFT" => Key::Has(Flag::Draft),
        b"FLAGGED" => Key::Has(Flag::Flagged),
        b"SEEN" => Key::Has(Flag::Seen),
        b"UNANSWERED" => Key::Lacks(Flag::Answered),
        b"UNDELETED" => Key::Lacks(Flag::Deleted),
        b"UNDRAFT" => Key::Lacks(Flag::Draft),
        b"UNFLAGGED" => Key::Lacks(Flag::Flagged),
        b"UNSEEN" => Key::Lacks(Flag::Seen),
        b"KEYWORD" => Key::Has(keyword(cursor)?),
        b"UNKEYWORD" => Key::Lacks(keyword(cursor)?),
        b"NEW" => Key::New,
        b"OLD" => Key::Old,
        b"RECENT" => Key::Recent,
        b"UID" => {
            cursor.space()?;
            Key::Uid(sequence_set(cursor)?)
        }
        b"LARGER" => Key::Larger(size(cursor)?),
        b"SMALLER" => Key::Smaller(size(cursor)?),
        b"BEFORE" => Key::Before(day(cursor)?),
        b"ON" => Key::On(day(cursor)?),
        b"SINCE" => Key::Since(day(cursor)?),
        b"SENTBEFORE" => Key::SentBefore(day(cursor)?),
        b"SENTON" => Key::SentOn(day(cursor)?),
        b"SENTSINCE" => Key::SentSince(day(cursor)?),
        b"FROM" => Key::From(text(cursor)?),
        b"TO" => Key::To(text(cursor)?),
        b"CC" => Key::Cc(text(cursor)?),
        b"BCC" => Key::Bcc(text(cursor)?),
        b"SUBJECT" => Key::Subject(text(cursor)?),
        b"BODY" => Key::Body(text(cursor)?),
        b"TEXT" => Key::Text(text(cursor)?),
        b"HEADER" => Key::Header { name: text(cursor)?, value: text(cursor)? },
        b"MODSEQ" => Key::ModSeq(mod_seq(cursor)?),
        _ => return Err(Expected("a search key")),
    }))
}

fn text(cursor: &mut Cursor<'_>) -> Result<String> {
    cursor.space()?;
    let text = cursor.astring("a text to search for")?;
    String::from_utf8(text.into_owned()).map_err(|_| Invalid("A text to search for is not in UTF-8."))
}

fn keyword(cursor: &mut Cursor<'_>) -> Result<Flag> {
    cursor.space()?;
    Ok(Flag::Keyword(cursor.atom("a keyword")?.to_owned()))
}

fn size(cursor: &mut Cursor<'_>) -> Result<u64> {
    cursor.space()?;
    cursor.number("a number of octets")
}

fn day(cursor: &mut Cursor<'_>) -> Result<Date> {
    cursor.space()?;
    date(cursor)
}

/// RFC 7162 §3.1.5: `MODSEQ [entry type] n`. All of a message's metadata has one mod-sequence here, so the
/// entry makes no difference, as the RFC allows.
fn mod_seq(cursor: &mut Cursor<'_>) -> Result<u64> {
    cursor.space()?;
    if cursor.peek() == Some(b'"') {
        cursor.string("an entry name")?;
        cursor.space()?;
        if !matches!(cursor.word().as_bytes(), b"ALL" | b"PRIV" | b"SHARED") {
            return Err(Expected("all, priv or shared"));
        }
        cursor.space()?;
    }
    cursor.mod_seq()
}
