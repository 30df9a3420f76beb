//! Address lists (RFC 5322 §3.4), with the obsolete syntax (§4.4) and the damage that mailers send.

use std::fmt::{self, Write};

use crate::envelope::Address;
use crate::limits::Limits;
use crate::structured::{Lexer, is_blank, without_quoted_pairs};

/// Parses an unfolded address list, as far as [`Limits`]' default goes.
pub fn parse(value: &[u8]) -> Vec<Address> {
    let mut addresses = Vec::new();
    parse_into(value, &mut Limits::default().addresses, &mut addresses);
    addresses
}

/// Parses an unfolded address list onto the end of `out`, as long as `remaining` lasts; `false` when it did not. A group
/// that is begun always gets its end.
pub(crate) fn parse_into(value: &[u8], remaining: &mut u32, out: &mut Vec<Address>) -> bool {
    let mut list = List { remaining, out, in_group: false };
    let mut pending = Pending::default();
    let mut lexer = Lexer::new(value);
    let mut complete = true;
    while complete && let Some(octet) = lexer.peek() {
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' => {
                lexer.run(|octet| !is_blank(octet));
                pending.blank = true;
            }
            b'(' => {
                pending.comment = Some(lexer.comment());
                pending.blank = true;
            }
            b'"' => pending.quoted(&mut lexer),
            b'<' => pending.angle = Some(Angle::parse(&mut lexer)),
            b'[' => {
                pending.word(lexer.until(b']'));
                if lexer.eat(b']') {
                    pending.word(b"]");
                }
            }
            b',' => {
                lexer.bump();
                complete = list.flush(&mut pending);
            }
            b';' => {
                lexer.bump();
                complete = list.flush(&mut pending);
                list.end_group();
            }
            b':' if !list.in_group && pending.angle.is_none() && pending.at.is_none() => {
                lexer.bump();
                complete = list.start_group(&mut pending);
            }
            b'@' => {
                lexer.bump();
                pending.at_sign();
            }
            b':' | b'>' | b')' | b']' => {
                lexer.bump();
                pending.blank = true;
            }
            _ => pending.word(lexer.run(is_special)),
        }
    }
    complete = complete && list.flush(&mut pending);
    list.end_group();
    complete
}

/// Ends a run of an atom's octets; `.` is left in, as in a dot-atom (RFC 5322 §3.2.3).
fn is_special(octet: u8) -> bool {
    is_blank(octet) || matches!(octet, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b':' | b';' | b'@' | b',' | b'"')
}

struct List<'a> {
    remaining: &'a mut u32,
    out: &'a mut Vec<Address>,
    in_group: bool,
}

impl List<'_> {
    /// Adds an entry if there is room for it and for the end of the group it may stand in.
    fn add(&mut self, address: Address) -> bool {
        let fits = *self.remaining > u32::from(self.in_group);
        if fits {
            *self.remaining -= 1;
            self.out.push(address);
        }
        fits
    }

    fn flush(&mut self, pending: &mut Pending<'_>) -> bool {
        match pending.take_address() {
            Some(address) => self.add(address),
            None => true,
        }
    }

    fn start_group(&mut self, pending: &mut Pending<'_>) -> bool {
        self.in_group = true;
        let name = pending.text.clone();
        pending.clear();
        let fits = self.add(Address { mailbox: Some(name), ..Address::default() });
        self.in_group = fits;
        fits
    }

    fn end_group(&mut self) {
        if self.in_group {
            self.in_group = false;
            self.add(Address::default());
        }
    }
}

/// What is known of the address being read.
#[derive(Default)]
struct Pending<'a> {
    /// All words, blanks between them made one space: a display name, if an angle address follows.
    text: Vec<u8>,
    /// The last words that belong together, blanks around dots left out: an address, if there is an `@` in it.
    spec: Vec<u8>,
    /// Where in `spec` the last `@` stands.
    at: Option<usize>,
    /// A blank or comment stands before what comes next.
    blank: bool,
    comment: Option<&'a [u8]>,
    angle: Option<Angle>,
}

impl<'a> Pending<'a> {
    fn word(&mut self, word: &[u8]) {
        // RFC 5322 §4.4: blanks may stand around the dots of an address. Elsewhere they part it from what is no address.
        let joined = !self.blank || matches!(self.spec.last(), Some(b'.' | b'@')) || word.first() == Some(&b'.');
        if !joined && self.at.is_none() {
            self.spec.clear();
        }
        if joined || self.at.is_none() {
            self.spec.extend_from_slice(word);
        }
        self.text_word(word);
    }

    fn text_word(&mut self, word: &[u8]) {
        if self.blank && !self.text.is_empty() {
            self.text.push(b' ');
        }
        self.blank = false;
        self.text.extend_from_slice(word);
    }

    fn quoted(&mut self, lexer: &mut Lexer<'a>) {
        if self.blank && self.at.is_none() && self.spec.last() != Some(&b'.') {
            self.spec.clear();
        }
        self.text_word(b"");
        let start = self.text.len();
        lexer.quoted(&mut self.text);
        self.spec.extend_from_slice(self.text.get(start..).unwrap_or_default());
    }

