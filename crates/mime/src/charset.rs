//! Text of any charset to UTF-8, as it streams by.

use encoding_rs::{CoderResult, Encoding, UTF_8, WINDOWS_1252};

/// Turns text of one charset into UTF-8. What the charset has no character for becomes U+FFFD.
pub struct Decoder {
    inner: encoding_rs::Decoder,
}

impl Decoder {
    /// A decoder for a MIME charset name (RFC 2978).
    ///
    /// US-ASCII is read as UTF-8, which it is part of: text sent without a charset is UTF-8 more often than anything
    /// else. Charsets that are not known are read as Windows-1252, Latin-1 with the gaps filled, so that their ASCII can
    /// still be read.
    pub fn new(charset: &[u8]) -> Self {
        let charset = charset.trim_ascii();
        let encoding = if charset.is_empty() || charset.eq_ignore_ascii_case(b"us-ascii") {
            UTF_8
        } else {
            Encoding::for_label(charset).unwrap_or(WINDOWS_1252)
        };
        Self { inner: encoding.new_decoder_with_bom_removal() }
    }

    /// Decodes the next octets. A character may be split between calls.
    pub fn push(&mut self, octets: &[u8], text: &mut String) {
        self.run(octets, text, false);
    }

    /// Says that the text has ended, perhaps within a character.
    pub fn finish(mut self, text: &mut String) {
        self.run(&[], text, true);
    }

    fn run(&mut self, mut octets: &[u8], text: &mut String, last: bool) {
        loop {
            // Enough for Latin text in one go; what needs more comes round again. The constant makes each round progress.
            text.reserve(octets.len() + 32);
            let (result, read, _) = self.inner.decode_to_string(octets, text, last);
            octets = octets.get(read..).unwrap_or_default();
            match result {
                CoderResult::InputEmpty => return,
                CoderResult::OutputFull => {}
            }
        }
    }
}

/// Decodes a whole text of one charset.
pub fn decode(charset: &[u8], octets: &[u8]) -> String {
    let mut text = String::new();
    let mut decoder = Decoder::new(charset);
    decoder.push(octets, &mut text);
    decoder.finish(&mut text);
    text
}

/// Appends octets of no known charset: UTF-8 if they are that, else Windows-1252.
pub fn decode_unlabelled(octets: &[u8], text: &mut String) {
    match str::from_utf8(octets) {
        Ok(valid) => text.push_str(valid),
        Err(_) => text.push_str(&WINDOWS_1252.decode_without_bom_handling(octets).0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_two(charset: &[u8], octets: &[u8], at: usize) -> String {
        let mut text = String::new();
        let mut decoder = Decoder::new(charset);
        decoder.push(&octets[..at], &mut text);
        decoder.push(&octets[at..], &mut text);
        decoder.finish(&mut text);
        text
    }

    #[test]
    fn characters_may_be_split_between_pushes() {
        let utf8 = "Grüße, 世界 🙂".as_bytes();
        let cases: [(&[u8], &[u8], &str); 4] = [
            (b"utf-8", utf8, "Grüße, 世界 🙂"),
            (b"ISO-2022-JP", b"a\x1b$B@$3&\x1b(Bz", "a世界z"),
            (b"shift_jis", b"\x90\xa2\x8aE", "世界"),
            (b"iso-8859-1", b"Gr\xfc\xdfe", "Grüße"),
        ];
        for (charset, octets, expected) in cases {
            for at in 0..=octets.len() {
                assert_eq!(in_two(charset, octets, at), expected, "{charset:?} split at {at}");
            }
        }
    }

    #[test]
    fn an_unknown_charset_still_shows_its_ascii() {
        assert_eq!(decode(b"x-none", b"caf\xe9 & tea"), "café & tea");
    }

    #[test]
    fn unlabelled_text_is_read_as_utf8() {
        assert_eq!(decode(b"us-ascii", "für".as_bytes()), "für");
        assert_eq!(decode(b"", b"f\xfcr"), "f\u{fffd}r");
    }

    #[test]
    fn a_cut_character_is_replaced() {
        assert_eq!(decode(b"utf-8", b"a\xe4\xb8"), "a\u{fffd}");
    }

    #[test]
    fn unlabelled_octets_fall_back_to_latin() {
        let mut text = String::new();
        decode_unlabelled("ü".as_bytes(), &mut text);
        decode_unlabelled(b"\xfc", &mut text);
        assert_eq!(text, "üü");
    }
}
