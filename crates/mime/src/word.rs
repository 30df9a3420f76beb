//! Text in header fields: encoded words (RFC 2047) and percent-encoded parameter values (RFC 2231).

use memchr::{memchr, memmem};

use crate::charset::{Decoder, decode_unlabelled};
use crate::decode::{Base64, from_hex};

/// Decodes the encoded words in an unfolded header value; other octets are read as UTF-8, else as Latin-1. What is not a
/// well-formed encoded word is left as it stands.
///
/// More is understood than RFC 2047 §5 allows, as mailers send it: words in quoted strings, inside other text, longer
/// than 75 octets, with blanks in them, and characters that are split between two words of one charset.
pub fn decode(raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    // The decoder of the encoded words just before, while nothing but blanks has followed.
    let mut open: Option<(&[u8], Decoder)> = None;
    let mut plain = 0;
    let mut at = 0;
    while let Some(found) = raw.get(at..).and_then(|rest| memmem::find(rest, b"=?")) {
        let start = at + found;
        let Some(word) = raw.get(start..).and_then(EncodedWord::parse) else {
            at = start + 2;
            continue;
        };
        let between = raw.get(plain..start).unwrap_or_default();
        // RFC 2047 §6.2: white space between adjacent encoded words is not shown.
        let adjacent = open.is_some() && between.iter().all(u8::is_ascii_whitespace);
        let same_charset = open.as_ref().is_some_and(|(charset, _)| charset.eq_ignore_ascii_case(word.charset));
        if !(adjacent && same_charset)
            && let Some((_, decoder)) = open.take()
        {
            decoder.finish(&mut text);
        }
        if !adjacent {
            decode_unlabelled(between, &mut text);
        }
        let (_, decoder) = open.get_or_insert_with(|| (word.charset, Decoder::new(word.charset)));
        decoder.push(&word.octets(), &mut text);
        at = start + word.length;
        plain = at;
    }
    if let Some((_, decoder)) = open {
        decoder.finish(&mut text);
    }
    decode_unlabelled(raw.get(plain..).unwrap_or_default(), &mut text);
    text
}

/// Decodes an extended parameter value, `charset'language'percent-encoded` (RFC 2231 §4).
pub fn decode_extended(value: &[u8]) -> String {
    let (charset, encoded) = split_extended(value);
    let mut octets = Vec::with_capacity(encoded.len());
    percent_decode(encoded, &mut octets);
    decode_octets(charset, &octets)
}

/// Splits off the charset and drops the language. A value that has neither is all text.
pub(crate) fn split_extended(value: &[u8]) -> (&[u8], &[u8]) {
    let parsed = memchr(b'\'', value).and_then(|charset_end| {
        let charset = value.get(..charset_end)?;
        let rest = value.get(charset_end + 1..)?;
        let language_end = memchr(b'\'', rest)?;
        Some((charset, rest.get(language_end + 1..)?))
    });
    parsed.unwrap_or((b"", value))
}

pub(crate) fn decode_octets(charset: &[u8], octets: &[u8]) -> String {
    if charset.is_empty() {
        let mut text = String::new();
        decode_unlabelled(octets, &mut text);
        text
    } else {
        crate::charset::decode(charset, octets)
    }
}

pub(crate) fn percent_decode(encoded: &[u8], octets: &mut Vec<u8>) {
    let mut rest = encoded;
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (from_hex(*high), from_hex(*low))
        {
            octets.push(high << 4 | low);
            rest = after;
        } else {
            octets.push(first);
            rest = tail;
        }
    }
}

struct EncodedWord<'a> {
    charset: &'a [u8],
    base64: bool,
    text: &'a [u8],
    length: usize,
}

