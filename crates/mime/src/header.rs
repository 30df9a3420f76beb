//! The fields of a header block (RFC 5322 §2.2), read where they stand.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr_iter};

/// The fields of a header block, up to its empty line or its end. Lines that belong to no field are passed over.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { block, at: 0 }
}

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// As sent, without blanks before the colon.
    pub name: &'a [u8],
    /// As sent after the colon: folded, with its blanks, without the last line end.
    pub value: &'a [u8],
    /// Where the whole field stands in the block, from its name to its last line end.
    pub range: Range<usize>,
}

impl Field<'_> {
    /// RFC 5322 §1.2.2: field names are not case sensitive.
    pub fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value on one line, without the blanks around it.
    pub fn unfolded(&self) -> Cow<'_, [u8]> {
        match unfold(self.value) {
            Cow::Borrowed(value) => Cow::Borrowed(value.trim_ascii()),
            Cow::Owned(value) => Cow::Owned(value.trim_ascii().to_vec()),
        }
    }

    /// The value for people: unfolded, RFC 2047 words decoded.
    pub fn text(&self) -> String {
        crate::word::decode(&self.unfolded())
    }
}

/// See [`fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    block: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn rest(&self) -> &'a [u8] {
        self.block.get(self.at..).unwrap_or_default()
    }

    fn next_line(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let length = memchr(b'\n', rest).map_or(rest.len(), |line_feed| line_feed + 1);
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let start = self.at;
            let first = self.next_line();
            if matches!(first, b"" | b"\n" | b"\r\n") {
                self.at = self.block.len();
                return None;
            }
            // RFC 5322 §2.2.3: a line that begins with a blank goes on with the field before.
            while matches!(self.rest().first(), Some(b' ' | b'\t')) {
                self.next_line();
            }
            let Some(colon) = memchr(b':', first).filter(|_| !matches!(first.first(), Some(b' ' | b'\t'))) else {
                continue;
            };
            return Some(Field {
                name: first.get(..colon)?.trim_ascii_end(),
                value: without_line_end(self.block.get(start + colon + 1..self.at)?),
                range: start..self.at,
            });
        }
    }
}

/// Joins the lines of a folded value by taking out their line ends (RFC 5322 §2.2.3), also one at its end.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = without_line_end(value);
    if memchr(b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut unfolded = Vec::with_capacity(value.len());
    let mut start = 0;
    for line_feed in memchr_iter(b'\n', value) {
        unfolded.extend_from_slice(without_line_end(value.get(start..=line_feed).unwrap_or_default()));
        start = line_feed + 1;
    }
    unfolded.extend_from_slice(value.get(start..).unwrap_or_default());
    Cow::Owned(unfolded)
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"Subject: one\r\n two\r\nFrom ann Mon\nTO :ann@example.test\n\tx\r\n\
        X-Empty:\r\n\r\nBody: no\r\n";

    #[test]
    fn fields_are_found_where_they_stand() {
        let found: Vec<_> = fields(BLOCK).collect();
        let texts: Vec<_> = found.iter().map(|field| (field.name, field.text())).collect();
        assert_eq!(
            texts,
            [
                (&b"Subject"[..], "one two".to_owned()),
                (b"TO", "ann@example.test\tx".to_owned()),
                (b"X-Empty", String::new()),
            ]
        );
        assert_eq!(&BLOCK[found[0].range.clone()], b"Subject: one\r\n two\r\n");
        assert_eq!(found[0].value, b" one\r\n two");
        assert_eq!(&BLOCK[found[1].range.clone()], b"TO :ann@example.test\n\tx\r\n");
        assert!(found[1].is(b"to"));
    }

    #[test]
    fn a_cut_block_gives_what_there_is() {
        for end in 0..=BLOCK.len() {
            let whole = fields(BLOCK).count();
            assert!(fields(&BLOCK[..end]).count() <= whole, "cut at {end}");
        }
        assert_eq!(fields(b"Subject: cut").next().map(|field| field.text()), Some("cut".to_owned()));
        assert_eq!(fields(b" : x\r\n").next(), None);
    }

    #[test]
    fn unfolding_takes_out_line_ends_only() {
        let cases: [(&[u8], &[u8]); 5] =
            [(b" a", b" a"), (b" a\r\n", b" a"), (b" a\r\n\tb\n c\r\n", b" a\tb c"), (b"a\rb", b"a\rb"), (b"", b"")];
        for (folded, expected) in cases {
            assert_eq!(&*unfold(folded), expected);
        }
    }
}
