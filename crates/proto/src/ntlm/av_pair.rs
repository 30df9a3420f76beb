//! Attribute and value pairs: what the server says of itself, and what the client adds (MS-NLMP 2.2.2.1).

use super::wire::utf16;

pub(super) const END: u16 = 0;
pub(super) const NETBIOS_COMPUTER: u16 = 1;
pub(super) const NETBIOS_DOMAIN: u16 = 2;
pub(super) const DNS_COMPUTER: u16 = 3;
pub(super) const DNS_DOMAIN: u16 = 4;
pub(super) const FLAGS: u16 = 6;
pub(super) const TIMESTAMP: u16 = 7;
pub(super) const CHANNEL_BINDINGS: u16 = 10;

/// In the value of [`FLAGS`]: the client provides a MIC.
pub(super) const FLAG_MIC: u32 = 2;

/// A list that is well-formed up to its end. What stands behind the end is not looked at; clients leave zeros there.
#[derive(Clone, Copy)]
pub(super) struct AvPairs<'a>(&'a [u8]);

impl<'a> AvPairs<'a> {
    pub fn parse(octets: &'a [u8]) -> Result<Self, &'static str> {
        let mut rest = octets;
        let mut seen = 0u16;
        loop {
            let (id, value, behind) = split(rest).ok_or("a pair of the target information is cut off")?;
            rest = behind;
            match (id, value.len()) {
                (END, 0) => return Ok(Self(octets)),
                (END, _) => return Err("the end of the target information has a value"),
                (FLAGS, 4) | (TIMESTAMP, 8) | (CHANNEL_BINDINGS, 16) => {}
                (FLAGS | TIMESTAMP | CHANNEL_BINDINGS, _) => {
                    return Err("a value of the target information does not have its length");
                }
                _ => {}
            }
            // Of two values for one thing each reader could believe another one. Unknown pairs nobody here reads.
            let bit = 1u16.checked_shl(id.into()).unwrap_or(0);
            if seen & bit != 0 {
                return Err("a pair of the target information is there twice");
            }
            seen |= bit;
        }
    }

    /// All before the end.
    pub fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (id, value, behind) = split(rest)?;
            rest = behind;
            (id != END).then_some((id, value))
        })
    }

    pub fn get(self, id: u16) -> Option<&'a [u8]> {
        self.iter().find(|(found, _)| *found == id).map(|(_, value)| value)
    }

    /// A value whose length [`parse`](Self::parse) has seen to.
    pub fn array<const N: usize>(self, id: u16) -> Option<[u8; N]> {
        self.get(id)?.try_into().ok()
    }

    /// Whether all pairs of the other list are in this one, with the same values.
    pub fn contain(self, other: AvPairs<'_>) -> bool {
        other.iter().all(|(id, value)| self.get(id) == Some(value))
    }
}

fn split(octets: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (id, rest) = octets.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    Some((u16::from_le_bytes(*id), value, rest))
}

pub(super) fn put(out: &mut Vec<u8>, id: u16, value: &[u8]) {
    // What is longer is none of ours: names are short by their type, the rest has fixed lengths.
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.extend(id.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(value.iter().take(length.into()));
}

/// Names are in Unicode here whatever was agreed on (MS-NLMP 2.2.2.1).
pub(super) fn put_name(out: &mut Vec<u8>, id: u16, name: &str) {
    put(out, id, &utf16(name));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(pairs: &[(u16, &[u8])]) -> Vec<u8> {
        let mut octets = Vec::new();
        for (id, value) in pairs {
            put(&mut octets, *id, value);
        }
        octets
    }

    #[test]
    fn pairs_are_found_in_any_order_and_up_to_the_end_only() {
        let octets =
            list(&[(9, b"x"), (TIMESTAMP, &[1; 8]), (77, b""), (77, b"y"), (END, b""), (FLAGS, &[2, 0, 0, 0])]);
        let pairs = AvPairs::parse(&octets).unwrap();
        assert_eq!(pairs.array(TIMESTAMP), Some([1; 8]));
        assert_eq!(pairs.get(9), Some(b"x".as_slice()));
        assert_eq!(pairs.get(FLAGS), None);
        assert_eq!(pairs.iter().count(), 4);
    }

    #[test]
    fn a_list_without_end_with_doubles_or_with_wrong_lengths_is_none() {
        let bad: [&[(u16, &[u8])]; 8] = [
            &[],
            &[(1, b"x")],
            &[(END, b"x")],
            &[(1, b"x"), (1, b"x"), (END, b"")],
            &[(10, &[0; 16]), (10, &[0; 16]), (END, b"")],
            &[(FLAGS, &[0; 3]), (END, b"")],
            &[(TIMESTAMP, &[0; 9]), (END, b"")],
            &[(CHANNEL_BINDINGS, &[]), (END, b"")],
        ];
        for pairs in bad {
            assert!(AvPairs::parse(&list(pairs)).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn no_truncation_of_a_list_is_a_list() {
        let octets = list(&[(1, b"abc"), (TIMESTAMP, &[1; 8]), (END, b"")]);
        for end in 0..octets.len() {
            assert!(AvPairs::parse(&octets[..end]).is_err());
        }
    }

    #[test]
    fn a_list_contains_another_when_all_values_are_the_same() {
        let ours = list(&[(1, b"a"), (2, b"b"), (END, b"")]);
        let cell =
            |pairs: &[(u16, &[u8])]| AvPairs::parse(&list(pairs)).unwrap().contain(AvPairs::parse(&ours).unwrap());
        assert!(cell(&[(1, b"a"), (2, b"b"), (END, b"")]));
        assert!(cell(&[(9, b"c"), (2, b"b"), (1, b"a"), (END, b"")]));
        assert!(!cell(&[(1, b"a"), (END, b"")]));
        assert!(!cell(&[(1, b"a"), (2, b"B"), (END, b"")]));
    }
}