impl<'a> EncodedWord<'a> {
    /// Parses the encoded word at the start of `input`, which begins with `=?`. Looks no further than the fourth `?`, so
    /// a scan for words stays linear.
    fn parse(input: &'a [u8]) -> Option<Self> {
        let charset_end = 2 + memchr(b'?', input.get(2..)?)?;
        let charset = input.get(2..charset_end)?;
        // RFC 2231 §5: a language may follow the charset.
        let charset = charset.split(|&octet| octet == b'*').next()?;
        if charset.is_empty() || charset.iter().any(|octet| octet.is_ascii_whitespace() || octet.is_ascii_control()) {
            return None;
        }
        let base64 = match input.get(charset_end + 1..charset_end + 3)? {
            b"B?" | b"b?" => true,
            b"Q?" | b"q?" => false,
            _ => return None,
        };
        let text_start = charset_end + 3;
        let text_end = text_start + memchr(b'?', input.get(text_start..)?)?;
        if input.get(text_end + 1) != Some(&b'=') {
            return None;
        }
        Some(Self { charset, base64, text: input.get(text_start..text_end)?, length: text_end + 2 })
    }

    fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.text.len());
        if self.base64 {
            let mut decoder = Base64::default();
            decoder.push(self.text, &mut octets);
            decoder.finish(&mut octets);
            return octets;
        }
        // RFC 2047 §4.2: `_` is a space whatever the charset, `=` leads two hexadecimal digits.
        let mut rest = self.text;
        while let Some((&first, tail)) = rest.split_first() {
            rest = tail;
            match (first, tail) {
                (b'_', _) => octets.push(b' '),
                (b'=', [high, low, after @ ..]) => match (from_hex(*high), from_hex(*low)) {
                    (Some(high), Some(low)) => {
                        octets.push(high << 4 | low);
                        rest = after;
                    }
                    _ => octets.push(b'='),
                },
                _ => octets.push(first),
            }
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded() {
        let cases: [(&[u8], &str); 12] = [
            (b"plain", "plain"),
            (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe_an_alle?=", "Grüße an alle"),
            (b"=?ISO-8859-1?q?caf=e9?= au lait", "café au lait"),
            (b"=?UTF-8?B?4oKs?= 5", "€ 5"),
            (b"=?us-ascii*en?Q?hello?=", "hello"),
            (b"a =?x?q?b?= =?x?q?c?= d", "a bc d"),
            (b"=?utf-8?Q?a?=\t =?iso-8859-1?Q?=e9?=", "aé"),
            // One character in two words.
            (b"=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "€"),
            (b"=?utf-8?Q?=E2=82?= x", "\u{fffd} x"),
            (b"=?utf-8?Q??=", ""),
            (b"=?utf-8?Q?a=4?= =? =?= =?utf-8?X?a?= =?a b?Q?c?=", "a=4 =? =?= =?utf-8?X?a?= =?a b?Q?c?="),
            (b"Gr\xfc\xdfe", "Grüße"),
        ];
        for (raw, expected) in cases {
            assert_eq!(decode(raw), expected, "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_cut_word_is_left_as_it_stands() {
        let word = b"=?utf-8?B?4oKs?=";
        for end in 0..word.len() {
            assert_eq!(decode(&word[..end]).as_bytes(), &word[..end]);
        }
    }

    #[test]
    fn a_megabyte_of_word_openings_takes_linear_time() {
        for opening in ["=?", "=?a?q?", "=?a?q?=", "=?a?", "=?a?q?b?= "] {
            let raw = opening.repeat(1_000_000 / opening.len());
            assert!(decode(raw.as_bytes()).len() <= raw.len());
        }
    }

    #[test]
    fn extended_values_are_decoded() {
        let cases: [(&[u8], &str); 6] = [
            (b"utf-8''%e2%82%ac%20rates", "€ rates"),
            (b"iso-8859-1'en'%A3%20rates", "£ rates"),
            (b"''plain%20text", "plain text"),
            (b"no-quotes%20here", "no-quotes here"),
            (b"utf-8''100%", "100%"),
            (b"utf-8''%zz%4", "%zz%4"),
        ];
        for (value, expected) in cases {
            assert_eq!(decode_extended(value), expected);
        }
    }
}
