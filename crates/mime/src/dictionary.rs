use std::borrow::Cow;

use crate::outline::Octets;

/// Words that most messages use: kept without allocation, and as one number in the stored form of an outline. Their
/// places are part of that form, so words are only ever added at the end.
const WORDS: [&[u8]; 72] = [
    b"",
    b"text",
    b"plain",
    b"html",
    b"multipart",
    b"mixed",
    b"alternative",
    b"related",
    b"report",
    b"signed",
    b"digest",
    b"message",
    b"rfc822",
    b"delivery-status",
    b"application",
    b"octet-stream",
    b"pdf",
    b"pgp-signature",
    b"pkcs7-signature",
    b"image",
    b"jpeg",
    b"png",
    b"gif",
    b"calendar",
    b"audio",
    b"video",
    b"charset",
    b"us-ascii",
    b"US-ASCII",
    b"utf-8",
    b"UTF-8",
    b"iso-8859-1",
    b"ISO-8859-1",
    b"windows-1252",
    b"Windows-1252",
    b"boundary",
    b"name",
    b"filename",
    b"format",
    b"flowed",
    b"delsp",
    b"yes",
    b"type",
    b"text/html",
    b"text/plain",
    b"multipart/alternative",
    b"report-type",
    b"protocol",
    b"micalg",
    b"method",
    b"REQUEST",
    b"inline",
    b"attachment",
    b"size",
    b"creation-date",
    b"modification-date",
    b"7bit",
    b"8bit",
    b"binary",
    b"quoted-printable",
    b"base64",
    b"7BIT",
    b"8BIT",
    b"Quoted-Printable",
    b"QUOTED-PRINTABLE",
    b"BASE64",
    b"TEXT",
    b"PLAIN",
    b"en",
    b"en-US",
    b"gb2312",
    b"x-unix-mode",
];

/// The longest word above; longer octets are not looked up.
const LONGEST: usize = 21;

/// The place of a word.
pub(crate) fn number_of(octets: &[u8]) -> Option<u64> {
    if octets.len() > LONGEST {
        return None;
    }
    // A walk over short words of mostly other lengths: no faster to hash.
    WORDS.iter().position(|word| *word == octets).map(|place| place as u64)
}

/// The word at a place.
pub(crate) fn word_at(number: u64) -> Option<&'static [u8]> {
    WORDS.get(usize::try_from(number).ok()?).copied()
}

/// Borrows a known word, copies anything else.
pub(crate) fn intern(octets: &[u8]) -> Octets {
    match number_of(octets).and_then(word_at) {
        Some(word) => Cow::Borrowed(word),
        None => Cow::Owned(octets.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_at_its_own_place() {
        for (place, word) in WORDS.iter().enumerate() {
            assert_eq!(number_of(word), Some(place as u64));
            assert_eq!(word_at(place as u64), Some(*word));
        }
        assert_eq!(WORDS.iter().map(|word| word.len()).max(), Some(LONGEST));
        assert_eq!(word_at(WORDS.len() as u64), None);
        assert_eq!(number_of(b"no such word"), None);
    }
}
