//! How an engine makes the next listing out of this one. A page or root that nobody else holds is changed
//! in place; a shared one is copied first.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Listing, Page, Row, Slot};
use crate::{Error, Flags, Keyword, KeywordSet, MessageId, MessageSize, ModSeq, Result, Timestamp, Uid, UidSet};

impl Listing {
    /// Adds a message under the next UID.
    pub fn push(
        &mut self,
        modseq: ModSeq,
        message: MessageId,
        size: MessageSize,
        internal_date: Timestamp,
        flags: Flags,
        keywords: KeywordSet,
    ) -> Result<Uid> {
        let uid = self.uid_next();
        // UIDNEXT itself must stay a UID (RFC 3501 §9: nz-number).
        let Some(next) = uid.next() else {
            return Err(Error::Limit("this folder has used all its UIDs; move its messages to a new one".into()));
        };
        if self.len() >= Self::MAX_MESSAGES {
            return Err(Error::Limit(format!("a folder holds at most {} messages", Self::MAX_MESSAGES)));
        }
        let row = Row { uid, keywords, modseq, message, size, internal_date, flags };
        let root = Arc::make_mut(&mut self.0);
        root.uid_next = next;
        root.highest_modseq = root.highest_modseq.max(modseq);
        match root.slots.last_mut() {
            Some(slot) if slot.page.rows().len() < Page::CAPACITY => match Arc::get_mut(&mut slot.page) {
                Some(page) => page.push(row),
                None => slot.page = Arc::new(slot.page.followed_by(row)),
            },
            _ => root.slots.extend(Slot::new(root.len, vec![row])),
        }
        root.len += 1;
        root.unseen += u32::from(!flags.contains(Flags::SEEN));
        root.octets = root.octets.saturating_add(size.octets());
        Ok(uid)
    }

    /// The set of these keywords, made when it is new. Give it to a row before asking for another: numbers of
    /// sets that no row has may be used again.
    pub fn intern(&mut self, keywords: &[Keyword]) -> Result<KeywordSet> {
        self.release_sets();
        let members = self.members(keywords)?;
        Ok(self.set_of(members))
    }

    /// The ascending positions of these keywords, made where new: all or, by `Limit`, none of them.
    pub(super) fn members(&mut self, keywords: &[Keyword]) -> Result<Vec<u16>> {
        let known = self.0.keywords.known(keywords);
        if keywords.iter().all(|keyword| self.0.keywords.position(keyword).is_some()) {
            return Ok(known);
        }
        if self.0.keywords.has_room(keywords) {
            return Arc::make_mut(&mut Arc::make_mut(&mut self.0).keywords).intern(keywords, Vec::new());
        }
        // Full: keywords that no message has any more give way.
        let mut table = (*self.0.keywords).clone();
        table.release(&self.sets_in_use());
        let spare = table.spare(&known);
        let members = table.intern(keywords, spare)?;
        Arc::make_mut(&mut self.0).keywords = Arc::new(table);
        Ok(members)
    }

    /// The number of the set with these members (ascending, without doubles), made when it is new.
    pub(super) fn set_of(&mut self, members: Vec<u16>) -> KeywordSet {
        if let Some(set) = self.0.keywords.find_set(&members) {
            return set;
        }
        Arc::make_mut(&mut Arc::make_mut(&mut self.0).keywords).intern_set(members)
    }

    /// Lets the numbers of keyword sets that no row has be used again, once there are many of them.
    pub(super) fn release_sets(&mut self) {
        if self.0.keywords.is_crowded() {
            let used = self.sets_in_use();
            Arc::make_mut(&mut Arc::make_mut(&mut self.0).keywords).release(&used);
        }
    }

    fn sets_in_use(&self) -> HashSet<KeywordSet> {
        self.rows().map(|row| row.keywords).collect()
    }

    /// Takes messages out at `modseq`; the rows that were there, ascending.
    pub fn remove(&mut self, uids: &UidSet, modseq: ModSeq) -> Vec<Row> {
        let mut removed = Vec::new();
        let touched = self.slots_with(uids);
        if touched.is_empty() {
            return removed;
        }
        let root = Arc::make_mut(&mut self.0);
        for at in touched {
            let Some(slot) = root.slots.get_mut(at) else { continue };
            let page = Arc::make_mut(&mut slot.page);
            page.rows_mut().retain(|row| {
                let goes = uids.contains(row.uid);
                if goes {
                    removed.push(*row);
                }
                !goes
            });
            page.recount();
        }
        root.highest_modseq = root.highest_modseq.max(modseq);
        root.octets = removed.iter().fold(root.octets, |octets, row| octets.saturating_sub(row.size.octets()));
        root.slots = merged(std::mem::take(&mut root.slots));
        root.unseen = root.slots.iter().map(|slot| slot.page.unseen()).sum();
        root.len -= removed.len() as u32;
        removed
    }

