//! Modified UTF-7, the spelling of mailbox names on the wire (RFC 3501 §5.1.3).

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// RFC 3501 §5.1.3: "," in place of "/", no padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name in UTF-8. What is not modified UTF-7 is taken as it stands if it is UTF-8: clients send raw UTF-8
/// and bare ampersands, and a mailbox so named must be reachable. `None` for anything else.
pub fn decode(name: &[u8]) -> Option<String> {
    decode_strict(name).or_else(|| std::str::from_utf8(name).ok().map(str::to_owned))
}

/// Only what RFC 3501 §5.1.3 allows.
fn decode_strict(name: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b'&' => {
                let end = memchr::memchr(b'-', tail)?;
                let (shifted, tail) = tail.split_at(end);
                if shifted.is_empty() {
                    text.push('&');
                } else {
                    decode_shifted(shifted, &mut text)?;
                }
                tail.get(1..)?
            }
            0x20..=0x7e => {
                text.push(char::from(first));
                tail
            }
            _ => return None,
        };
    }
    Some(text)
}

fn decode_shifted(base64: &[u8], text: &mut String) -> Option<()> {
    let octets = BASE64.decode(base64).ok()?;
    let (units, []) = octets.as_chunks::<2>() else { return None };
    for c in char::decode_utf16(units.iter().map(|&unit| u16::from_be_bytes(unit))) {
        // RFC 3501 §5.1.3: printable US-ASCII represents itself, so that a pattern's wildcards and the
        // separator cannot hide here.
        text.push(c.ok().filter(|c| !matches!(c, ' '..='~'))?);
    }
    Some(())
}

/// Appends the one right spelling of `name`.
pub fn encode(name: &str, out: &mut Vec<u8>) {
    let mut rest = name;
    while !rest.is_empty() {
        let plain = rest.find(|c| !matches!(c, ' '..='~') || c == '&').unwrap_or(rest.len());
        let (head, tail) = rest.split_at(plain);
        out.extend_from_slice(head.as_bytes());
        let shifted = tail.find(|c| matches!(c, ' '..='~')).unwrap_or(tail.len());
        let (head, tail) = tail.split_at(shifted);
        if head.is_empty() {
            rest = match tail.strip_prefix('&') {
                Some(tail) => {
                    out.extend_from_slice(b"&-");
                    tail
                }
                None => tail,
            };
            continue;
        }
        let octets: Vec<u8> = head.encode_utf16().flat_map(u16::to_be_bytes).collect();
        out.push(b'&');
        out.extend_from_slice(BASE64.encode(octets).as_bytes());
        out.push(b'-');
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(name: &str) -> String {
        let mut out = Vec::new();
        encode(name, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_names_have_their_known_spelling() {
        for (name, spelling) in [
            ("", ""),
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Q&A", "Q&-A"),
            ("&", "&-"),
            ("&&", "&-&-"),
            ("ü&ü", "&APw-&-&APw-"),
            ("😀", "&2D3eAA-"),
            ("a\tb", "a&AAk-b"),
        ] {
            assert_eq!(encoded(name), spelling);
            assert_eq!(decode_strict(spelling.as_bytes()).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_not_modified_utf7_is_taken_as_it_stands() {
        for name in ["Q&A", "a&b-c", "Entwürfe", "&AGE-", "&2D0-", "&A-", "&APw", "Entw&APw-rfe ü"] {
            assert_eq!(decode_strict(name.as_bytes()), None, "{name}");
            assert_eq!(decode(name.as_bytes()).as_deref(), Some(name));
        }
        assert_eq!(decode(b"\xff"), None);
    }

    #[test]
    fn wildcards_cannot_hide_in_the_shifted_part() {
        let hidden = format!("&{}-", BASE64.encode([0, b'*']));
        assert_eq!(decode_strict(hidden.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(name in "\\PC{0,20}|[&a-c\u{e4}\u{1f600}-]{0,12}") {
            let spelling = encoded(&name);
            prop_assert!(spelling.bytes().all(|b| matches!(b, 0x20..=0x7e)));
            prop_assert_eq!(decode_strict(spelling.as_bytes()), Some(name));
        }

        #[test]
        fn no_input_breaks_it(name in prop::collection::vec(any::<u8>(), 0..24)) {
            let _ = decode(&name);
        }
    }
}
