//! Tokens (RFC 3501 §9), read from the front of a command.

use std::borrow::Cow;
use std::num::NonZeroU32;

use super::ParseError;
use super::ParseError::{Expected, Incomplete, Invalid};

type Result<T> = std::result::Result<T, ParseError>;

/// What is left of a command. Literals stand inline: `{3}` CRLF `abc`.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

/// `{n}` or `{n+}` at the end of what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub size: u64,
    /// RFC 7888: the octets come unasked.
    pub non_sync: bool,
}

impl<'a> Cursor<'a> {
    pub fn new(command: &'a [u8]) -> Self {
        Self { rest: command }
    }

    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes `octet` if it is next.
    pub fn eat(&mut self, octet: u8) -> bool {
        let Some((&first, rest)) = self.rest.split_first() else { return false };
        if first == octet {
            self.rest = rest;
        }
        first == octet
    }

    pub fn expect(&mut self, octet: u8, what: &'static str) -> Result<()> {
        self.eat(octet).then_some(()).ok_or(Expected(what))
    }

    /// The grammar has single spaces; more do no harm, and hands type them.
    pub fn space(&mut self) -> Result<()> {
        self.expect(b' ', "a space and an argument")?;
        self.skip_spaces();
        Ok(())
    }

    pub fn skip_spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// The end of the command. Spaces before it do no harm.
    pub fn end(&mut self) -> Result<()> {
        self.skip_spaces();
        if self.rest.is_empty() { Ok(()) } else { Err(Expected("the end of the command")) }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The octets at the front that pass `test`, perhaps none.
    pub fn take_while(&mut self, test: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&b| !test(b)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// So many octets, if all of them pass `test`.
    pub fn take_exactly(&mut self, count: usize, test: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        taken.iter().all(|&b| test(b)).then(|| self.rest = rest).map(|()| taken)
    }

    /// A word of the protocol's own: letters, digits, `.`, `-` and `+`, in capitals. Longer ones are none.
    pub fn word(&mut self) -> Word {
        let taken = self.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+' | b'='));
        Word::new(taken)
    }

    pub fn atom(&mut self, what: &'static str) -> Result<&'a str> {
        let taken = self.take_while(is_atom_char);
        std::str::from_utf8(taken).ok().filter(|text| !text.is_empty()).ok_or(Expected(what))
    }

    pub fn number(&mut self, what: &'static str) -> Result<u64> {
        let digits = self.take_while(|b| b.is_ascii_digit());
        if digits.is_empty() {
            return Err(Expected(what));
        }
        digits
            .iter()
            .try_fold(0u64, |n, &b| n.checked_mul(10)?.checked_add(u64::from(b - b'0')))
            .ok_or(Invalid("A number is too great."))
    }

    pub fn number32(&mut self, what: &'static str) -> Result<u32> {
        u32::try_from(self.number(what)?).map_err(|_| Invalid("A number is beyond 4294967295."))
    }

    pub fn non_zero(&mut self, what: &'static str) -> Result<NonZeroU32> {
        NonZeroU32::new(self.number32(what)?).ok_or(Invalid("A number must not be 0 here."))
    }

    /// RFC 7162 §7: mod-sequence-valzer, 63 bits.
    pub fn mod_seq(&mut self) -> Result<u64> {
        let value = self.number("a mod-sequence")?;
        if i64::try_from(value).is_err() {
            return Err(Invalid("A mod-sequence is beyond 9223372036854775807."));
        }
        Ok(value)
    }

    /// A quoted string or a literal.
    pub fn string(&mut self, what: &'static str) -> Result<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(Cow::Borrowed),
            _ => Err(Expected(what)),
        }
    }

    /// An atom, a quoted string or a literal. RFC 3501 §9: an astring's atom may hold "]"; 8-bit octets are
    /// taken too, for clients send names in raw UTF-8.
    pub fn astring(&mut self, what: &'static str) -> Result<Cow<'a, [u8]>> {
        self.string_or(what, |b| is_atom_char(b) || b == b']' || b >= 0x80)
    }

    /// A user name: an astring in which `\` may stand, which RFC 3501 §9 has within quotes only. Python's imaplib and
    /// people at terminals send `DOMAIN\user` without them.
    pub fn user_name(&mut self, what: &'static str) -> Result<Cow<'a, [u8]>> {
        self.string_or(what, |b| is_atom_char(b) || matches!(b, b']' | b'\\') || b >= 0x80)
    }

    /// RFC 3501 §9: list-mailbox: also `%` and `*`.
    pub fn list_mailbox(&mut self, what: &'static str) -> Result<Cow<'a, [u8]>> {
        self.string_or(what, |b| is_atom_char(b) || matches!(b, b']' | b'%' | b'*') || b >= 0x80)
    }

    fn string_or(&mut self, what: &'static str, test: impl Fn(u8) -> bool) -> Result<Cow<'a, [u8]>> {
        if matches!(self.peek(), Some(b'"' | b'{')) {
            return self.string(what);
        }
        let atom = self.take_while(test);
        if atom.is_empty() { Err(Expected(what)) } else { Ok(Cow::Borrowed(atom)) }
    }

    fn quoted(&mut self) -> Result<Cow<'a, [u8]>> {
        self.eat(b'"');
        let plain = self.take_while(|b| !matches!(b, b'"' | b'\\' | b'\r' | b'\n' | 0));
        if self.eat(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_vec();
        loop {
            if self.eat(b'"') {
                return Ok(Cow::Owned(text));
            }
            if self.eat(b'\\') {
                // RFC 3501 §9: only "\" and DQUOTE may be escaped. A backslash before anything else stands
                // for itself: clients send `"DOMAIN\user"`.
                text.push(match self.peek() {
                    Some(b'"') if self.eat(b'"') => b'"',
                    _ => {
                        self.eat(b'\\');
                        b'\\'
                    }
                });
            }
            text.extend_from_slice(self.take_while(|b| !matches!(b, b'"' | b'\\' | b'\r' | b'\n' | 0)));
            if !matches!(self.peek(), Some(b'"' | b'\\')) {
                return Err(Expected("the closing quote of a string"));
            }
        }
    }

    fn literal(&mut self) -> Result<&'a [u8]> {
        let announcement = self.announcement()?;
        let size = usize::try_from(announcement.size).map_err(|_| Incomplete)?;
        let (octets, rest) = self.rest.split_at_checked(size).ok_or(Incomplete)?;
        // RFC 3501 §9: CHAR8 is any octet but NUL.
        if memchr::memchr(0, octets).is_some() {
            return Err(Invalid("A literal must not hold NUL."));
        }
        self.rest = rest;
        Ok(octets)
    }

    /// `{n}` or `{n+}` with its line end.
    pub fn announcement(&mut self) -> Result<Announcement> {
        const WHAT: &str = "a literal";
        self.expect(b'{', WHAT)?;
        let size = self.number(WHAT)?;
        let non_sync = self.eat(b'+');
        self.expect(b'}', WHAT)?;
        // The framing takes a bare LF as a line end too, for hands at a terminal.
        self.eat(b'\r');
        self.expect(b'\n', WHAT)?;
        Ok(Announcement { size, non_sync })
    }
}

/// A word in capitals, compared by value; too long ones equal nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    octets: [u8; Self::MAX],
    length: usize,
}

impl Word {
    const MAX: usize = 20;

    pub fn new(text: &[u8]) -> Self {
        let mut octets = [0; Self::MAX];
        let mut length = 0;
        if text.len() <= Self::MAX {
            for (to, from) in octets.iter_mut().zip(text) {
                *to = from.to_ascii_uppercase();
            }
            length = text.len();
        }
        Self { octets, length }
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// RFC 3501 §9: ATOM-CHAR.
pub fn is_atom_char(b: u8) -> bool {
    (0x21..0x7f).contains(&b) && !b"(){%*\"\\]".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings_lose_their_escapes_and_nothing_else() {
        let cases: [(&[u8], Option<&[u8]>); 10] = [
            (b"\"\"", Some(b"")),
            (b"\"a b\"", Some(b"a b")),
            (br#""a\"b\\c""#, Some(br#"a"b\c"#)),
            (br#""DOMAIN\ann""#, Some(br"DOMAIN\ann")),
            (br#""\\\"""#, Some(br#"\""#)),
            (b"\"\xc3\xbc\"", Some(b"\xc3\xbc")),
            (b"\"a", None),
            (b"\"a\\\"", None),
            (b"\"a\0\"", None),
            (b"\"a\r\n\"", None),
        ];
        for (input, expected) in cases {
            let result = Cursor::new(input).string("a string");
            assert_eq!(result.as_deref().ok(), expected, "{input:?}");
        }
    }

    #[test]
    fn literals_stand_inline() {
        let mut cursor = Cursor::new(b"{3}\r\na\"b {0+}\n x");
        assert_eq!(&*cursor.astring("").unwrap(), b"a\"b");
        cursor.space().unwrap();
        assert_eq!(&*cursor.astring("").unwrap(), b"");
        cursor.space().unwrap();
        assert_eq!(&*cursor.astring("").unwrap(), b"x");
        for (input, error) in [
            (&b"{3}\r\nab"[..], Incomplete),
            (b"{99999999999999999999}\r\n", Invalid("A number is too great.")),
            (b"{18446744073709551615}\r\nab", Incomplete),
            (b"{3}ab", Expected("a literal")),
            (b"{}\r\n", Expected("a literal")),
            (b"{2}\r\na\0", Invalid("A literal must not hold NUL.")),
        ] {
            assert_eq!(Cursor::new(input).astring("").unwrap_err(), error, "{input:?}");
        }
    }

    #[test]
    fn numbers_end_at_their_types_ends() {
        let number32 = |text: &str| Cursor::new(text.as_bytes()).number32("").ok();
        assert_eq!(number32("4294967295"), Some(u32::MAX));
        assert_eq!(number32("4294967296"), None);
        assert_eq!(number32("0000000000000000000000000007"), Some(7));
        assert_eq!(Cursor::new(b"18446744073709551615").number(""), Ok(u64::MAX));
        assert!(Cursor::new(b"18446744073709551616").number("").is_err());
        assert_eq!(Cursor::new(b"9223372036854775807").mod_seq(), Ok(u64::MAX >> 1));
        assert!(Cursor::new(b"9223372036854775808").mod_seq().is_err());
        assert!(Cursor::new(b"0").non_zero("").is_err());
    }

    #[test]
    fn words_are_equal_in_any_case_and_only_in_full() {
        assert_eq!(Word::new(b"fetch").as_bytes(), b"FETCH");
        assert_eq!(Word::new(&[b'A'; Word::MAX]).as_bytes(), [b'A'; Word::MAX]);
        assert_eq!(Word::new(&[b'A'; Word::MAX + 1]).as_bytes(), b"");
    }
}
