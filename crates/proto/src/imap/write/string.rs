//! Strings and numbers (RFC 3501 §4).

use crate::imap::mutf7;

/// A quoted string longer than this is sent as a literal: some clients read lines into small buffers.
const MAX_QUOTED: usize = 1000;

/// By hand, since a FETCH of a large mailbox is mostly numbers.
pub fn number(out: &mut Vec<u8>, mut number: u64) {
    // As many digits as 2^64 has.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
        first -= 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}

/// `{n}` and its line end; the `size` octets are to follow.
pub fn literal_begin(out: &mut Vec<u8>, size: u64) {
    out.push(b'{');
    number(out, size);
    out.extend_from_slice(b"}\r\n");
}

/// A quoted string where that can hold the octets, else a literal. NUL can stand in neither (RFC 3501 §4.3)
/// and becomes `?`.
pub fn string(out: &mut Vec<u8>, octets: &[u8]) {
    let quotable = octets.len() <= MAX_QUOTED && octets.iter().all(|&b| b < 0x80 && b != b'\r' && b != b'\n');
    let start = if quotable {
        out.push(b'"');
        let start = out.len();
        let mut rest = octets;
        // RFC 3501 §9: quoted-specials
        while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
            let (plain, special) = rest.split_at(at);
            out.extend_from_slice(plain);
            out.push(b'\\');
            let (special, behind) = special.split_at(1);
            out.extend_from_slice(special);
            rest = behind;
        }
        out.extend_from_slice(rest);
        out.push(b'"');
        start
    } else {
        literal_begin(out, octets.len() as u64);
        let start = out.len();
        out.extend_from_slice(octets);
        start
    };
    if memchr::memchr(0, octets).is_some() {
        out.iter_mut().skip(start).filter(|b| **b == 0).for_each(|b| *b = b'?');
    }
}

pub fn nstring(out: &mut Vec<u8>, octets: Option<&[u8]>) {
    match octets {
        Some(octets) => string(out, octets),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// An atom where that can hold the octets, else a string. `NIL` is quoted, since some clients take it for
/// nothing.
pub fn astring(out: &mut Vec<u8>, octets: &[u8]) {
    // RFC 3501 §9: ASTRING-CHAR
    let atom = !octets.is_empty()
        && !octets.eq_ignore_ascii_case(b"NIL")
        && octets.iter().all(|&b| (0x21..0x7f).contains(&b) && !b"(){%*\"\\".contains(&b));
    if atom { out.extend_from_slice(octets) } else { string(out, octets) }
}

/// A mailbox name given in UTF-8.
pub fn mailbox_name(out: &mut Vec<u8>, name: &str) {
    let mut encoded = Vec::with_capacity(name.len());
    mutf7::encode(name, &mut encoded);
    // Quoted also where an atom would do: what most servers send, so what clients are tested with.
    if name == "INBOX" { out.extend_from_slice(b"INBOX") } else { string(out, &encoded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn each_octet_string_gets_the_form_that_can_hold_it() {
        let cases: [(&[u8], &[u8]); 7] = [
            (b"", b"\"\""),
            (b"a b", b"\"a b\""),
            (b"a\"b\\c", b"\"a\\\"b\\\\c\""),
            (b"a\r\nb", b"{4}\r\na\r\nb"),
            ("ü".as_bytes(), b"{2}\r\n\xc3\xbc"),
            (b"a\0b", b"\"a?b\""),
            (b"\xff\0", b"{2}\r\n\xff?"),
        ];
        for (octets, expected) in cases {
            assert_eq!(written(|out| string(out, octets)), expected);
        }
        assert_eq!(written(|out| string(out, &[b'a'; MAX_QUOTED])).len(), MAX_QUOTED + 2);
        assert!(written(|out| string(out, &[b'a'; MAX_QUOTED + 1])).starts_with(b"{1001}\r\n"));
    }

    #[test]
    fn numbers_are_written_in_full() {
        for value in [0, 1, 9, 10, 4_294_967_295, u64::MAX] {
            assert_eq!(written(|out| number(out, value)), value.to_string().as_bytes());
        }
        assert_eq!(written(|out| literal_begin(out, 310)), b"{310}\r\n");
    }

    #[test]
    fn atoms_are_used_only_where_they_are_safe() {
        let cases: [(&[u8], &[u8]); 5] =
            [(b"a]b", b"a]b"), (b"", b"\"\""), (b"nil", b"\"nil\""), (b"a b", b"\"a b\""), (b"%", b"\"%\"")];
        for (octets, expected) in cases {
            assert_eq!(written(|out| astring(out, octets)), expected);
        }
        assert_eq!(written(|out| nstring(out, None)), b"NIL");
    }
}
