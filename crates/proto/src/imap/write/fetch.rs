//! The pieces of a FETCH response (RFC 3501 §7.4.2).

use std::io::Write as _;

use super::{astring, number};
use crate::imap::command::{Date, DateTime, FetchItem, Section, SectionText};

/// `* n FETCH (`. Items follow, parted by single spaces, then [`fetch_end`].
pub fn fetch_begin(out: &mut Vec<u8>, sequence_number: u32) {
    out.extend_from_slice(b"* ");
    number(out, sequence_number.into());
    out.extend_from_slice(b" FETCH (");
}

pub fn fetch_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b")\r\n");
}

/// An item's name as it stands in the response, without a space behind it.
pub fn item_name(out: &mut Vec<u8>, item: &FetchItem) {
    let name: &[u8] = match item {
        FetchItem::Envelope => b"ENVELOPE",
        FetchItem::Flags => b"FLAGS",
        FetchItem::InternalDate => b"INTERNALDATE",
        FetchItem::Rfc822 => b"RFC822",
        FetchItem::Rfc822Header => b"RFC822.HEADER",
        FetchItem::Rfc822Size => b"RFC822.SIZE",
        FetchItem::Rfc822Text => b"RFC822.TEXT",
        FetchItem::Body => b"BODY",
        FetchItem::BodyStructure => b"BODYSTRUCTURE",
        FetchItem::Section { section, partial, .. } => {
            section_name(out, section, partial.map(|partial| partial.offset));
            return;
        }
        FetchItem::Uid => b"UID",
        FetchItem::ModSeq => b"MODSEQ",
    };
    out.extend_from_slice(name);
}

/// `BODY[1.HEADER.FIELDS (FROM)]<0>`: with the offset only where a partial was asked for.
pub fn section_name(out: &mut Vec<u8>, section: &Section, offset: Option<u32>) {
    out.extend_from_slice(b"BODY[");
    for (i, part) in section.part.iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        number(out, part.get().into());
    }
    if let Some(text) = &section.text {
        if !section.part.is_empty() {
            out.push(b'.');
        }
        let (name, fields): (&[u8], &[String]) = match text {
            SectionText::Header => (b"HEADER", &[]),
            SectionText::HeaderFields(names) => (b"HEADER.FIELDS", names.asked()),
            SectionText::HeaderFieldsNot(names) => (b"HEADER.FIELDS.NOT", names.asked()),
            SectionText::Text => (b"TEXT", &[]),
            SectionText::Mime => (b"MIME", &[]),
        };
        out.extend_from_slice(name);
        for (i, field) in fields.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b" (" } else { b" " });
            astring(out, field.as_bytes());
        }
        if !fields.is_empty() {
            out.push(b')');
        }
    }
    out.push(b']');
    if let Some(offset) = offset {
        out.push(b'<');
        number(out, offset.into());
        out.push(b'>');
    }
}

/// `"17-Jul-1996 02:44:25 -0700"`, quotes included (RFC 3501 §9: date-time).
pub fn internal_date(out: &mut Vec<u8>, at: DateTime) {
    let local = at.seconds.saturating_add(i64::from(at.offset_minutes) * 60);
    let date = Date::from_days(local.div_euclid(86_400));
    let second = local.rem_euclid(86_400);
    let (sign, offset) =
        if at.offset_minutes < 0 { ('-', -i32::from(at.offset_minutes)) } else { ('+', i32::from(at.offset_minutes)) };
    // Writing to a Vec cannot fail.
    let _ = write!(
        out,
        "\"{:2}-{}-{:04} {:02}:{:02}:{:02} {sign}{:02}{:02}\"",
        date.day(),
        date.month_name(),
        date.year(),
        second / 3600,
        second / 60 % 60,
        second % 60,
        offset / 60,
        offset % 60,
    );
}

/// `MODSEQ (n)`, name included (RFC 7162 §7: the number is parenthesized in FETCH).
pub fn mod_seq(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(b"MODSEQ (");
    number(out, value);
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::imap::command::HeaderNames;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sections_are_named_as_they_were_asked_for() {
        let part = |n| NonZeroU32::new(n).unwrap();
        let fields = HeaderNames::new(vec!["From".to_owned(), "X Y".to_owned()]);
        let cases = [
            (Section::default(), None, "BODY[]"),
            (Section::default(), Some(0), "BODY[]<0>"),
            (Section { part: vec![part(1), part(2)], text: None }, None, "BODY[1.2]"),
            (Section { part: vec![part(3)], text: Some(SectionText::Mime) }, None, "BODY[3.MIME]"),
            (
                Section { part: vec![], text: Some(SectionText::HeaderFieldsNot(fields)) },
                Some(7),
                "BODY[HEADER.FIELDS.NOT (From \"X Y\")]<7>",
            ),
        ];
        for (section, offset, expected) in cases {
            assert_eq!(written(|out| section_name(out, &section, offset)), expected);
        }
    }

    #[test]
    fn internal_dates_are_written_in_their_zone() {
        let at = |seconds, offset_minutes| written(|out| internal_date(out, DateTime { seconds, offset_minutes }));
        assert_eq!(at(837_596_665, -420), "\"17-Jul-1996 02:44:25 -0700\"");
        assert_eq!(at(0, 0), "\" 1-Jan-1970 00:00:00 +0000\"");
        assert_eq!(at(-1, 90), "\" 1-Jan-1970 01:29:59 +0130\"");
    }
}
