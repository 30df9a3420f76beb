//! The wildcards of LIST (RFC 3501 §6.3.8), matched without back-tracking: all ways through the pattern are
//! followed at once, as bits, so that no pattern takes more than (name x pattern / 64) steps.

use store::FolderName;

const SEPARATOR: u8 = FolderName::SEPARATOR as u8;
const WORD: usize = u64::BITS as usize;

/// A pattern that was made ready once for many names.
pub struct Pattern {
    /// Per octet value the places of the pattern that take it, `words` words each.
    places: Vec<u64>,
    wild: Vec<u64>,
    /// The wildcards that take a separator: `*`.
    star: Vec<u64>,
    /// Places, the end included.
    len: usize,
    /// Octets that stand for themselves: so many a name has at the least.
    literals: usize,
    words: usize,
    has_percent: bool,
}

impl Pattern {
    pub fn new(text: &str) -> Self {
        let mut atoms: Vec<u8> = Vec::with_capacity(text.len());
        for &octet in text.as_bytes() {
            // Neighbouring wildcards are one: the stronger.
            match (atoms.last_mut(), octet) {
                (Some(b'*'), b'*' | b'%') | (Some(b'%'), b'%') => {}
                (Some(last @ b'%'), b'*') => *last = b'*',
                _ => atoms.push(octet),
            }
        }
        inbox_in_capitals(&mut atoms);
        let len = atoms.len() + 1;
        let words = len.div_ceil(WORD);
        let mut pattern = Self {
            places: vec![0; 256 * words],
            wild: vec![0; words],
            star: vec![0; words],
            len,
            literals: atoms.iter().filter(|atom| !matches!(atom, b'*' | b'%')).count(),
            words,
            has_percent: atoms.contains(&b'%'),
        };
        for (at, octet) in atoms.into_iter().enumerate() {
            match octet {
                b'*' => {
                    set(&mut pattern.wild, at);
                    set(&mut pattern.star, at);
                }
                b'%' => set(&mut pattern.wild, at),
                _ => set(&mut pattern.places, usize::from(octet) * words * WORD + at),
            }
        }
        pattern
    }

    /// RFC 3501 §6.3.8: a `%` at the end also finds the parents of what it does not reach.
    pub fn has_percent(&self) -> bool {
        self.has_percent
    }

    /// What it takes to match a name, in octets looked at.
    pub fn work(&self, name: &str) -> usize {
        if name.len() < self.literals { 1 } else { name.len() * self.words * 4 }
    }

    pub fn matches(&self, name: &str) -> bool {
        if name.len() < self.literals {
            return false;
        }
        let mut now = vec![0u64; self.words];
        set(&mut now, 0);
        self.skip_wildcards(&mut now);
        for &octet in name.as_bytes() {
            let stays = if octet == SEPARATOR { &self.star } else { &self.wild };
            let taken = self.places.get(usize::from(octet) * self.words..).unwrap_or_default();
            let mut carry = 0;
            for ((word, stays), taken) in now.iter_mut().zip(stays).zip(taken) {
                let stepped = *word & taken;
                *word = *word & stays | stepped << 1 | carry;
                carry = stepped >> (WORD - 1);
            }
            self.skip_wildcards(&mut now);
            if now.iter().all(|&word| word == 0) {
                return false;
            }
        }
        now.get((self.len - 1) / WORD).is_some_and(|word| word >> ((self.len - 1) % WORD) & 1 == 1)
    }

    /// A wildcard may stand for nothing; no two stand side by side, so that one step is enough.
    fn skip_wildcards(&self, now: &mut [u64]) {
        let mut carry = 0;
        for (word, wild) in now.iter_mut().zip(&self.wild) {
            let skipped = *word & wild;
            *word |= skipped << 1 | carry;
            carry = skipped >> (WORD - 1);
        }
    }
}

/// RFC 3501 §5.1: INBOX is one name in any case.
fn inbox_in_capitals(atoms: &mut [u8]) {
    if let Some((head, rest)) = atoms.split_at_mut_checked(5)
        && head.eq_ignore_ascii_case(b"INBOX")
        && matches!(rest.first(), None | Some(&SEPARATOR | b'*' | b'%'))
    {
        head.make_ascii_uppercase();
    }
}

fn set(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / WORD) {
        *word |= 1 << (at % WORD);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, with all the back-tracking it likes.
    fn plain(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => plain(rest, name) || !name.is_empty() && plain(pattern, &name[1..]),
            (Some((b'%', rest)), _) => {
                plain(rest, name) || name.first().is_some_and(|&b| b != b'/') && plain(pattern, &name[1..])
            }
            (Some((a, pattern)), Some((b, name))) => a == b && plain(pattern, name),
            _ => false,
        }
    }

    #[test]
    fn percent_stops_at_the_separator_and_star_does_not() {
        for (pattern, name, matches) in [
            ("%", "Sent", true),
            ("%", "a/b", false),
            ("*", "a/b", true),
            ("a/%", "a/b", true),
            ("a/%", "a", false),
            ("%/%", "a/b", true),
            ("inbox", "INBOX", true),
            ("Inbox/%", "INBOX/x", true),
            ("inboxes", "inboxes", true),
            ("INBOX*", "INBOX", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_of_a_thousand_stars_is_no_more_work_than_it_is_long() {
        let pattern = Pattern::new(&"*a".repeat(1000));
        assert!(!pattern.matches(&"a".repeat(999)));
        assert!(pattern.matches(&"a".repeat(1000)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(1000))));
    }

    proptest! {
        #[test]
        fn matches_as_the_definition_says(
            pattern in "[ab/*%]{0,8}([a/*%]{60,70})?[ab*%]{0,4}",
            name in "[ab/]{0,9}",
        ) {
            prop_assert_eq!(Pattern::new(&pattern).matches(&name), plain(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
