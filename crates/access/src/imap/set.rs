//! What a sequence set of a command stands for in a view.

use std::ops::Range;

use proto::imap::command::SequenceSet;
use store::{Uid, UidSet};

use super::refusal::{Outcome, Refusal};
use crate::view::{Positions, View, add_range};

/// The positions of the messages that a command names, by UID or by sequence number.
pub fn positions(view: &View, set: &SequenceSet, uid: bool) -> Outcome<Positions> {
    if uid { Ok(of_uids(view, set)) } else { of_numbers(view, set) }
}

/// UIDs that no message has are passed over (RFC 3501 §6.4.8).
pub fn of_uids(view: &View, set: &SequenceSet) -> Positions {
    view.positions(&uids(view, set))
}

/// RFC 3501 §9 (seq-number): a number past the last message is BAD, and so is `*` in an empty mailbox.
pub fn of_numbers(view: &View, set: &SequenceSet) -> Outcome<Positions> {
    if set.greatest().is_some_and(|number| number > view.len()) || set.has_star() && view.is_empty() {
        return Err(Refusal::Bad("No message has that number."));
    }
    Ok(numbers_there_are(view, set))
}

/// As [`of_numbers`], but numbers past the last are passed over.
pub fn numbers_there_are(view: &View, set: &SequenceSet) -> Positions {
    let mut positions = Positions::new();
    for range in set.resolve(view.len()) {
        let end = (*range.end()).min(view.len());
        add_range(&mut positions, (range.start() - 1).min(end)..end);
    }
    positions
}

pub fn uids(view: &View, set: &SequenceSet) -> UidSet {
    let largest = view.last_uid().map_or(0, Uid::get);
    let mut uids = UidSet::new();
    for range in set.resolve(largest) {
        if let (Some(low), Some(high)) = (Uid::new(*range.start()), Uid::new(*range.end())) {
            uids.insert_range(low..=high);
        }
    }
    uids
}

/// Adds all of `more`.
pub fn join(set: &mut UidSet, more: &UidSet) {
    more.ranges().for_each(|range| set.insert_range(range));
}

/// Positions as sequence numbers on the wire: `1:3,7`.
pub fn numbers(positions: &[Range<u32>]) -> String {
    let mut set = UidSet::new();
    for range in positions {
        if let (Some(first), Some(last)) = (Uid::new(range.start + 1), Uid::new(range.end)) {
            set.insert_range(first..=last);
        }
    }
    set.to_string()
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroU64};

    use proto::imap::command::SequenceRange;
    use store::{Flags, KeywordSet, Listing, MessageId, ModSeq, UidValidity};

    use super::*;
    use crate::view::Expunges;

    fn view(uids: &[u32]) -> View {
        let mut listing = Listing::new(UidValidity(NonZeroU32::MIN));
        let last = uids.iter().copied().max().unwrap_or(0);
        for n in 1..=last {
            let n = u64::from(n);
            listing.push(ModSeq(n), MessageId(n), NonZeroU64::MIN.get().into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
        }
        let gone = (1..=last).filter(|n| !uids.contains(n)).filter_map(Uid::new).collect();
        let mut view = View::new(listing.clone(), Uid::MAX);
        listing.remove(&gone, ModSeq(99));
        view.advance(listing, None, Expunges::Told);
        view
    }

    fn set(ranges: &[(u32, u32)]) -> SequenceSet {
        let range = |&(from, to): &(u32, u32)| SequenceRange { from: NonZeroU32::new(from), to: NonZeroU32::new(to) };
        SequenceSet::new(ranges.iter().map(range).collect()).unwrap()
    }

    fn flat(positions: Positions) -> Vec<u32> {
        positions.into_iter().flatten().collect()
    }

    #[test]
    fn a_number_past_the_last_message_is_refused_and_a_uid_is_not() {
        let view = view(&[2, 5, 9]);
        assert_eq!(flat(of_numbers(&view, &set(&[(1, 3)])).unwrap()), [0, 1, 2]);
        assert_eq!(flat(of_numbers(&view, &set(&[(0, 2), (1, 1)])).unwrap()), [0, 1, 2]);
        assert!(of_numbers(&view, &set(&[(1, 4)])).is_err());
        assert!(of_numbers(&view, &set(&[(4, 0)])).is_err());
        assert_eq!(flat(numbers_there_are(&view, &set(&[(2, 90), (7, 8)]))), [1, 2]);
        assert_eq!(flat(of_uids(&view, &set(&[(3, 6), (9, u32::MAX)]))), [1, 2]);
        assert_eq!(flat(of_uids(&view, &set(&[(100, 0)]))), [2], "RFC 3501 6.4.8: n:* has the last message");
        assert_eq!(flat(of_uids(&view, &set(&[(3, 4)]))), [0u32; 0]);
    }

    #[test]
    fn a_star_among_no_messages_is_refused_as_a_number_and_nothing_as_a_uid() {
        let view = view(&[]);
        assert!(of_numbers(&view, &set(&[(1, 0)])).is_err());
        assert_eq!(flat(of_uids(&view, &set(&[(1, 0)]))), [0u32; 0]);
    }
}
