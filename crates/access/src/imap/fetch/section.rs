//! Where the octets of a section stand in a message (RFC 3501 §6.4.5).

use std::ops::Range;

use mime::Content;
use proto::imap::command::{FetchItem, HeaderNames, Partial, Section, SectionText};
use proto::imap::write;
use store::MessageOutline;

/// What an item sends.
#[derive(Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// The message has no such part.
    Nothing,
    /// Octets of the message as they stand.
    Range(Range<u64>),
    /// Lines of the header that stands there.
    Fields { header: Range<u64>, fields: Fields<'a>, partial: Option<Partial> },
}

/// Header lines chosen by name.
#[derive(Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    names: &'a HeaderNames,
    /// Whether the named ones are sent, or all others.
    named: bool,
}

/// `outline` is there unless the item is the whole message.
pub fn source<'a>(item: &'a FetchItem, size: u64, outline: Option<&MessageOutline>) -> Source<'a> {
    let half = |half| outline.and_then(|outline| range_of(outline, 0, half)).map_or(Source::Nothing, Source::Range);
    match item {
        FetchItem::Rfc822 => Source::Range(0..size),
        FetchItem::Rfc822Header => half(Half::Header),
        FetchItem::Rfc822Text => half(Half::Text),
        FetchItem::Section { section, partial, .. } => {
            if section.part.is_empty() && section.text.is_none() {
                return Source::Range(cut(0..size, *partial));
            }
            match outline.and_then(|outline| range(section, outline)) {
                None => Source::Nothing,
                Some(range) => match fields(section) {
                    Some(fields) => Source::Fields { header: range, fields, partial: *partial },
                    None => Source::Range(cut(range, *partial)),
                },
            }
        }
        _ => Source::Nothing,
    }
}

fn fields(section: &Section) -> Option<Fields<'_>> {
    match section.text.as_ref()? {
        SectionText::HeaderFields(names) => Some(Fields { names, named: true }),
        SectionText::HeaderFieldsNot(names) => Some(Fields { names, named: false }),
        SectionText::Header | SectionText::Text | SectionText::Mime => None,
    }
}

/// The two halves of a part.
#[derive(Clone, Copy)]
enum Half {
    Header,
    Text,
}

/// The outline counts from the body's start: all but the root header's begin stands further back by the
/// prefix.
fn range_of(message: &MessageOutline, index: usize, half: Half) -> Option<Range<u64>> {
    let part = message.outline.parts.get(index)?;
    let prefix = u64::from(message.prefix);
    Some(match half {
        Half::Header if index == 0 => 0..prefix + part.header.end,
        Half::Header => prefix + part.header.start..prefix + part.header.end,
        Half::Text => prefix + part.body.start..prefix + part.body.end,
    })
}

fn range(section: &Section, message: &MessageOutline) -> Option<Range<u64>> {
    let path: Vec<u32> = section.part.iter().map(|number| number.get()).collect();
    let index = message.outline.section_index(&path)?;
    let Some(text) = &section.text else { return range_of(message, index, Half::Text) };
    // HEADER and TEXT are those of a whole message: the root, or what a message/rfc822 part holds.
    let holder = match message.outline.parts.get(index)?.content {
        _ if path.is_empty() => Some(0),
        Content::Message { .. } => Some(index + 1),
        Content::Leaf | Content::Multipart => None,
    };
    match text {
        SectionText::Mime => range_of(message, index, Half::Header),
        SectionText::Text => range_of(message, holder?, Half::Text),
        SectionText::Header | SectionText::HeaderFields(_) | SectionText::HeaderFieldsNot(_) => {
            range_of(message, holder?, Half::Header)
        }
    }
}

/// RFC 3501 §6.4.5: what lies past the end is cut off, up to nothing at all.
fn cut(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(Partial { offset, length }) = partial else { return range };
    let start = (range.start + u64::from(offset)).min(range.end);
    start..range.end.min(start + u64::from(length.get()))
}

