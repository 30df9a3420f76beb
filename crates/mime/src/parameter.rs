use std::borrow::Cow;

use crate::dictionary::intern;
use crate::outline::Octets;
use crate::structured::{Lexer, is_blank};
use crate::word::{self, percent_decode, split_extended};

/// A parameter of a media type or disposition (RFC 2045 §5.1), as sent, the quoting of its value removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: Octets,
    pub value: Octets,
}

impl Parameter {
    fn is(&self, name: &[u8]) -> bool {
        // RFC 2045 §5.1: parameter names are not case sensitive.
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The value of the first parameter of that name, as sent.
pub fn raw_parameter<'a>(parameters: &'a [Parameter], name: &[u8]) -> Option<&'a [u8]> {
    parameters.iter().find(|parameter| parameter.is(name)).map(|parameter| &*parameter.value)
}

/// The value of a parameter for people: RFC 2231 charsets and continuations undone; a plain value may hold RFC 2047
/// words, which is wrong and common.
pub fn decoded_parameter(parameters: &[Parameter], name: &[u8]) -> Option<String> {
    if let Some((charset, octets)) = extended(parameters, name) {
        return Some(word::decode_octets(charset, &octets));
    }
    raw_parameter(parameters, name).map(word::decode)
}

/// The octets of a parameter, its RFC 2231 pieces joined.
pub(crate) fn joined_parameter<'a>(parameters: &'a [Parameter], name: &[u8]) -> Option<Cow<'a, [u8]>> {
    raw_parameter(parameters, name)
        .map(Cow::Borrowed)
        .or_else(|| extended(parameters, name).map(|(_, octets)| Cow::Owned(octets)))
}

/// The charset and octets of a parameter sent as RFC 2231 has it: `name*=` (§4), or `name*0=`, `name*1*=` and so on (§3).
fn extended<'a>(parameters: &'a [Parameter], name: &[u8]) -> Option<(&'a [u8], Vec<u8>)> {
    let mut pieces: Vec<Piece<'_>> = parameters.iter().filter_map(|parameter| Piece::of(parameter, name)).collect();
    // RFC 2231 §3: the pieces may stand in any order. Of two with one number the first counts.
    pieces.sort_by_key(|piece| piece.number);
    pieces.dedup_by_key(|piece| piece.number);
    // A whole value (no number) sorts first and then stands alone.
    let first = pieces.first().filter(|piece| matches!(piece.number, None | Some(0)))?;
    let count = if first.number.is_none() { 1 } else { pieces.len() };
    let mut charset: &[u8] = b"";
    let mut octets = Vec::new();
    for (expected, piece) in pieces.iter().take(count).enumerate() {
        if piece.number.is_some_and(|number| number as usize != expected) {
            break; // a piece is missing; what comes before it is kept
        }
        if !piece.encoded {
            octets.extend_from_slice(piece.value);
            continue;
        }
        let mut value = piece.value;
        if expected == 0 {
            // RFC 2231 §4.1: only the first piece names charset and language.
            (charset, value) = split_extended(value);
        }
        percent_decode(value, &mut octets);
    }
    Some((charset, octets))
}

struct Piece<'a> {
    number: Option<u32>,
    encoded: bool,
    value: &'a [u8],
}

impl<'a> Piece<'a> {
    fn of(parameter: &'a Parameter, name: &[u8]) -> Option<Self> {
        let (start, rest) = parameter.name.split_at_checked(name.len())?;
        let rest = rest.strip_prefix(b"*")?;
        if !start.eq_ignore_ascii_case(name) {
            return None;
        }
        let value = &*parameter.value;
        if rest.is_empty() {
            return Some(Self { number: None, encoded: true, value });
        }
        let (digits, encoded) = rest.strip_suffix(b"*").map_or((rest, false), |digits| (digits, true));
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = str::from_utf8(digits).ok()?.parse().ok()?;
        Some(Self { number: Some(number), encoded, value })
    }
}

