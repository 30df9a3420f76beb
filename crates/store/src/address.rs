//! Addresses of local accounts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// An address of a local account: `local@domain`, the domain in lower case (RFC 5321 §2.4: domains are
/// case-insensitive; local parts are ours here and compared without case).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: Box<str>,
    at: usize,
}

impl Address {
    /// RFC 5321 §4.5.3.1: 64 octets before the `@`, 255 after it.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = || Err(Error::Invalid(format!("{text:?} is not a mail address like ann@example.test")));
        let Some((local, domain)) = text.rsplit_once('@') else { return refuse() };
        let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        let local_ok =
            (1..=64).contains(&local.len()) && local.bytes().all(atom) && !local.split('.').any(str::is_empty);
        if !local_ok || !is_domain(domain) {
            return refuse();
        }
        Ok(Self { text: text.to_ascii_lowercase().into(), at: local.len() })
    }

    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// RFC 1035 §2.3.4: labels of 1 to 63 letters, digits and inner hyphens, 255 octets in all.
pub(crate) fn is_domain(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    (1..=255).contains(&text.len()) && text.split('.').all(label)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> bool {
        Address::parse(text).is_ok()
    }

    #[test]
    fn the_longest_parts_are_taken_and_one_octet_more_refused() {
        let at = |local: usize, label: usize| format!("{}@{}.test", "a".repeat(local), "d".repeat(label));
        assert!(accepted(&at(64, 63)));
        assert!(!accepted(&at(65, 63)));
        assert!(!accepted(&at(64, 64)));
        let domain = |last: usize| ["d".repeat(63), "d".repeat(63), "d".repeat(63), "d".repeat(last)].join(".");
        assert_eq!(domain(63).len(), 255);
        assert!(accepted(&format!("a@{}", domain(63))));
        assert!(!accepted(&format!("a@{}.d", domain(62))), "256 octets");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a@b_c",
            "\"a\"@b",
            "a@[127.0.0.1]",
            "a@b\r\n",
            "<a@b>",
            "a,b@c",
            "ä@b",
            "a@ä",
            "a\0@b",
        ] {
            assert!(!accepted(text), "{text:?}");
        }
        for text in ["a@b", "a.b+c@d-e.f", "!#$%&'*+-/=?^_`{|}~@x1"] {
            assert!(accepted(text), "{text:?}");
        }
    }

    #[test]
    fn case_is_no_difference_and_parts_are_what_was_around_the_at() {
        let address = Address::parse("Ann.B@Example.TEST").unwrap();
        assert_eq!(address, Address::parse("ann.b@example.test").unwrap());
        assert_eq!((address.local(), address.domain()), ("ann.b", "example.test"));
        assert!(serde_json::from_str::<Address>("\"a@@b\"").is_err());
    }
}