impl Fields<'_> {
    /// Writes the literal: the lines of `block` that are chosen, and the empty line (RFC 3501 §6.4.5).
    pub fn write(&self, out: &mut Vec<u8>, block: &[u8], partial: Option<Partial>) {
        let mut chosen = Vec::new();
        for field in mime::header::fields(block) {
            if self.names.has(field.name) == self.named {
                chosen.extend_from_slice(block.get(field.range).unwrap_or_default());
            }
        }
        chosen.extend_from_slice(b"\r\n");
        let cut = cut(0..chosen.len() as u64, partial);
        write::literal_begin(out, cut.end - cut.start);
        out.extend_from_slice(chosen.get(cut.start as usize..cut.end as usize).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use mime::Limits;

    use super::*;

    const PREFIX: &str = "Received: here\r\n";
    const BODY: &str = "Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        preamble\r\n--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: inner\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ntwo\r\n--c--\r\n--b--\r\nend\r\n";

    fn shown(message: &str, prefix: &str, part: &[u32], text: Option<SectionText>) -> Option<String> {
        let outline = Arc::new(mime::parse(message.as_bytes(), Limits::default()));
        let outline = MessageOutline { prefix: prefix.len() as u32, outline };
        let part = part.iter().map(|&n| NonZeroU32::new(n).unwrap()).collect();
        let section = Section { part, text };
        let item = FetchItem::Section { section, partial: None, peek: true };
        let whole = format!("{prefix}{message}");
        match source(&item, whole.len() as u64, Some(&outline)) {
            Source::Nothing => None,
            Source::Range(range) => Some(whole[range.start as usize..range.end as usize].to_owned()),
            Source::Fields { header, fields, partial } => {
                let mut out = Vec::new();
                fields.write(&mut out, &whole.as_bytes()[header.start as usize..header.end as usize], partial);
                Some(String::from_utf8(out).unwrap())
            }
        }
    }

    #[test]
    fn sections_of_a_nested_message_are_its_own_octets() {
        let section = |part: &[u32], text| shown(BODY, PREFIX, part, text);
        let inner = &BODY[BODY.find("Subject: inner").unwrap()..BODY.find("\r\n--b--").unwrap()];
        assert_eq!(section(&[], None), Some(format!("{PREFIX}{BODY}")));
        let header = &BODY[..BODY.find("preamble").unwrap()];
        assert_eq!(section(&[], Some(SectionText::Header)), Some(format!("{PREFIX}{header}")));
        assert_eq!(section(&[], Some(SectionText::Text)).as_deref(), Some(&BODY[header.len()..]));
        assert_eq!(section(&[1], None).as_deref(), Some("one"));
        assert_eq!(section(&[1], Some(SectionText::Mime)).as_deref(), Some("Content-Type: text/plain\r\n\r\n"));
        assert_eq!(section(&[2], None).as_deref(), Some(inner));
        assert_eq!(section(&[2, 1], None).as_deref(), Some("two"));
        let inner_header = &inner[..inner.find("--c").unwrap()];
        assert_eq!(section(&[2], Some(SectionText::Header)).as_deref(), Some(inner_header));
        assert_eq!(section(&[2], Some(SectionText::Text)).as_deref(), Some(&inner[inner_header.len()..]));
        let mime = section(&[2], Some(SectionText::Mime));
        assert_eq!(mime.as_deref(), Some("Content-Type: message/rfc822\r\n\r\n"));
    }

    #[test]
    fn sections_that_are_not_there_are_nil() {
        for part in [&[3][..], &[1, 1], &[2, 2], &[2, 1, 1], &[u32::MAX]] {
            assert_eq!(shown(BODY, PREFIX, part, None), None, "{part:?}");
        }
        assert_eq!(shown(BODY, PREFIX, &[1], Some(SectionText::Header)), None);
        assert_eq!(shown(BODY, PREFIX, &[1], Some(SectionText::Text)), None);
    }

    #[test]
    fn the_only_part_of_a_plain_message_is_its_body() {
        let message = "Subject: x\r\n\r\nbody\r\n";
        assert_eq!(shown(message, PREFIX, &[1], None).as_deref(), Some("body\r\n"));
        let mime = shown(message, PREFIX, &[1], Some(SectionText::Mime));
        assert_eq!(mime.as_deref(), Some("Received: here\r\nSubject: x\r\n\r\n"));
    }

    #[test]
    fn header_fields_are_chosen_by_name_in_any_case_with_their_folds() {
        let message = "Subject: a\r\n b\r\nFrom: f\r\nSUBJECT: c\r\nX: d\r\n\r\nbody";
        let names = |names: &[&str]| HeaderNames::new(names.iter().map(|&name| name.to_owned()).collect());
        let named = shown(message, "", &[], Some(SectionText::HeaderFields(names(&["subject", "none"]))));
        assert_eq!(named.as_deref(), Some("{30}\r\nSubject: a\r\n b\r\nSUBJECT: c\r\n\r\n"));
        let others = shown(message, "", &[], Some(SectionText::HeaderFieldsNot(names(&["subject"]))));
        assert_eq!(others.as_deref(), Some("{17}\r\nFrom: f\r\nX: d\r\n\r\n"));
    }

    #[test]
    fn partials_are_cut_at_the_end() {
        let partial = |offset, length| Some(Partial { offset, length: NonZeroU32::new(length).unwrap() });
        assert_eq!(cut(10..20, None), 10..20);
        assert_eq!(cut(10..20, partial(0, 4)), 10..14);
        assert_eq!(cut(10..20, partial(8, 4)), 18..20);
        assert_eq!(cut(10..20, partial(10, 4)), 20..20);
        assert_eq!(cut(10..20, partial(u32::MAX, u32::MAX)), 20..20);
    }
}
