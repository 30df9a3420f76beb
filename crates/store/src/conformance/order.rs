//! Claims about UIDs, modseqs and listings.

use std::collections::BTreeMap;

use super::harness::{End, Open};
use super::letters::letter;
use super::trial::{Trial, placement, set, uid, wait};
use crate::{Accept, Change, Difference, FlagChange, Flags, Page, Row, Uid, UidSet};

pub fn uids_ascend_and_are_never_used_again(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let (inbox, archive) = (trial.inbox(ann), trial.id(ann, "Archive"));
    let mut last = 0;
    for round in 0..9u64 {
        let announced = trial.listing(inbox).uid_next();
        let given = trial.deliver(inbox, &letter(round, 100));
        assert!(given.get() > last && given >= announced);
        last = given.get();
        let change = if round % 2 == 0 { Change::Expunge } else { Change::Move { to: archive } };
        trial.apply(inbox, &set([given]), change).unwrap();
        match round % 3 {
            0 => trial.reopen(End::Killed),
            1 => trial.reopen(End::Closed),
            _ => {}
        }
        assert!(trial.listing(inbox).uid_next() > given);
    }
}

pub fn every_change_has_a_greater_modseq_than_all_before_it(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let folders = [trial.inbox(ann), trial.id(ann, "Archive")];
    let [inbox, archive] = folders;
    let highest = |trial: &Trial| folders.map(|folder| trial.listing(folder).highest_modseq());
    let mut last = highest(&trial)[0].max(highest(&trial)[1]);
    assert!(last.0 >= 1, "RFC 7162 §3.1: modseqs are positive, also of an empty folder");
    for end in [End::Closed, End::Killed] {
        type Step<'a> = (usize, &'a dyn Fn(&Trial));
        let steps: [Step; 5] = [
            (0, &|trial| drop(trial.accept(&letter(1, 100), vec![placement(inbox), placement(inbox)]))),
            (1, &|trial| drop(trial.accept(&letter(2, 100), vec![placement(archive)]))),
            (0, &|trial| drop(trial.flag(inbox, &UidSet::all(), FlagChange::Replace, Flags::SEEN, &[]))),
            (1, &|trial| drop(trial.apply(inbox, &UidSet::all(), Change::Move { to: archive }).unwrap())),
            (1, &|trial| drop(trial.apply(archive, &UidSet::all(), Change::Expunge).unwrap())),
        ];
        for (number, (changed, step)) in steps.iter().enumerate() {
            step(&trial);
            let now = highest(&trial);
            assert!(now[*changed] > last, "step {number}: {now:?} after {last:?}");
            last = now[0].max(now[1]);
            let listing = trial.listing(folders[*changed]);
            assert!(listing.rows().all(|row| row.modseq <= listing.highest_modseq()));
            assert!(listing.pages().all(|page| page.rows().iter().all(|row| row.modseq <= page.modseq())));
        }
        trial.reopen(end);
        assert!(highest(&trial).iter().any(|modseq| *modseq >= last));
    }
}

pub fn a_change_that_finds_nothing_is_none(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account("ann");
    let (inbox, archive) = (trial.inbox(ann), trial.id(ann, "Archive"));
    trial.deliver(inbox, &letter(1, 100));
    let before = (trial.listing(inbox), trial.listing(archive));
    for change in
        [Change::Expunge, Change::Copy { to: archive }, Change::Move { to: archive }, Change::Move { to: inbox }]
    {
        let copies = !matches!(change, Change::Expunge);
        let applied = trial.apply(inbox, &set([2, 77].map(uid)), change).unwrap();
        assert!(applied.changed.is_empty() && applied.conflicts.is_empty());
        assert_eq!(applied.copied.map(|(_, pairs)| pairs.len()), copies.then_some(0));
    }
    let now = (trial.listing(inbox), trial.listing(archive));
    assert_eq!(now.0.highest_modseq(), before.0.highest_modseq());
    assert_eq!((now.1.highest_modseq(), now.1.uid_next()), (before.1.highest_modseq(), before.1.uid_next()));
}

pub fn a_listing_held_does_not_change(open: Open) {
    let trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    for seed in 0..3 {
        trial.deliver(inbox, &letter(seed, 100));
    }
    let held = trial.listing(inbox);
    let rows: Vec<Row> = held.rows().copied().collect();
    trial.flag(inbox, &UidSet::all(), FlagChange::Add, Flags::SEEN, &["k"]);
    trial.apply(inbox, &set([uid(1)]), Change::Expunge).unwrap();
    trial.deliver(inbox, &letter(7, 100));
    assert_eq!(held.rows().copied().collect::<Vec<_>>(), rows);
    assert_eq!((held.len(), held.unseen(), held.keyword_names().len()), (3, 3, 0));
}

pub fn differences_lead_from_one_listing_to_the_next(open: Open) {
    let mut trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    for seed in 0..6 {
        trial.deliver(inbox, &letter(seed, 100));
    }
    let old = trial.listing(inbox);
    trial.apply(inbox, &set([2, 5].map(uid)), Change::Expunge).unwrap();
    trial.flag(inbox, &set([3].map(uid)), FlagChange::Add, Flags::SEEN, &[]);
    trial.deliver(inbox, &letter(6, 100));
    // A session may hold its listing while the engine below loads the folder anew.
    trial.holds(|trial| {
        let new = trial.listing(inbox);
        let found: Vec<(u32, char)> = old
            .diff(&new)
            .map(|difference| match difference {
                Difference::Appeared(row) => (row.uid.get(), '+'),
                Difference::Changed { new, .. } => (new.uid.get(), '~'),
                Difference::Vanished(row) => (row.uid.get(), '-'),
            })
            .collect();
        assert_eq!(found, [(2, '-'), (3, '~'), (5, '-'), (7, '+')]);
    });
}

pub fn a_folder_of_many_pages_survives_being_thinned_out(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let inbox = trial.inbox(ann);
    let count = 3 * Page::CAPACITY as u32 + 10;
    let body = trial.stage(&letter(1, 50), 50);
    let placements = vec![placement(inbox); count as usize];
    let answers = wait(trial.mailboxes().accept(Accept::each(body, placements))).unwrap();
    assert!(answers.iter().all(Result::is_ok));
    let model: BTreeMap<u32, bool> = (1..=count).filter(|n| n % 7 == 3).map(|n| (n, n % 2 == 0)).collect();
    let gone = set((1..=count).filter(|n| !model.contains_key(n)).filter_map(Uid::new));
    assert_eq!(trial.apply(inbox, &gone, Change::Expunge).unwrap().changed, gone);
    trial.flag(inbox, &set((2..=count).step_by(2).filter_map(Uid::new)), FlagChange::Add, Flags::SEEN, &[]);
    trial.holds(|trial| {
        let listing = trial.listing(inbox);
        let found: BTreeMap<u32, bool> =
            listing.rows().map(|row| (row.uid.get(), row.flags.contains(Flags::SEEN))).collect();
        assert_eq!(found, model);
        for (index, uid) in (0..).zip(model.keys().filter_map(|number| Uid::new(*number))) {
            assert_eq!((listing.row_at(index).map(|row| row.uid), listing.index_of(uid)), (Some(uid), Ok(index)));
        }
        assert_eq!(listing.unseen() as usize, model.values().filter(|seen| !**seen).count());
        assert_eq!((trial.octets(ann), listing.octets()), (50 * model.len() as u64, 50 * model.len() as u64));
    });
}