/// Reads `; name=value` again and again to the end of the value; `false` when `remaining` did not suffice.
///
/// Understood beyond RFC 2045 §5.1: unquoted values with octets that ought to be quoted, unquoted file names with
/// blanks, missing and doubled semicolons.
pub(crate) fn parse_parameters(lexer: &mut Lexer<'_>, remaining: &mut u32, out: &mut Vec<Parameter>) -> bool {
    loop {
        lexer.skip_blanks();
        match lexer.peek() {
            None => return true,
            Some(b';') => {
                lexer.bump();
                continue;
            }
            Some(b'"') => {
                lexer.quoted(&mut Vec::new()); // stray text
                continue;
            }
            Some(_) => {}
        }
        let name = lexer.run(|octet| is_blank(octet) || matches!(octet, b'=' | b';' | b'"' | b'('));
        lexer.skip_blanks();
        if !lexer.eat(b'=') {
            continue; // a word that is no parameter
        }
        lexer.skip_blanks();
        let mut value = Vec::new();
        if lexer.peek() == Some(b'"') {
            lexer.quoted(&mut value);
        } else {
            let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
            value.extend_from_slice(if is(b"name") || is(b"filename") {
                lexer.until(b';').trim_ascii_end()
            } else {
                lexer.run(|octet| is_blank(octet) || octet == b';')
            });
        }
        if name.is_empty() {
            continue;
        }
        if *remaining == 0 {
            return false;
        }
        *remaining -= 1;
        out.push(Parameter { name: intern(name), value: intern(&value) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &[u8]) -> Vec<Parameter> {
        let mut out = Vec::new();
        assert!(parse_parameters(&mut Lexer::new(value), &mut 1000, &mut out));
        out
    }

    fn pairs(value: &[u8]) -> Vec<(String, String)> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        parse(value).iter().map(|parameter| (text(&parameter.name), text(&parameter.value))).collect()
    }

    #[test]
    fn parameters_are_read_as_sent() {
        type Case = (&'static [u8], &'static [(&'static str, &'static str)]);
        let cases: [Case; 11] = [
            (b"", &[]),
            (b"; charset=us-ascii (Plain text)", &[("charset", "us-ascii")]),
            (b";Charset=\"UTF-8\";format=flowed", &[("Charset", "UTF-8"), ("format", "flowed")]),
            (b"; boundary=\"a\\\"b c\" ;", &[("boundary", "a\"b c")]),
            (b"; boundary=--=_a/b?c:d", &[("boundary", "--=_a/b?c:d")]),
            (b"; name=My File (1).pdf ; x=y", &[("name", "My File (1).pdf"), ("x", "y")]),
            (b" ;; a = b;; c =", &[("a", "b"), ("c", "")]),
            (b"; charset=\"utf-8\" format=flowed", &[("charset", "utf-8"), ("format", "flowed")]),
            (b"; stray; \"quoted\" a=b", &[("a", "b")]),
            (b"; =b; c=d", &[("c", "d")]),
            (b"; a=\"open; b=c", &[("a", "open; b=c")]),
        ];
        for (value, expected) in cases {
            let found = pairs(value);
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn the_parameter_limit_is_exact() {
        for (limit, fits) in [(2, true), (1, false)] {
            let mut remaining = limit;
            let mut out = Vec::new();
            assert_eq!(parse_parameters(&mut Lexer::new(b"; a=1; b=2"), &mut remaining, &mut out), fits);
            assert_eq!(out.len(), limit as usize);
        }
    }

    #[test]
    fn extended_parameters_are_joined_and_decoded() {
        let cases: [(&[u8], Option<&str>); 10] = [
            (b"filename=a.txt", Some("a.txt")),
            (b"FileName*=utf-8''%e2%82%ac.txt", Some("€.txt")),
            (b"filename=plain.txt; filename*=utf-8''%e2%82%ac.txt", Some("€.txt")),
            (b"filename*0=long; filename*1=name; filename*2=.txt", Some("longname.txt")),
            (b"filename*1=b; filename*0=a", Some("ab")),
            (b"filename*0*=iso-8859-1'en'f%fcr; filename*1=%41; filename*2*=%41", Some("für%41A")),
            (b"filename*0=a; filename*2=c", Some("a")),
            (b"filename*1=b; filename=whole", Some("whole")),
            (b"filename=\"=?utf-8?Q?=E2=82=AC?=\"", Some("€")),
            (b"filenames=x; filename*x=y; filename*99999999999=z", None),
        ];
        for (value, expected) in cases {
            let found = decoded_parameter(&parse(value), b"filename");
            assert_eq!(found.as_deref(), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_boundary_may_come_in_pieces() {
        let parameters = parse(b"boundary*0=one; boundary*1=two");
        assert_eq!(joined_parameter(&parameters, b"boundary").as_deref(), Some(&b"onetwo"[..]));
    }
}