    fn at_sign(&mut self) {
        self.at = Some(self.spec.len());
        self.spec.push(b'@');
        self.blank = false;
        self.text.push(b'@');
    }

    /// The address read, if there is one, and ready for the next.
    fn take_address(&mut self) -> Option<Address> {
        let comment_name = || {
            let name = without_quoted_pairs(self.comment?.trim_ascii());
            (!name.is_empty()).then_some(name)
        };
        let address = if let Some(angle) = self.angle.take() {
            let name = if self.text.is_empty() { comment_name() } else { Some(self.text.clone()) };
            Some(Address { name, route: angle.route, mailbox: Some(angle.mailbox), host: Some(angle.host) })
        } else if let Some(at) = self.at {
            let (mailbox, host) = split_at_sign(&self.spec, at);
            Some(Address { name: comment_name(), route: None, mailbox: Some(mailbox), host: Some(host) })
        } else if self.text.is_empty() {
            None
        } else {
            let mailbox = Some(self.text.clone());
            Some(Address { name: comment_name(), route: None, mailbox, host: Some(Vec::new()) })
        };
        self.clear();
        address
    }

    fn clear(&mut self) {
        self.text.clear();
        self.spec.clear();
        (self.at, self.blank, self.comment, self.angle) = (None, false, None, None);
    }
}

fn split_at_sign(spec: &[u8], at: usize) -> (Vec<u8>, Vec<u8>) {
    let mailbox = spec.get(..at).unwrap_or_default().to_vec();
    let host = spec.get(at + 1..).unwrap_or_default().to_vec();
    (mailbox, host)
}

/// What stands in angle brackets.
struct Angle {
    route: Option<Vec<u8>>,
    mailbox: Vec<u8>,
    host: Vec<u8>,
}

impl Angle {
    /// Reads from `<` to `>`; a missing `>` is taken to stand before the next comma or semicolon.
    fn parse(lexer: &mut Lexer<'_>) -> Self {
        lexer.bump();
        let mut route = None;
        let mut spec = Vec::new();
        let mut at = None;
        while let Some(octet) = lexer.peek() {
            match octet {
                b'>' => {
                    lexer.bump();
                    break;
                }
                // RFC 5322 §4.4: `@a,@b:` before the address is a source route.
                b',' if route.is_none() && spec.first() == Some(&b'@') => {
                    lexer.bump();
                    spec.push(b',');
                }
                b':' if route.is_none() && spec.first() == Some(&b'@') => {
                    lexer.bump();
                    route = Some(std::mem::take(&mut spec));
                    at = None;
                }
                b',' | b';' => break,
                b' ' | b'\t' | b'\r' | b'\n' | b'(' => lexer.skip_blanks(),
                b'"' => lexer.quoted(&mut spec),
                b'[' => {
                    spec.extend_from_slice(lexer.until(b']'));
                }
                b'@' => {
                    lexer.bump();
                    at = Some(spec.len());
                    spec.push(b'@');
                }
                b'<' | b')' => lexer.bump(),
                b':' | b']' => {
                    lexer.bump();
                    spec.push(octet);
                }
                _ => spec.extend_from_slice(lexer.run(is_special)),
            }
        }
        let (mailbox, host) = match at {
            Some(at) => split_at_sign(&spec, at),
            None => (spec, Vec::new()),
        };
        Self { route, mailbox, host }
    }
}

/// An address as it is written between angle brackets, without its route.
#[derive(Clone, Copy, Debug)]
pub struct AddrSpec<'a> {
    address: &'a Address,
}

impl<'a> AddrSpec<'a> {
    pub(crate) fn new(address: &'a Address) -> Self {
        Self { address }
    }
}

impl fmt::Display for AddrSpec<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(mailbox), Some(host)) = (&self.address.mailbox, &self.address.host) else {
            return Ok(());
        };
        let mailbox = String::from_utf8_lossy(mailbox);
        if is_dot_atom(&mailbox) {
            formatter.write_str(&mailbox)?;
        } else {
            formatter.write_char('"')?;
            for character in mailbox.chars() {
                if matches!(character, '"' | '\\') {
                    formatter.write_char('\\')?;
                }
                formatter.write_char(character)?;
            }
            formatter.write_char('"')?;
        }
        if host.is_empty() {
            return Ok(());
        }
        write!(formatter, "@{}", String::from_utf8_lossy(host))
    }
}

