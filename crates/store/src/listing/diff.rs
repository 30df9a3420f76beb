//! What changed between two listings of one folder.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Listing, Row, Slot};

/// One difference, in the order of UIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference<'a> {
    /// Only in the newer one.
    Appeared(&'a Row),
    /// In both, with another modseq.
    Changed { old: &'a Row, new: &'a Row },
    /// Only in the older one.
    Vanished(&'a Row),
}

impl Listing {
    /// The differences from `self` to `newer`; pages that both share are not visited.
    pub fn diff<'a>(&'a self, newer: &'a Self) -> impl Iterator<Item = Difference<'a>> {
        let mut old = Cursor { slots: &self.0.slots, row: 0 };
        let mut new = Cursor { slots: &newer.0.slots, row: 0 };
        std::iter::from_fn(move || {
            loop {
                if old.row == 0 && new.row == 0 && shared(&old, &new) {
                    old.next_page();
                    new.next_page();
                    continue;
                }
                let order = match (old.peek(), new.peek()) {
                    (None, None) => return None,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(old), Some(new)) => old.uid.cmp(&new.uid),
                };
                match order {
                    Ordering::Less => return old.next().map(Difference::Vanished),
                    Ordering::Greater => return new.next().map(Difference::Appeared),
                    Ordering::Equal => {
                        let (old, new) = (old.next()?, new.next()?);
                        if old.modseq != new.modseq {
                            return Some(Difference::Changed { old, new });
                        }
                    }
                }
            }
        })
    }
}

fn shared(old: &Cursor, new: &Cursor) -> bool {
    matches!((old.slots.first(), new.slots.first()), (Some(a), Some(b)) if Arc::ptr_eq(&a.page, &b.page))
}

struct Cursor<'a> {
    slots: &'a [Slot],
    row: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<&'a Row> {
        self.slots.first()?.page.rows().get(self.row)
    }

    fn next(&mut self) -> Option<&'a Row> {
        let page = &self.slots.first()?.page;
        let row = page.rows().get(self.row)?;
        self.row += 1;
        if self.row == page.rows().len() {
            self.next_page();
        }
        Some(row)
    }

    fn next_page(&mut self) {
        self.slots = self.slots.get(1..).unwrap_or_default();
        self.row = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;
    use crate::{Flags, KeywordSet, MessageId, ModSeq, Uid, UidSet, UidValidity};

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Flag(u32),
        Remove(u32, u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Push),
            2 => (1u32..900).prop_map(Step::Flag),
            1 => (1u32..900, 0u32..200).prop_map(|(low, count)| Step::Remove(low, low + count)),
        ]
    }

    fn run(listing: &mut Listing, modseq: &mut u64, steps: &[Step]) {
        for step in steps {
            *modseq += 1;
            let at = ModSeq(*modseq);
            match *step {
                Step::Push => {
                    listing.push(at, MessageId(*modseq), 1.into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
                }
                Step::Flag(uid) => {
                    listing.set_flags(Uid::new(uid).unwrap(), at, Flags::SEEN, KeywordSet(0));
                }
                Step::Remove(low, high) => {
                    let mut uids = UidSet::new();
                    uids.insert_range(Uid::new(low).unwrap()..=Uid::new(high).unwrap());
                    listing.remove(&uids, at);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn old_rows_and_differences_make_the_new_rows(
            start in 0usize..800,
            first in prop::collection::vec(step(), 0..40),
            second in prop::collection::vec(step(), 0..40),
        ) {
            let mut modseq = 0;
            let mut listing = Listing::new(UidValidity(NonZeroU32::MIN));
            run(&mut listing, &mut modseq, &vec![Step::Push; start]);
            run(&mut listing, &mut modseq, &first);
            let old = listing.clone();
            run(&mut listing, &mut modseq, &second);

            let mut rows: std::collections::BTreeMap<Uid, Row> = old.rows().map(|row| (row.uid, *row)).collect();
            let mut last = None;
            for difference in old.diff(&listing) {
                let uid = match difference {
                    Difference::Appeared(row) => { prop_assert!(rows.insert(row.uid, *row).is_none()); row.uid }
                    Difference::Changed { old, new } => { prop_assert_eq!(rows.insert(new.uid, *new), Some(*old)); new.uid }
                    Difference::Vanished(row) => { prop_assert_eq!(rows.remove(&row.uid), Some(*row)); row.uid }
                };
                prop_assert!(last < Some(uid));
                last = Some(uid);
            }
            prop_assert_eq!(rows.into_values().collect::<Vec<_>>(), listing.rows().copied().collect::<Vec<_>>());
            prop_assert_eq!(listing.unseen() as usize, listing.rows().filter(|row| !row.flags.contains(Flags::SEEN)).count());
        }
    }

    #[test]
    fn shared_pages_are_not_visited() {
        let mut modseq = 0;
        let mut old = Listing::new(UidValidity(NonZeroU32::MIN));
        run(&mut old, &mut modseq, &vec![Step::Push; 2000]);
        let mut new = old.clone();
        run(&mut new, &mut modseq, &[Step::Flag(700)]);
        let kept = old.pages().zip(new.pages()).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!((old.pages().count(), kept), (8, 7));
        assert_eq!(old.diff(&new).count(), 1);
    }
}
