//! A folder as one session sees it.
//!
//! The store moves on while a client still counts messages by the numbers it was told. A view is the newest
//! listing the session took in, plus the rows that are gone from the store and that the client was not told
//! of: they keep their sequence numbers and stay readable. [`View::advance`] takes in a newer listing and
//! answers what to tell; it visits only pages that changed.

use std::ops::Range;
use std::sync::Arc;

use store::{Difference, Flags, KeywordSet, Listing, Row, Uid, UidSet};

/// Positions in a view, counted from 0; ascending, disjoint, not adjacent, none empty.
pub type Positions = Vec<Range<u32>>;

/// A cheap value: a clone is a snapshot that keeps its numbers while the session's view moves on.
#[derive(Clone, Debug)]
pub struct View {
    listing: Listing,
    /// Expunged in the store, not yet told; ascending UIDs, none of them in `listing`.
    ghosts: Arc<Vec<Row>>,
    /// `\Recent` belongs to the session (RFC 3501 §2.3.2).
    recent: UidSet,
    recent_told: u32,
}

/// Whether expunges may be told now. RFC 3501 §7.4.1: never during FETCH, STORE and SEARCH (their UID forms
/// may), and never while no command is in progress, IDLE apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expunges {
    Told,
    HeldBack,
}

/// What to tell a client so that its picture is the view's again, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updates {
    /// Sequence numbers before any of these went; told from the last to the first, so that each is still
    /// true when its turn comes.
    pub expunged: Vec<Range<u32>>,
    pub exists: Option<u32>,
    pub recent: Option<u32>,
    /// The folder has keywords that `* FLAGS` has not told yet.
    pub keywords: bool,
    /// Messages whose flags or modseq changed.
    pub changed: UidSet,
}

impl Updates {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl View {
    /// A view that has told all there is, as SELECT does.
    pub fn new(listing: Listing, first_recent: Uid) -> Self {
        let mut view = Self { listing, ghosts: Arc::default(), recent: UidSet::new(), recent_told: 0 };
        view.mark_recent(first_recent);
        view.recent_told = view.recent_count();
        view
    }

    /// Messages from `first` on are recent for this session.
    pub fn mark_recent(&mut self, first: Uid) {
        let last = self.listing.uid_next().get().checked_sub(1).and_then(Uid::new);
        if let Some(last) = last.filter(|last| first <= *last) {
            self.recent.insert_range(first..=last);
        }
    }