    /// Raises the marks and never lowers them: after a restore or a repair no UID or modseq may come again.
    pub fn raise(&mut self, uid_next: Uid, highest_modseq: ModSeq) {
        let root = Arc::make_mut(&mut self.0);
        root.uid_next = root.uid_next.max(uid_next);
        root.highest_modseq = root.highest_modseq.max(highest_modseq);
    }
}

/// Without empty pages, with small neighbours joined, and with true starts.
fn merged(slots: Vec<Slot>) -> Vec<Slot> {
    /// Neighbours that fit in this many rows become one page; the rest of it is room to grow.
    const JOINED: usize = Page::CAPACITY * 3 / 4;
    let mut result: Vec<Slot> = Vec::with_capacity(slots.len());
    for mut slot in slots {
        let Some(first) = slot.page.rows().first().map(|row| row.uid) else { continue };
        match result.last_mut() {
            Some(last) if last.page.rows().len() + slot.page.rows().len() <= JOINED => {
                let page = Arc::make_mut(&mut last.page);
                page.rows_mut().extend_from_slice(slot.page.rows());
                page.recount();
            }
            last => {
                slot.start = last.map_or(0, |last| last.start + last.page.len());
                slot.first = first;
                result.push(slot);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{FlagChange, UidValidity};

    fn filled(count: u32) -> Listing {
        let mut listing = Listing::new(UidValidity(NonZeroU32::MIN));
        for n in 1..=count {
            listing.push(ModSeq(n.into()), MessageId(n.into()), 10.into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
        }
        listing
    }

    fn uids(listing: &Listing) -> Vec<u32> {
        listing.rows().map(|row| row.uid.get()).collect()
    }

    #[test]
    fn positions_and_uids_agree_after_removals() {
        let mut listing = filled(1000);
        let gone: UidSet = (1..=1000).filter(|n| n % 3 != 0).filter_map(Uid::new).collect();
        assert_eq!(listing.remove(&gone, ModSeq(2000)).len(), 667);
        assert_eq!(uids(&listing), (1..=1000).filter(|n| n % 3 == 0).collect::<Vec<_>>());
        assert_eq!((listing.len(), listing.unseen(), listing.octets()), (333, 333, 3330));
        for index in 0..333 {
            let uid = listing.row_at(index).unwrap().uid;
            assert_eq!(uid.get(), (index + 1) * 3);
            assert_eq!(listing.index_of(uid), Ok(index));
        }
        assert_eq!(listing.row_at(333), None);
        assert_eq!(listing.index_of(Uid::new(4).unwrap()), Err(1));
        assert_eq!(listing.rows_from(330).map(|row| row.uid.get()).collect::<Vec<_>>(), [993, 996, 999]);
        assert_eq!(listing.uid_next().get(), 1001);
    }

    #[test]
    fn a_clone_does_not_see_later_changes() {
        let mut listing = filled(300);
        let before = listing.clone();
        listing.remove(&[Uid::MIN].into_iter().collect(), ModSeq(400));
        listing.set_flags(Uid::new(300).unwrap(), ModSeq(401), Flags::SEEN, KeywordSet(0));
        assert_eq!((before.len(), before.unseen()), (300, 300));
        assert_eq!((listing.len(), listing.unseen()), (299, 298));
        assert_eq!(listing.highest_modseq(), ModSeq(401));
    }

    #[test]
    fn keywords_are_one_regardless_of_case_and_keep_their_first_spelling() {
        let mut listing = filled(1);
        let word = |text| Keyword::new(text).unwrap();
        let set = listing.intern(&[word("$Later"), word("work")]).unwrap();
        assert_eq!(listing.intern(&[word("WORK"), word("$later"), word("work")]).unwrap(), set);
        let row = *listing.row_at(0).unwrap();
        assert!(listing.set_flags(row.uid, ModSeq(9), Flags::NONE, set));
        let (all, work) = (UidSet::all(), [word("Work")]);
        listing.set_flags_where(&all, ModSeq(10), FlagChange::Remove, Flags::NONE, &work, None).unwrap();
        let rest = listing.row_at(0).unwrap().keywords;
        assert_eq!(listing.keywords(rest).map(Keyword::as_str).collect::<Vec<_>>(), ["$Later"]);
    }

    #[test]
    fn the_keyword_after_the_last_is_refused() {
        let mut listing = filled(0);
        let all: Vec<Keyword> = (0..Listing::MAX_KEYWORDS).filter_map(|n| Keyword::new(&format!("k{n}"))).collect();
        let set = listing.intern(&all).unwrap();
        listing.push(ModSeq(1), MessageId(1), 1.into(), 0, Flags::NONE, set).unwrap();
        assert!(matches!(listing.intern(&[Keyword::new("more").unwrap()]), Err(Error::Limit(_))));
        assert_eq!(listing.keywords(set).count(), Listing::MAX_KEYWORDS);
    }
}
