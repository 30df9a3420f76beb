//! Flags and keywords of many messages at once: linear in the rows of the pages that hold them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Listing, Row};
use crate::{FlagChange, Flags, Keyword, KeywordSet, ModSeq, Result, Uid, UidSet};

/// What [`Listing::set_flags_where`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagsSet {
    /// Messages that now are as asked, also those that were so before.
    pub changed: UidSet,
    /// Those of `changed` that were not so before: they alone got the new modseq.
    pub altered: UidSet,
    /// Messages left alone because they changed since `unless`.
    pub conflicts: UidSet,
}

impl Listing {
    /// Changes those of `uids` that exist and did not change since `unless`. A message that is already as asked
    /// keeps its modseq, and when all are, the listing stays the very same. `Limit` for a keyword too many:
    /// then nothing was changed.
    pub fn set_flags_where(
        &mut self,
        uids: &UidSet,
        modseq: ModSeq,
        how: FlagChange,
        flags: Flags,
        keywords: &[Keyword],
        unless: Option<ModSeq>,
    ) -> Result<FlagsSet> {
        let mut set = FlagsSet::default();
        let mut sets: HashMap<KeywordSet, KeywordSet> = HashMap::new();
        for row in self.rows_in(uids) {
            if unless.is_some_and(|unless| row.modseq > unless) {
                set.conflicts.insert(row.uid);
            } else {
                set.changed.insert(row.uid);
                sets.insert(row.keywords, row.keywords);
            }
        }
        if set.changed.is_empty() {
            return Ok(set);
        }
        self.release_sets();
        let given = match how {
            // A keyword that the folder does not know is on no message: no reason to remember it.
            FlagChange::Remove => self.0.keywords.known(keywords),
            FlagChange::Add | FlagChange::Replace => self.members(keywords)?,
        };
        for (old, new) in &mut sets {
            *new = self.keywords_after(*old, how, &given);
        }
        let after = |row: &Row| {
            let system = match how {
                FlagChange::Add => row.flags.with(flags),
                FlagChange::Remove => row.flags.without(flags),
                FlagChange::Replace => flags,
            };
            (system, sets.get(&row.keywords).copied().unwrap_or(row.keywords))
        };
        set.altered = self
            .rows_in(&set.changed)
            .filter(|row| after(row) != (row.flags, row.keywords))
            .map(|row| row.uid)
            .collect();
        self.update(&set.altered, modseq, |row| (row.flags, row.keywords) = after(row));
        Ok(set)
    }

    /// Gives a message other flags at `modseq`; whether it was there.
    pub fn set_flags(&mut self, uid: Uid, modseq: ModSeq, flags: Flags, keywords: KeywordSet) -> bool {
        if self.get(uid).is_none() {
            return false;
        }
        let one = [uid].into_iter().collect();
        self.update(&one, modseq, |row| (row.flags, row.keywords) = (flags, keywords));
        true
    }

    /// Changes rows that all exist, each touched page once.
    fn update(&mut self, uids: &UidSet, modseq: ModSeq, change: impl Fn(&mut Row)) {
        if uids.is_empty() {
            return;
        }
        let touched = self.slots_with(uids);
        let root = Arc::make_mut(&mut self.0);
        for at in touched {
            let Some(slot) = root.slots.get_mut(at) else { continue };
            let page = Arc::make_mut(&mut slot.page);
            root.unseen -= page.unseen();
            for row in page.rows_mut() {
                if uids.contains(row.uid) {
                    change(row);
                    row.modseq = modseq;
                }
            }
            page.recount();
            root.unseen += page.unseen();
        }
        root.highest_modseq = root.highest_modseq.max(modseq);
    }