    /// The newest listing that the session took in.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// Messages that the client counts.
    pub fn len(&self) -> u32 {
        self.listing.len() + self.ghosts.len() as u32
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_recent(&self, uid: Uid) -> bool {
        self.recent.contains(uid)
    }

    /// Whether any message could be recent; saves the look-up for each row.
    pub fn has_recent(&self) -> bool {
        !self.recent.is_empty()
    }

    pub fn recent_count(&self) -> u32 {
        let count = |range: std::ops::RangeInclusive<Uid>| {
            let end = range.end().next().map_or(self.len(), |next| self.position_from(next));
            end - self.position_from(*range.start())
        };
        self.recent.ranges().map(count).sum()
    }

    /// Gone from the store, though the client still counts it.
    pub fn is_ghost(&self, uid: Uid) -> bool {
        self.ghosts.binary_search_by_key(&uid, |row| row.uid).is_ok()
    }

    /// Whether any of these is gone from the store.
    pub fn holds_ghost(&self, uids: &UidSet) -> bool {
        self.ghosts.iter().any(|row| uids.contains(row.uid))
    }

    pub fn row_at(&self, position: u32) -> Option<&Row> {
        // The ghost at `at` stands behind all listed rows with lesser UIDs and `at` other ghosts.
        let place = |at: usize, ghost: &Row| listed_before(&self.listing, ghost.uid) + at as u32;
        let (mut low, mut high) = (0, self.ghosts.len());
        while low < high {
            let middle = low.midpoint(high);
            let ghost = self.ghosts.get(middle)?;
            match place(middle, ghost).cmp(&position) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(ghost),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        self.listing.row_at(position.checked_sub(low as u32)?)
    }

    pub fn get(&self, uid: Uid) -> Option<&Row> {
        let ghost = || self.ghosts.get(self.ghosts.binary_search_by_key(&uid, |row| row.uid).ok()?);
        self.listing.get(uid).or_else(ghost)
    }

    /// The position of the first message with this UID or a greater one.
    pub fn position_from(&self, uid: Uid) -> u32 {
        listed_before(&self.listing, uid) + self.ghosts.partition_point(|row| row.uid < uid) as u32
    }

    pub fn position_of(&self, uid: Uid) -> Option<u32> {
        self.get(uid).map(|_| self.position_from(uid))
    }

    /// The rows from a position on, in UID order.
    pub fn rows_from(&self, position: u32) -> impl Iterator<Item = &Row> {
        let ghosts_before = match self.row_at(position) {
            Some(row) => self.ghosts.partition_point(|ghost| ghost.uid < row.uid),
            None => self.ghosts.len(),
        };
        let mut ghosts = self.ghosts.get(ghosts_before..).unwrap_or_default().iter().peekable();
        let listed_from = position.min(self.len()) - ghosts_before as u32;
        let mut listed = self.listing.rows_from(listed_from).peekable();
        std::iter::from_fn(move || match (ghosts.peek(), listed.peek()) {
            (Some(ghost), Some(row)) if ghost.uid < row.uid => ghosts.next(),
            (Some(_), None) => ghosts.next(),
            _ => listed.next(),
        })
    }

    pub fn last_uid(&self) -> Option<Uid> {
        self.row_at(self.len().checked_sub(1)?).map(|row| row.uid)
    }

    /// The UIDs at these positions. A UID between two of a view's that the view does not hold is gone for
    /// good, so a range of positions is a range of UIDs.
    pub fn uids(&self, positions: &[Range<u32>]) -> UidSet {
        let mut uids = UidSet::new();
        for range in positions {
            let last = range.end.checked_sub(1).and_then(|last| self.row_at(last));
            if let (Some(first), Some(last)) = (self.row_at(range.start), last) {
                uids.insert_range(first.uid..=last.uid);
            }
        }
        uids
    }

    /// The positions of those UIDs that the view holds.
    pub fn positions(&self, uids: &UidSet) -> Positions {
        let mut positions = Positions::new();
        for range in uids.ranges() {
            let end = range.end().next().map_or(self.len(), |next| self.position_from(next));
            add_range(&mut positions, self.position_from(*range.start())..end);
        }
        positions
    }

    /// Position of the first message without `\Seen`.
    pub fn first_unseen(&self) -> Option<u32> {
        let mut before = 0;
        let page = self.listing.pages().find(|page| {
            let found = page.unseen() > 0;
            before += if found { 0 } else { page.len() };
            found
        })?;
        let row = page.rows().iter().find(|row| !row.flags.contains(Flags::SEEN))?;
        self.position_of(row.uid)
    }

    /// Takes in a newer listing of the same folder and answers what to tell. Messages that appeared are
    /// recent from `claimed` on.
    pub fn advance(&mut self, newer: Listing, claimed: Option<Uid>, expunges: Expunges) -> Updates {
        let mut updates = Updates::default();
        let mut appeared = false;
        if !newer.is_same(&self.listing) {
            let mut vanished = Vec::new();
            for difference in self.listing.diff(&newer) {
                match difference {
                    Difference::Appeared(_) => appeared = true,
                    Difference::Changed { new, .. } => updates.changed.insert(new.uid),
                    Difference::Vanished(row) => match expunges {
                        Expunges::Told => {
                            let position = self.position_from(row.uid);
                            add_range(&mut updates.expunged, position + 1..position + 2);
                        }
                        // Keyword sets are numbered anew as listings move on; nobody asks for those of the dead.
                        Expunges::HeldBack => vanished.push(Row { keywords: KeywordSet::default(), ..*row }),
                    },
                }
            }
            if expunges == Expunges::Told && !self.ghosts.is_empty() {
                let told = updates.expunged.iter().map(|range| range.start - 1..range.end - 1).collect::<Vec<_>>();
                updates.expunged = self.with_ghosts(&told);
            }
            if !vanished.is_empty() {
                vanished.extend_from_slice(&self.ghosts);
                vanished.sort_unstable_by_key(|row| row.uid);
                self.ghosts = Arc::new(vanished);
            }
            // Names only come, until the folder has its fill; then new ones take the place of unused ones.
            let (old, new) = (self.listing.keyword_names(), newer.keyword_names());
            updates.keywords = new.len() > old.len() || new.len() == Listing::MAX_KEYWORDS && new != old;
            self.listing = newer;
        } else if expunges == Expunges::Told && !self.ghosts.is_empty() {
            updates.expunged = self.with_ghosts(&[]);
        }
        if expunges == Expunges::Told && !self.ghosts.is_empty() {
            self.ghosts = Arc::default();
        }
        if let Some(first) = claimed {
            self.mark_recent(first);
        }
        let recent = self.recent_count();
        if appeared {
            updates.exists = Some(self.len());
        }
        if appeared || recent != self.recent_told {
            updates.recent = Some(recent);
            self.recent_told = recent;
        }
        updates
    }

    /// Sequence numbers of rows at `positions` and of all ghosts.
    fn with_ghosts(&self, positions: &[Range<u32>]) -> Vec<Range<u32>> {
        let mut result = Vec::new();
        let mut given = positions.iter().cloned().flatten().peekable();
        for ghost in self.ghosts.iter() {
            let position = self.position_from(ghost.uid);
            while let Some(other) = given.next_if(|other| *other < position) {
                add_range(&mut result, other + 1..other + 2);
            }
            add_range(&mut result, position + 1..position + 2);
        }
        given.for_each(|other| add_range(&mut result, other + 1..other + 2));
        result
    }
}

/// Adds a range at or behind the end of ascending ranges.
pub fn add_range(ranges: &mut Vec<Range<u32>>, range: Range<u32>) {
    if range.is_empty() {
        return;
    }
    match ranges.last_mut() {
        Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
        _ => ranges.push(range),
    }
}

fn listed_before(listing: &Listing, uid: Uid) -> u32 {
    listing.index_of(uid).unwrap_or_else(|place| place)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;
    use store::{MessageId, ModSeq, UidValidity};

    use super::*;

    fn uid(n: u32) -> Uid {
        Uid::new(n).unwrap()
    }

    fn empty() -> Listing {
        Listing::new(UidValidity(NonZeroU32::MIN))
    }

    fn push(listing: &mut Listing, modseq: u64) {
        listing.push(ModSeq(modseq), MessageId(modseq), 1.into(), 0, Flags::NONE, KeywordSet(0)).unwrap();
    }

    fn filled(count: u64) -> Listing {
        let mut listing = empty();
        (1..=count).for_each(|n| push(&mut listing, n));
        listing
    }

    fn set(uids: &[u32]) -> UidSet {
        uids.iter().map(|&n| uid(n)).collect()
    }

    fn seen_uids(view: &View) -> Vec<u32> {
        view.rows_from(0).map(|row| row.uid.get()).collect()
    }

    #[test]
    fn an_expunge_held_back_keeps_its_number_until_it_is_told() {
        let mut listing = filled(5);
        let mut view = View::new(listing.clone(), uid(6));
        listing.remove(&set(&[2, 4]), ModSeq(6));
        push(&mut listing, 7);
        let updates = view.advance(listing.clone(), None, Expunges::HeldBack);
        assert_eq!((updates.expunged.as_slice(), updates.exists), (&[][..], Some(6)));
        assert_eq!(seen_uids(&view), [1, 2, 3, 4, 5, 6]);
        assert!(view.is_ghost(uid(2)) && !view.is_ghost(uid(3)));

        listing.remove(&set(&[3]), ModSeq(8));
        let updates = view.advance(listing, None, Expunges::Told);
        assert_eq!(updates.expunged.as_slice(), std::slice::from_ref(&(2..5)));
        assert_eq!((updates.exists, seen_uids(&view)), (None, vec![1, 5, 6]));
    }

    #[test]
    fn ghosts_are_told_also_when_nothing_else_changed() {
        let mut listing = filled(3);
        let mut view = View::new(listing.clone(), uid(4));
        listing.remove(&set(&[1, 3]), ModSeq(6));
        view.advance(listing.clone(), None, Expunges::HeldBack);
        assert_eq!(view.advance(listing.clone(), None, Expunges::Told).expunged, [1..2, 3..4]);
        assert!(view.advance(listing, None, Expunges::Told).is_empty());
    }

    #[test]
    fn recent_belongs_to_who_claimed_it() {
        let mut listing = filled(4);
        let mut view = View::new(listing.clone(), uid(3));
        assert_eq!(view.recent_count(), 2);
        push(&mut listing, 5);
        push(&mut listing, 6);
        // Another session claimed 5.
        let updates = view.advance(listing.clone(), Some(uid(6)), Expunges::Told);
        assert_eq!((updates.exists, updates.recent), (Some(6), Some(3)));
        assert!(view.is_recent(uid(4)) && !view.is_recent(uid(5)) && view.is_recent(uid(6)));
        listing.remove(&set(&[4]), ModSeq(9));
        let updates = view.advance(listing, None, Expunges::Told);
        assert_eq!((updates.exists, updates.recent), (None, Some(2)));
    }

    #[test]
    fn the_first_unseen_message_counts_ghosts_before_it() {
        let mut listing = filled(600);
        for n in 1..=599 {
            listing.set_flags(uid(n), ModSeq(700), Flags::SEEN, KeywordSet(0));
        }
        let mut view = View::new(listing.clone(), uid(601));
        assert_eq!(view.first_unseen(), Some(599));
        listing.remove(&set(&[7]), ModSeq(701));
        view.advance(listing, None, Expunges::HeldBack);
        assert_eq!(view.first_unseen(), Some(599));
    }

    #[test]
    fn only_changed_pages_cost() {
        let mut listing = filled(100_000);
        let mut view = View::new(listing.clone(), uid(1));
        listing.set_flags(uid(50_000), ModSeq(200_000), Flags::SEEN, KeywordSet(0));
        let updates = view.advance(listing, None, Expunges::Told);
        assert_eq!(updates.changed, set(&[50_000]));
        assert_eq!((updates.exists, updates.recent), (None, None));
    }

    /// What a client knows: for each sequence number a UID (learnt when it asked) and flags.
    #[derive(Default)]
    struct Client(Vec<(u32, Flags)>);

    impl Client {
        /// Reads untagged responses as RFC 3501 §7 has a client do.
        fn hear(&mut self, updates: &Updates, view: &View) {
            for number in updates.expunged.iter().cloned().rev().flat_map(Iterator::rev) {
                self.0.remove(number as usize - 1);
            }
            if let Some(exists) = updates.exists {
                assert!(exists as usize >= self.0.len(), "EXISTS never takes messages away");
                for position in self.0.len() as u32..exists {
                    let row = view.row_at(position).unwrap();
                    self.0.push((row.uid.get(), row.flags));
                }
            }
            for changed in updates.changed.iter() {
                let at = view.position_of(changed).unwrap() as usize;
                assert_eq!(self.0[at].0, changed.get());
                self.0[at].1 = view.get(changed).unwrap().flags;
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Arrive,
        Flag(u32, u8),
        Expunge(u32, u32),
        Look { session: usize, expunges: bool },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Arrive),
            2 => (1u32..700, 0u8..32).prop_map(|(uid, bits)| Step::Flag(uid, bits)),
            2 => (1u32..700, 0u32..60).prop_map(|(low, more)| Step::Expunge(low, low + more)),
            4 => (0usize..2, any::<bool>()).prop_map(|(session, expunges)| Step::Look { session, expunges }),
        ]
    }

    proptest! {
        #[test]
        fn what_a_client_makes_of_its_updates_is_what_the_server_holds(
            start in 0u64..600,
            steps in prop::collection::vec(step(), 0..80),
        ) {
            let mut listing = filled(start);
            let mut modseq = start;
            let mut sessions = [0, 1].map(|_| {
                let view = View::new(listing.clone(), uid(1));
                let mut client = Client::default();
                client.hear(&Updates { exists: Some(view.len()), ..Updates::default() }, &view);
                (view, client)
            });
            for step in steps.into_iter().chain([0, 1].map(|session| Step::Look { session, expunges: true })) {
                modseq += 1;
                match step {
                    Step::Arrive => push(&mut listing, modseq),
                    Step::Flag(n, bits) => {
                        listing.set_flags(uid(n), ModSeq(modseq), Flags::from_bits(bits), KeywordSet(0));
                    }
                    Step::Expunge(low, high) => {
                        let mut gone = UidSet::new();
                        gone.insert_range(uid(low)..=uid(high));
                        listing.remove(&gone, ModSeq(modseq));
                    }
                    Step::Look { session, expunges } => {
                        let (view, client) = &mut sessions[session];
                        let expunges = if expunges { Expunges::Told } else { Expunges::HeldBack };
                        let updates = view.advance(listing.clone(), None, expunges);
                        client.hear(&updates, view);
                        let held = view.rows_from(0).map(|row| (row.uid.get(), row.flags)).collect::<Vec<_>>();
                        prop_assert_eq!(&client.0, &held);
                        prop_assert_eq!(view.len() as usize, held.len());
                        for (at, &(n, _)) in held.iter().enumerate() {
                            prop_assert_eq!(view.row_at(at as u32).map(|row| row.uid), Some(uid(n)));
                            prop_assert_eq!(view.position_of(uid(n)), Some(at as u32));
                        }
                        let from = held.len() as u32 / 2;
                        prop_assert_eq!(view.rows_from(from).count(), held.len() - from as usize);
                        if expunges == Expunges::Told {
                            let stored = listing.rows().map(|row| (row.uid.get(), row.flags)).collect::<Vec<_>>();
                            prop_assert_eq!(held, stored);
                        }
                    }
                }
            }
        }
    }
}
