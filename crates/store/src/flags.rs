//! System flags and keywords (RFC 3501 §2.3.2). `\Recent` belongs to sessions, not to messages.

use serde::{Deserialize, Serialize};

/// The five permanent system flags as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct Flags(u8);

impl Flags {
    pub const NONE: Self = Self(0);
    pub const SEEN: Self = Self(1);
    pub const ANSWERED: Self = Self(2);
    pub const FLAGGED: Self = Self(4);
    pub const DELETED: Self = Self(8);
    pub const DRAFT: Self = Self(16);
    pub const ALL: Self = Self(31);

    /// Bits as stored; unknown ones are dropped.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    pub const fn bits(self) -> u8 {
        self.0
    }

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl From<u8> for Flags {
    fn from(bits: u8) -> Self {
        Self::from_bits(bits)
    }
}

impl From<Flags> for u8 {
    fn from(flags: Flags) -> Self {
        flags.0
    }
}

/// A keyword: an IMAP atom of 1 to [`Keyword::MAX_OCTETS`] octets that does not begin with `\`.
/// Compared without regard to ASCII case, as clients expect; the first spelling is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Keyword(Box<str>);

impl Keyword {
    pub const MAX_OCTETS: usize = 255;

    pub fn new(text: &str) -> Option<Self> {
        // RFC 3501 §9: flag-keyword = atom; atom-specials are ( ) { SP CTL % * " \ ]
        let valid = (1..=Self::MAX_OCTETS).contains(&text.len())
            && text.bytes().all(|b| (0x21..0x7f).contains(&b) && !b"(){%*\"\\]".contains(&b));
        valid.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl TryFrom<String> for Keyword {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text).ok_or("not a keyword")
    }
}

impl From<Keyword> for String {
    fn from(keyword: Keyword) -> Self {
        keyword.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_keyword_is_taken_and_one_octet_more_refused() {
        assert!(Keyword::new(&"k".repeat(Keyword::MAX_OCTETS)).is_some());
        assert!(Keyword::new(&"k".repeat(Keyword::MAX_OCTETS + 1)).is_none());
        assert!(Keyword::new("").is_none());
    }

    #[test]
    fn a_keyword_is_made_of_exactly_the_atom_characters() {
        let specials = b"(){%*\"\\]";
        for octet in 0..=127u8 {
            let atom = (0x21..0x7f).contains(&octet) && !specials.contains(&octet);
            assert_eq!(Keyword::new(&format!("k{}", char::from(octet))).is_some(), atom, "{octet:#04x}");
        }
        assert!(Keyword::new("é").is_none());
        assert!(Keyword::new("\\Seen").is_none());
        assert!(Keyword::new("[x").is_some(), "RFC 3501 §9: only ] is a resp-special");
    }

    #[test]
    fn stored_values_are_checked() {
        assert!(serde_json::from_str::<Keyword>("\"a b\"").is_err());
        assert_eq!(serde_json::from_str::<Flags>("255").unwrap(), Flags::ALL);
    }
}
