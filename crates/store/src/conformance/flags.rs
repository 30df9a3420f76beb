//! Claims about flags and keywords.

use super::harness::Open;
use super::letters::letter;
use super::trial::{Trial, flag_change, keyword, keyword_names, set, uid};
use crate::FlagChange::{Add, Remove, Replace};
use crate::{AccountId, Change, Error, Flags, FolderId, Listing, UidSet};

/// INBOX with so many messages under UIDs 1, 2, ...
fn filled(open: Open, count: u32) -> (Trial, FolderId) {
    let trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    for seed in 0..count {
        trial.deliver(inbox, &letter(seed.into(), 100));
    }
    (trial, inbox)
}

pub fn flags_are_added_removed_and_replaced(open: Open) {
    let (mut trial, inbox) = filled(open, 3);
    let all = Flags::SEEN.with(Flags::FLAGGED);
    trial.flag(inbox, &UidSet::all(), Add, all, &["a", "b"]);
    trial.flag(inbox, &set([uid(1)]), Remove, Flags::SEEN.with(Flags::DRAFT), &["b", "never"]);
    trial.flag(inbox, &set([uid(2)]), Replace, Flags::DELETED, &["c"]);
    trial.flag(inbox, &set([uid(3)]), Add, Flags::DRAFT, &["c"]);
    trial.holds(|trial| {
        let listing = trial.listing(inbox);
        let found: Vec<_> = listing.rows().map(|row| (row.flags, keyword_names(&listing, row).join(" "))).collect();
        let expected = [(Flags::FLAGGED, "a"), (Flags::DELETED, "c"), (all.with(Flags::DRAFT), "a b c")];
        assert_eq!(found, expected.map(|(flags, names)| (flags, names.to_string())));
        assert_eq!(listing.unseen(), 2);
        assert!(!listing.keyword_names().contains(&keyword("never")), "removing a keyword does not make it known");
    });
}

pub fn keywords_are_compared_without_case(open: Open) {
    let (mut trial, inbox) = filled(open, 2);
    trial.flag(inbox, &set([uid(1)]), Add, Flags::NONE, &["$Later"]);
    trial.flag(inbox, &UidSet::all(), Add, Flags::NONE, &["$LATER", "$later"]);
    trial.holds(|trial| {
        let listing = trial.listing(inbox);
        assert!(listing.rows().all(|row| keyword_names(&listing, row) == ["$Later"]));
    });
    trial.flag(inbox, &UidSet::all(), Remove, Flags::NONE, &["$lateR"]);
    let listing = trial.listing(inbox);
    assert!(listing.rows().all(|row| keyword_names(&listing, row).is_empty()));
}

pub fn messages_that_are_already_so_keep_their_modseq(open: Open) {
    let (mut trial, inbox) = filled(open, 4);
    trial.flag(inbox, &set([uid(2)]), Add, Flags::SEEN, &["k"]);
    let before = trial.listing(inbox);
    let applied = trial.flag(inbox, &UidSet::all(), Add, Flags::SEEN, &["k"]);
    assert_eq!(applied.changed.to_string(), "1:4");
    let before_modseq = before.get(uid(2)).unwrap().modseq;
    trial.holds(|trial| {
        for row in trial.rows(inbox) {
            assert_eq!(row.modseq > before.highest_modseq(), row.uid != uid(2));
        }
        assert_eq!(trial.listing(inbox).get(uid(2)).unwrap().modseq, before_modseq);
    });
    let highest = trial.listing(inbox).highest_modseq();
    trial.flag(inbox, &UidSet::all(), Replace, Flags::SEEN, &["K"]);
    assert_eq!(trial.listing(inbox).highest_modseq(), highest, "nothing changed");
}

pub fn messages_changed_since_are_left_alone_and_named(open: Open) {
    let (mut trial, inbox) = filled(open, 5);
    let seen = trial.listing(inbox).highest_modseq();
    trial.flag(inbox, &set([uid(2), uid(4)]), Add, Flags::FLAGGED, &[]);
    let change = flag_change(Replace, Flags::DRAFT, &["k"]);
    let applied = trial.apply_unless(inbox, &set([1, 2, 3, 4, 5, 9].map(uid)), change, Some(seen)).unwrap();
    assert_eq!((applied.changed.to_string(), applied.conflicts.to_string()), ("1,3,5".into(), "2,4".into()));
    trial.holds(|trial| {
        let flags: Vec<_> = trial.rows(inbox).iter().map(|row| row.flags).collect();
        assert_eq!(flags, [Flags::DRAFT, Flags::FLAGGED, Flags::DRAFT, Flags::FLAGGED, Flags::DRAFT]);
    });
}

pub fn uids_that_do_not_exist_are_passed_over(open: Open) {
    let (trial, inbox) = filled(open, 3);
    trial.apply(inbox, &set([uid(2)]), Change::Expunge).unwrap();
    let applied = trial.flag(inbox, &UidSet::all(), Add, Flags::SEEN, &[]);
    assert_eq!((applied.changed.to_string(), applied.conflicts.len()), ("1,3".into(), 0));
    let highest = trial.listing(inbox).highest_modseq();
    let applied = trial.flag(inbox, &set([2, 4, 4_000_000_000].map(uid)), Add, Flags::SEEN, &["k"]);
    assert!(applied.changed.is_empty());
    assert_eq!(trial.listing(inbox).highest_modseq(), highest);
}

pub fn a_thousand_keywords_fit_into_a_folder(open: Open) {
    let (mut trial, inbox) = filled(open, 10);
    let names: Vec<String> = (0..1000).map(|n| format!("k{n:03}")).collect();
    for (number, part) in (1..).zip(names.chunks(100)) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        trial.flag(inbox, &set([uid(number)]), Add, Flags::NONE, &part);
    }
    trial.holds(|trial| {
        let listing = trial.listing(inbox);
        let found: Vec<String> = listing.rows().flat_map(|row| keyword_names(&listing, row)).collect();
        assert_eq!(found, names);
        assert_eq!(listing.keyword_names().len(), 1000);
    });
}

pub fn a_keyword_too_many_changes_nothing(open: Open) {
    let (mut trial, inbox) = filled(open, 2);
    let names: Vec<String> = (0..Listing::MAX_KEYWORDS).map(|n| format!("k{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    trial.flag(inbox, &set([uid(1)]), Add, Flags::NONE, &names);
    let before = trial.rows(inbox);
    let refused = trial.apply(inbox, &UidSet::all(), flag_change(Add, Flags::SEEN, &["k0", "more"]));
    assert!(matches!(refused, Err(Error::Limit(_))));
    trial.holds(|trial| assert_eq!(trial.rows(inbox), before));
    trial.flag(inbox, &set([uid(1)]), Remove, Flags::NONE, &names[..1]);
    trial.flag(inbox, &set([uid(2)]), Add, Flags::NONE, &["more"]);
    trial.holds(|trial| {
        let listing = trial.listing(inbox);
        assert_eq!(keyword_names(&listing, listing.get(uid(2)).unwrap()), ["more"], "what nobody has gives way");
    });
}

pub fn flags_of_a_missing_folder_are_not_found(open: Open) {
    let (trial, inbox) = filled(open, 1);
    for folder in [FolderId::new(inbox.account(), 4_000_000), FolderId::new(AccountId(4_000_000), 1)] {
        let refused = trial.apply(folder, &UidSet::all(), flag_change(Add, Flags::SEEN, &[]));
        assert!(matches!(refused, Err(Error::NotFound(_))));
    }
}
