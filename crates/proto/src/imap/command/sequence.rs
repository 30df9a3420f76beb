//! Sequence sets (RFC 3501 §9: sequence-set), of sequence numbers or of UIDs.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// `2,4:7,9:*` as given: neither sorted nor expanded.
#[derive(Clone, PartialEq, Eq)]
pub struct SequenceSet(Box<[SequenceRange]>);

/// One number or one range; `None` stands for `*`, the largest there is. The ends may stand either way round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SequenceRange {
    pub from: Option<NonZeroU32>,
    pub to: Option<NonZeroU32>,
}

impl SequenceSet {
    /// `None` without a range: the grammar knows no empty set.
    pub fn new(ranges: Vec<SequenceRange>) -> Option<Self> {
        (!ranges.is_empty()).then(|| Self(ranges.into()))
    }

    pub fn as_slice(&self) -> &[SequenceRange] {
        &self.0
    }

    /// What the set covers in a mailbox whose largest number (or UID) is `largest`: ascending ranges that do
    /// not touch. With `largest` 0 (no messages), `*` stands for nothing. `9:*` covers the largest also where
    /// that is less than 9 (RFC 3501 §6.4.8). A UID set may cover numbers that no message has, up to 2^32-1:
    /// walk it beside the messages.
    pub fn resolve(&self, largest: u32) -> Vec<RangeInclusive<u32>> {
        let mut ranges: Vec<(u32, u32)> = Vec::with_capacity(self.0.len());
        for range in &self.0 {
            let end = |end: Option<NonZeroU32>| end.map_or(largest, NonZeroU32::get);
            let (a, b) = (end(range.from), end(range.to));
            if a > 0 && b > 0 {
                ranges.push((a.min(b), a.max(b)));
            }
        }
        ranges.sort_unstable();
        let mut joined: Vec<RangeInclusive<u32>> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match joined.last_mut() {
                Some(last) if low <= last.end().saturating_add(1) => *last = *last.start()..=high.max(*last.end()),
                _ => joined.push(low..=high),
            }
        }
        joined
    }

    /// The largest number that stands in the set, apart from `*`.
    pub fn greatest(&self) -> Option<u32> {
        self.0.iter().flat_map(|range| [range.from, range.to]).flatten().max().map(NonZeroU32::get)
    }

    pub fn has_star(&self) -> bool {
        self.0.iter().any(|range| range.from.is_none() || range.to.is_none())
    }
}

impl fmt::Display for SequenceRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |f: &mut fmt::Formatter<'_>, end: Option<NonZeroU32>| match end {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("*"),
        };
        end(f, self.from)?;
        if self.to != self.from {
            f.write_str(":")?;
            end(f, self.to)?;
        }
        Ok(())
    }
}

/// As IMAP writes it.
impl fmt::Display for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{range}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SequenceSet({self})")
    }
}

impl fmt::Debug for SequenceRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u32, u32)]) -> SequenceSet {
        let range = |&(from, to): &(u32, u32)| SequenceRange { from: NonZeroU32::new(from), to: NonZeroU32::new(to) };
        SequenceSet::new(ranges.iter().map(range).collect()).unwrap()
    }

    #[test]
    fn resolving_sorts_and_joins() {
        assert_eq!(set(&[(9, 9), (4, 2), (5, 6), (1, 1)]).resolve(100), [1..=6, 9..=9]);
        assert_eq!(set(&[(1, 10), (2, 3)]).resolve(100), [1..=10]);
        assert_eq!(set(&[(4_294_967_295, 1), (7, 7)]).resolve(5), [1..=u32::MAX]);
    }

    #[test]
    fn a_star_is_the_largest_also_below_the_other_end() {
        assert_eq!(set(&[(9, 0)]).resolve(7), [7..=9]);
        assert_eq!(set(&[(0, 0)]).resolve(7), [7..=7]);
        assert_eq!(set(&[(9, 0)]).to_string(), "9:*");
        assert_eq!(set(&[(0, 0)]).to_string(), "*");
    }

    #[test]
    fn a_star_among_no_messages_is_nothing() {
        assert_eq!(set(&[(9, 0), (0, 0)]).resolve(0), []);
        assert_eq!(set(&[(1, 0), (3, 4)]).resolve(0), [3..=4]);
    }
}