/// RFC 5322 §3.2.3, with RFC 6532 §3.2's other characters.
fn is_dot_atom(mailbox: &str) -> bool {
    mailbox.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|character| {
                character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character) || !character.is_ascii()
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes addresses as `name|route|mailbox|host`, `-` for what is not there.
    fn shown(addresses: &[Address]) -> Vec<String> {
        let text = |octets: &Option<Vec<u8>>| match octets {
            Some(octets) => String::from_utf8_lossy(octets).into_owned(),
            None => "-".to_owned(),
        };
        addresses
            .iter()
            .map(|address| [&address.name, &address.route, &address.mailbox, &address.host].map(text).join("|"))
            .collect()
    }

    #[test]
    fn addresses_are_taken_apart() {
        let cases: [(&[u8], &[&str]); 31] = [
            (b"", &[]),
            (b" , ,, ", &[]),
            (b"ann@example.test", &["-|-|ann|example.test"]),
            (b"<ann@example.test>", &["-|-|ann|example.test"]),
            (b"Ann Lee <ann@example.test>", &["Ann Lee|-|ann|example.test"]),
            (b"\"Lee, Ann\" <ann@example.test>", &["Lee, Ann|-|ann|example.test"]),
            (b"\"Ann \\\"A\\\"\"   Lee<ann@example.test>", &["Ann \"A\" Lee|-|ann|example.test"]),
            (b"ann@example.test (Ann (A) Lee)", &["Ann (A) Lee|-|ann|example.test"]),
            (b"=?utf-8?Q?J=C3=B6rg?= <j@example.test>", &["=?utf-8?Q?J=C3=B6rg?=|-|j|example.test"]),
            (b"a@x.test, b@y.test", &["-|-|a|x.test", "-|-|b|y.test"]),
            (b"a@x.test; b@y.test", &["-|-|a|x.test", "-|-|b|y.test"]),
            (b"\"john doe\"@example.test", &["-|-|john doe|example.test"]),
            (b"<\"john doe\"@example.test>", &["-|-|john doe|example.test"]),
            (b"ann . lee @ example . test", &["-|-|ann.lee|example.test"]),
            (b"ann@[192.0.2.1]", &["-|-|ann|[192.0.2.1]"]),
            (b"<ann@[IPv6:2001:db8::1]>", &["-|-|ann|[IPv6:2001:db8::1]"]),
            (b"<@a.test,@b.test:ann@example.test>", &["-|@a.test,@b.test|ann|example.test"]),
            (b"undisclosed-recipients:;", &["-|-|undisclosed-recipients|-", "-|-|-|-"]),
            (
                b"Team: a@x.test, Bo <b@y.test>; c@z.test",
                &["-|-|Team|-", "-|-|a|x.test", "Bo|-|b|y.test", "-|-|-|-", "-|-|c|z.test"],
            ),
            (b"Open: a@x.test", &["-|-|Open|-", "-|-|a|x.test", "-|-|-|-"]),
            (b"ann", &["-|-|ann|"]),
            (b"Ann Lee", &["-|-|Ann Lee|"]),
            (b"a@b.test <ann@example.test>", &["a@b.test|-|ann|example.test"]),
            (b"Ann <ann@example.test, Bo <b@y.test>", &["Ann|-|ann|example.test", "Bo|-|b|y.test"]),
            (b"Ann ann@example.test", &["-|-|ann|example.test"]),
            (b"a@b@example.test", &["-|-|a@b|example.test"]),
            (b"<>", &["-|-||"]),
            (b"J. R. Lee <j@example.test>", &["J. R. Lee|-|j|example.test"]),
            (b"(only a comment)", &[]),
            (b"<<ann@example.test>>", &["-|-|ann|example.test"]),
            (b"\"open <a@x.test>", &["-|-|open <a@x.test>|"]),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(&parse(value)), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn the_address_limit_is_exact_and_closes_groups() {
        let value = b"g: a@x.test, b@x.test; c@x.test";
        for (limit, kept, fits) in [(5, 5, true), (4, 4, false), (3, 3, false), (2, 2, false), (1, 0, false)] {
            let mut remaining = limit;
            let mut out = Vec::new();
            assert_eq!(parse_into(value, &mut remaining, &mut out), fits, "limit {limit}");
            assert_eq!(out.len(), kept, "limit {limit}");
            let starts = out.iter().filter(|address| address.is_group_start()).count();
            assert_eq!(starts, out.iter().filter(|address| address.is_group_end()).count());
        }
    }

    #[test]
    fn an_addr_spec_is_quoted_where_it_must_be() {
        let cases: [(&[u8], &str); 5] = [
            (b"ann.lee+x@example.test", "ann.lee+x@example.test"),
            (b"\"john \\\"x\\\" doe\"@example.test", "\"john \\\"x\\\" doe\"@example.test"),
            (b"postmaster", "postmaster"),
            (b"<>", "\"\""),
            (b"group:;", ""),
        ];
        for (value, expected) in cases {
            let parsed = parse(value);
            assert_eq!(parsed[0].addr_spec().to_string(), expected);
        }
    }

    #[test]
    fn much_of_anything_takes_linear_time() {
        for piece in ["(", "<", "\"", "@", ",", ":", ";", "a:", "[", "a ", "a@b,", "<@a,", "\\", "()", "a@b (c) "] {
            let value = piece.repeat(300_000 / piece.len());
            assert!(parse(value.as_bytes()).len() <= value.len());
        }
    }
}
