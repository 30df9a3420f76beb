use super::ParseError::{Expected, Invalid, Limit};
use super::{Cursor, Limits, Result, Word, sequence_set};
use crate::imap::command::{Body, Fetch, FetchItem, HeaderNames, Partial, Section, SectionText};

/// `FETCH set items [(CHANGEDSINCE n)]` (RFC 3501 §6.4.5, RFC 7162 §3.1.4).
pub fn fetch(cursor: &mut Cursor<'_>, limits: &Limits, uid: bool) -> Result<Body> {
    let set = sequence_set(cursor)?;
    cursor.space()?;
    let mut items = Items { items: Vec::new(), limit: limits.fetch_items };
    if uid {
        // RFC 3501 §6.4.8: UID is answered to a UID FETCH, asked for or not.
        items.push(FetchItem::Uid)?;
    }
    if cursor.eat(b'(') {
        cursor.skip_spaces();
        loop {
            // Macros stand alone in the grammar; within parentheses they do no harm.
            item(cursor, limits, &mut items)?;
            cursor.skip_spaces();
            if cursor.eat(b')') {
                break;
            }
        }
    } else {
        item(cursor, limits, &mut items)?;
    }
    cursor.skip_spaces();
    let mut changed_since = None;
    if cursor.eat(b'(') {
        if cursor.word().as_bytes() != b"CHANGEDSINCE" {
            return Err(Expected("CHANGEDSINCE"));
        }
        cursor.space()?;
        changed_since = Some(cursor.mod_seq()?);
        cursor.expect(b')', "a closing parenthesis")?;
        // RFC 7162 §3.1.4.1: as if MODSEQ had been asked for.
        items.push(FetchItem::ModSeq)?;
    }
    Ok(Body::Fetch(Fetch { set, uid, items: items.items, changed_since }))
}

/// Items without doubles: a short command must not make a long answer.
struct Items {
    items: Vec<FetchItem>,
    limit: usize,
}

impl Items {
    fn push(&mut self, item: FetchItem) -> Result<()> {
        if self.items.contains(&item) {
            return Ok(());
        }
        if self.items.len() >= self.limit {
            return Err(Limit { what: "different FETCH items", limit: self.limit });
        }
        self.items.push(item);
        Ok(())
    }
}

fn item(cursor: &mut Cursor<'_>, limits: &Limits, items: &mut Items) -> Result<()> {
    use FetchItem as Item;
    let word = Word::new(cursor.take_while(|b| b.is_ascii_alphanumeric() || b == b'.'));
    let all = [Item::Flags, Item::InternalDate, Item::Rfc822Size, Item::Envelope, Item::Body];
    items.push(match word.as_bytes() {
        b"BODY" | b"BODY.PEEK" if cursor.eat(b'[') => {
            let section = section(cursor, limits)?;
            let partial = partial(cursor)?;
            Item::Section { section, partial, peek: word.as_bytes() == b"BODY.PEEK" }
        }
        b"BODY" => Item::Body,
        b"BODYSTRUCTURE" => Item::BodyStructure,
        b"ENVELOPE" => Item::Envelope,
        b"FLAGS" => Item::Flags,
        b"INTERNALDATE" => Item::InternalDate,
        b"RFC822" => Item::Rfc822,
        b"RFC822.HEADER" => Item::Rfc822Header,
        b"RFC822.SIZE" => Item::Rfc822Size,
        b"RFC822.TEXT" => Item::Rfc822Text,
        b"UID" => Item::Uid,
        b"MODSEQ" => Item::ModSeq,
        macro_name => {
            let count = match macro_name {
                b"FAST" => 3,
                b"ALL" => 4,
                b"FULL" => 5,
                _ => return Err(Expected("a FETCH item")),
            };
            return all.into_iter().take(count).try_for_each(|item| items.push(item));
        }
    })
}

/// What stands behind `[`, with the closing bracket.
fn section(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Section> {
    const WHAT: &str = "a section like 1.2, HEADER or TEXT";
    let mut section = Section::default();
    if cursor.eat(b']') {
        return Ok(section);
    }
    let mut text_follows = true;
    while cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
        section.part.push(cursor.non_zero(WHAT)?);
        text_follows = cursor.eat(b'.');
        if !text_follows {
            break;
        }
    }
    if text_follows {
        section.text = Some(match cursor.word().as_bytes() {
            b"HEADER" => SectionText::Header,
            b"HEADER.FIELDS" => SectionText::HeaderFields(header_names(cursor, limits)?),
            b"HEADER.FIELDS.NOT" => SectionText::HeaderFieldsNot(header_names(cursor, limits)?),
            b"TEXT" => SectionText::Text,
            // RFC 3501 §6.4.5: MIME must have a part number before it.
            b"MIME" if !section.part.is_empty() => SectionText::Mime,
            _ => return Err(Expected(WHAT)),
        });
    }
    cursor.expect(b']', "the closing bracket of a section")?;
    Ok(section)
}

/// ` (name name)`
fn header_names(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<HeaderNames> {
    const WHAT: &str = "a list of header names";
    cursor.skip_spaces();
    cursor.expect(b'(', WHAT)?;
    cursor.skip_spaces();
    let mut names = Vec::new();
    loop {
        if names.len() == limits.header_names {
            return Err(Limit { what: "header names in a section", limit: limits.header_names });
        }
        let name = cursor.astring(WHAT)?;
        // RFC 5322 §2.2: a field name is printable US-ASCII. It is written back in the response.
        let printable = name.iter().all(|&b| matches!(b, b' '..=b'~'));
        let name = std::str::from_utf8(&name).ok().filter(|_| printable);
        names.push(name.ok_or(Invalid("A header name must be printable US-ASCII."))?.to_owned());
        cursor.skip_spaces();
        if cursor.eat(b')') {
            return Ok(HeaderNames::new(names));
        }
    }
}

/// `<offset.length>`, if it is there.
fn partial(cursor: &mut Cursor<'_>) -> Result<Option<Partial>> {
    const WHAT: &str = "a range like <0.1024>";
    if !cursor.eat(b'<') {
        return Ok(None);
    }
    let offset = cursor.number32(WHAT)?;
    cursor.expect(b'.', WHAT)?;
    let length = cursor.non_zero(WHAT)?;
    cursor.expect(b'>', WHAT)?;
    Ok(Some(Partial { offset, length }))
}
