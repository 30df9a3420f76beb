//! Sets of UIDs as sorted ranges.

use std::fmt;
use std::ops::RangeInclusive;

use crate::Uid;

/// Disjoint, ascending, non-adjacent ranges: memory is per range, so `1:*` costs as little as `7`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// Every possible UID.
    pub fn all() -> Self {
        Self { ranges: vec![(1, u32::MAX)] }
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(low, high)| u64::from(high - low) + 1).sum()
    }

    pub fn insert(&mut self, uid: Uid) {
        self.insert_range(uid..=uid);
    }

    /// Adds a range, in either order of its ends.
    pub fn insert_range(&mut self, range: RangeInclusive<Uid>) {
        let (a, b) = (range.start().get(), range.end().get());
        let (low, high) = (a.min(b), a.max(b));
        if let Some(last) = self.ranges.last_mut() {
            // The usual case: built in ascending order.
            if low >= last.0 {
                if low <= last.1.saturating_add(1) {
                    last.1 = last.1.max(high);
                } else {
                    self.ranges.push((low, high));
                }
                return;
            }
        }
        // Ranges that touch the new one become one with it.
        let from = self.ranges.partition_point(|r| r.1.saturating_add(1) < low);
        let to = self.ranges.partition_point(|r| r.0 <= high.saturating_add(1));
        let joined = self.ranges.get(from..to).unwrap_or_default();
        let low = joined.first().map_or(low, |r| r.0.min(low));
        let high = joined.last().map_or(high, |r| r.1.max(high));
        self.ranges.splice(from..to.max(from), [(low, high)]);
    }

    pub fn contains(&self, uid: Uid) -> bool {
        let at = self.ranges.partition_point(|r| r.1 < uid.get());
        self.ranges.get(at).is_some_and(|r| r.0 <= uid.get())
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<Uid>> + '_ {
        self.ranges.iter().filter_map(|&(low, high)| Some(Uid::new(low)?..=Uid::new(high)?))
    }

    /// Each UID, ascending. For a set that came from a client, walk the listing instead: the set may hold 2^32.
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges.iter().flat_map(|&(low, high)| (low..=high).filter_map(Uid::new))
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut set = Self::new();
        for uid in uids {
            set.insert(uid);
        }
        set
    }
}

/// As IMAP writes it: `1:3,7`.
impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (low, high)) in self.ranges.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            if low == high { write!(f, "{low}")? } else { write!(f, "{low}:{high}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UidSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn uid(n: u32) -> Uid {
        Uid::new(n).unwrap()
    }

    #[test]
    fn neighbours_join_into_one_range() {
        let set: UidSet = [1, 2, 3, 7, 5, 6].map(uid).into_iter().collect();
        assert_eq!(set.to_string(), "1:3,5:7");
    }

    #[test]
    fn the_whole_range_is_one_range() {
        let mut set = UidSet::all();
        set.insert(uid(9));
        assert_eq!(set.to_string(), "1:4294967295");
        assert_eq!(set.len(), u64::from(u32::MAX));
    }

    proptest! {
        #[test]
        fn behaves_as_a_plain_set(ranges in prop::collection::vec((1u32..60, 1u32..60), 0..12)) {
            let mut model = BTreeSet::new();
            let mut set = UidSet::new();
            for (a, b) in ranges {
                model.extend(a.min(b)..=a.max(b));
                set.insert_range(uid(a)..=uid(b));
            }
            prop_assert_eq!(set.iter().map(Uid::get).collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(set.len(), model.len() as u64);
            for n in 1..62 {
                prop_assert_eq!(set.contains(uid(n)), model.contains(&n));
            }
            prop_assert!(set.ranges.windows(2).all(|w| w[0].1 + 1 < w[1].0));
        }
    }
}