    fn keywords_after(&mut self, old: KeywordSet, how: FlagChange, given: &[u16]) -> KeywordSet {
        let held = self.0.keywords.positions(old);
        let mut members: Vec<u16> = match how {
            FlagChange::Add => held.iter().chain(given).copied().collect(),
            FlagChange::Remove => held.iter().filter(|at| given.binary_search(at).is_err()).copied().collect(),
            FlagChange::Replace => given.to_vec(),
        };
        members.sort_unstable();
        members.dedup();
        self.set_of(members)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{Error, MessageId, UidValidity};

    fn filled(count: u32) -> Listing {
        let mut listing = Listing::new(UidValidity(NonZeroU32::MIN));
        for n in 1..=count {
            listing.push(ModSeq(n.into()), MessageId(n.into()), 10.into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
        }
        listing
    }

    fn word(text: &str) -> Keyword {
        Keyword::new(text).unwrap()
    }

    fn uids(text: impl IntoIterator<Item = u32>) -> UidSet {
        text.into_iter().filter_map(Uid::new).collect()
    }

    #[test]
    fn only_touched_pages_are_copied() {
        let before = filled(1000);
        let mut listing = before.clone();
        let set =
            listing.set_flags_where(&uids([300, 5000]), ModSeq(2000), FlagChange::Add, Flags::SEEN, &[], None).unwrap();
        assert_eq!((set.changed.to_string(), set.altered.to_string()), ("300".into(), "300".into()));
        assert_eq!(before.pages().zip(listing.pages()).filter(|(a, b)| Arc::ptr_eq(a, b)).count(), 3);
        assert_eq!((listing.unseen(), listing.highest_modseq()), (999, ModSeq(2000)));
    }

    #[test]
    fn a_change_that_alters_nothing_leaves_the_very_same_listing() {
        let mut listing = filled(300);
        let before = listing.clone();
        for (how, flags, keywords) in [
            (FlagChange::Remove, Flags::ALL, vec![word("never-seen")]),
            (FlagChange::Replace, Flags::NONE, vec![]),
            (FlagChange::Add, Flags::NONE, vec![]),
        ] {
            let set = listing.set_flags_where(&UidSet::all(), ModSeq(999), how, flags, &keywords, None).unwrap();
            assert_eq!((set.changed.len(), set.altered.len()), (300, 0));
        }
        let none = listing.set_flags_where(&uids([301]), ModSeq(999), FlagChange::Add, Flags::SEEN, &[word("x")], None);
        assert_eq!(none, Ok(FlagsSet::default()));
        assert!(listing.is_same(&before) && listing.keyword_names().is_empty());
    }

    #[test]
    fn messages_changed_since_are_left_alone_and_named() {
        let mut listing = filled(10);
        let set = listing
            .set_flags_where(
                &UidSet::all(),
                ModSeq(20),
                FlagChange::Replace,
                Flags::DRAFT,
                &[word("a")],
                Some(ModSeq(4)),
            )
            .unwrap();
        assert_eq!((set.changed.to_string(), set.conflicts.to_string()), ("1:4".into(), "5:10".into()));
        assert!(listing.rows().all(|row| (row.modseq == ModSeq(20)) == (row.uid.get() <= 4)));
        assert!(listing.rows().all(|row| (listing.keywords(row.keywords).count() == 1) == (row.uid.get() <= 4)));
    }

    #[test]
    fn a_keyword_too_many_changes_nothing_at_all() {
        let mut listing = filled(2);
        let many: Vec<Keyword> = (1..Listing::MAX_KEYWORDS).map(|n| word(&format!("k{n}"))).collect();
        listing.set_flags_where(&uids([1]), ModSeq(3), FlagChange::Add, Flags::NONE, &many, None).unwrap();
        let before = listing.clone();
        let two = [word("one"), word("two")];
        let refused = listing.set_flags_where(&uids([2]), ModSeq(4), FlagChange::Add, Flags::SEEN, &two, None);
        assert!(matches!(refused, Err(Error::Limit(_))));
        assert!(listing.is_same(&before));
        listing.set_flags_where(&uids([2]), ModSeq(4), FlagChange::Add, Flags::SEEN, &two[..1], None).unwrap();
        assert_eq!(listing.keyword_names().len(), Listing::MAX_KEYWORDS);
    }

    #[test]
    fn keywords_that_no_message_has_make_room_for_new_ones() {
        let mut listing = filled(2);
        let before = listing.clone();
        for n in 0..Listing::MAX_KEYWORDS as u64 + 300 {
            let name = [word(&format!("k{n}"))];
            listing.set_flags_where(&uids([1]), ModSeq(3 + n), FlagChange::Replace, Flags::NONE, &name, None).unwrap();
            let row = *listing.row_at(0).unwrap();
            assert_eq!(listing.keywords(row.keywords).collect::<Vec<_>>(), name.iter().collect::<Vec<_>>());
        }
        assert!(listing.keyword_names().len() <= Listing::MAX_KEYWORDS);
        assert!(listing.keyword_sets().count() < Listing::MAX_KEYWORDS, "sets no row has are used again");
        assert!(before.keyword_names().is_empty());
    }

    #[test]
    fn all_of_a_hundred_thousand_messages_are_set_in_one_pass_over_the_pages() {
        let mut listing = filled(100_000);
        let odd = uids((1..=100_000).step_by(2));
        let set =
            listing.set_flags_where(&odd, ModSeq(200_000), FlagChange::Add, Flags::SEEN, &[word("k")], None).unwrap();
        assert_eq!((set.altered.len(), listing.unseen()), (50_000, 50_000));
    }
}
