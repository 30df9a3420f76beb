//! Claims about expunging, copying and moving.

use super::harness::{End, Open};
use super::letters::letter;
use super::trial::{Trial, keyword, keyword_names, placement, set, uid, wait};
use crate::{AccountId, Change, Error, Flags, FolderId, Placement, Uid, UidSet};

struct Setting {
    trial: Trial,
    ann: AccountId,
    inbox: FolderId,
    archive: FolderId,
}

/// INBOX with messages of these sizes under UIDs 1, 2, ...
fn setting(open: Open, quota: Option<u64>, sizes: &[usize]) -> Setting {
    let trial = Trial::new(open);
    let ann = trial.account_with_quota("ann", quota);
    let (inbox, archive) = (trial.inbox(ann), trial.id(ann, "Archive"));
    for (seed, &size) in sizes.iter().enumerate() {
        assert_eq!(trial.deliver(inbox, &letter(seed as u64, size)).get(), seed as u32 + 1);
    }
    Setting { trial, ann, inbox, archive }
}

fn only(number: u32) -> UidSet {
    set([uid(number)])
}

pub fn an_expunged_message_frees_its_quota_and_stays_readable(open: Open) {
    let Setting { mut trial, ann, inbox, .. } = setting(open, Some(1000), &[600, 300, 100]);
    let message = trial.message(inbox, uid(1));
    let applied = trial.apply(inbox, &set([1, 3, 9].map(uid)), Change::Expunge).unwrap();
    assert_eq!((applied.changed.to_string(), applied.conflicts.is_empty()), ("1,3".into(), true));
    assert!(applied.copied.is_none());
    trial.holds(|trial| {
        assert_eq!((trial.uids(inbox), trial.octets(ann)), (vec![2], 300));
        assert!(trial.read_whole(message).unwrap() == letter(0, 600));
        assert!(wait(trial.mailboxes().outlines(&[message])).unwrap()[0].is_ok());
    });
    trial.deliver(inbox, &letter(9, 700));
}

pub fn bodies_are_gone_after_their_retention(open: Open) {
    let Setting { mut trial, inbox, archive, .. } = setting(open, None, &[600, 600, 400_000, 600]);
    let messages: Vec<_> = trial.rows(inbox).iter().map(|row| row.message).collect();
    trial.apply(inbox, &only(2), Change::Copy { to: archive }).unwrap();
    trial.apply(inbox, &set([1, 2, 3].map(uid)), Change::Expunge).unwrap();
    if !trial.end_retention() {
        return;
    }
    trial.holds(|trial| {
        for gone in [0, 2] {
            assert_eq!(trial.read_whole(messages[gone]), Err(Error::Gone));
        }
        assert!(trial.read_whole(messages[1]).unwrap() == letter(1, 600), "the copy in Archive still has it");
        assert!(trial.read_whole(messages[3]).unwrap() == letter(3, 600));
        let outlines = wait(trial.mailboxes().outlines(&messages)).unwrap();
        assert_eq!(outlines.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false, true]);
    });
}

pub fn a_copy_is_the_same_message_under_a_new_uid(open: Open) {
    let Setting { mut trial, ann, inbox, archive } = setting(open, None, &[100, 200]);
    let flagged = Placement {
        flags: Flags::ANSWERED,
        keywords: vec![keyword("Work"), keyword("b")],
        internal_date: 77,
        ..placement(inbox)
    };
    trial.accept_one(&letter(2, 300), flagged).unwrap();
    trial.deliver(archive, &letter(8, 10));
    // The target knows the keywords in another order and spelling.
    trial.flag(archive, &UidSet::all(), crate::FlagChange::Add, Flags::NONE, &["b", "c", "WORK"]);
    let applied = trial.apply(inbox, &set([1, 3, 7].map(uid)), Change::Copy { to: archive }).unwrap();
    let (validity, pairs) = applied.copied.unwrap();
    assert_eq!(validity, trial.folder(ann, "Archive").uid_validity);
    assert_eq!(pairs.iter().map(|(from, _)| from.get()).collect::<Vec<_>>(), [1, 3]);
    assert!(pairs[0].1 < pairs[1].1);
    assert_eq!(applied.changed.to_string(), "1,3");
    trial.holds(|trial| {
        let (source, target) = (trial.listing(inbox), trial.listing(archive));
        assert_eq!((source.len(), target.len()), (3, 3));
        for (from, to) in &pairs {
            let (from, to) = (source.get(*from).unwrap(), target.get(*to).unwrap());
            assert_eq!((from.message, from.size, from.flags), (to.message, to.size, to.flags));
            assert_eq!(from.internal_date, to.internal_date);
            assert_eq!(keyword_names(&source, from).len(), keyword_names(&target, to).len());
        }
        assert_eq!(keyword_names(&target, target.get(pairs[1].1).unwrap()), ["WORK", "b"]);
        assert_eq!(trial.octets(ann), 600 + 10 + 400);
    });
}

pub fn copying_is_all_or_nothing(open: Open) {
    let Setting { mut trial, ann, inbox, archive } = setting(open, Some(1000), &[300, 300]);
    let refused = trial.apply(inbox, &UidSet::all(), Change::Copy { to: archive });
    assert!(matches!(refused, Err(Error::OverQuota)));
    trial.holds(|trial| {
        assert_eq!((trial.uids(inbox), trial.uids(archive), trial.octets(ann)), (vec![1, 2], vec![], 600));
    });
    trial.apply(inbox, &only(1), Change::Copy { to: archive }).unwrap();
}

pub fn a_copy_into_the_same_folder_doubles_it(open: Open) {
    let Setting { mut trial, inbox, .. } = setting(open, None, &[300, 400]);
    let applied = trial.apply(inbox, &UidSet::all(), Change::Copy { to: inbox }).unwrap();
    assert_eq!(applied.copied.unwrap().1, [(1, 3), (2, 4)].map(|(from, to)| (uid(from), uid(to))));
    trial.holds(|trial| {
        let rows = trial.rows(inbox);
        assert_eq!(rows.iter().map(|row| row.uid.get()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!((rows[0].message, rows[1].message), (rows[2].message, rows[3].message));
    });
}

pub fn a_moved_message_is_in_one_place(open: Open) {
    let Setting { mut trial, ann, inbox, archive } = setting(open, None, &[100, 200, 300]);
    let before = trial.rows(inbox);
    let applied = trial.apply(inbox, &set([1, 3].map(uid)), Change::Move { to: archive }).unwrap();
    let (validity, pairs) = applied.copied.unwrap();
    assert_eq!(validity, trial.folder(ann, "Archive").uid_validity);
    assert_eq!((applied.changed.to_string(), pairs.len()), ("1,3".into(), 2));
    trial.holds(|trial| {
        assert_eq!(trial.uids(inbox), [2]);
        let target = trial.listing(archive);
        assert_eq!(target.len(), 2);
        for ((from, to), row) in pairs.iter().zip([before[0], before[2]]) {
            assert_eq!(
                (*from, target.get(*to).map(|row| (row.message, row.size))),
                (row.uid, Some((row.message, row.size)))
            );
        }
        assert_eq!(trial.octets(ann), 600);
    });
}

pub fn moving_needs_no_quota(open: Open) {
    let Setting { trial, ann, inbox, archive } = setting(open, Some(1000), &[1000]);
    trial.apply(inbox, &only(1), Change::Move { to: archive }).unwrap();
    assert_eq!((trial.uids(inbox).len(), trial.uids(archive).len(), trial.octets(ann)), (0, 1, 1000));
}

pub fn a_move_within_one_folder_gives_new_uids(open: Open) {
    let Setting { mut trial, inbox, .. } = setting(open, None, &[100, 200, 300]);
    let applied = trial.apply(inbox, &set([1, 2].map(uid)), Change::Move { to: inbox }).unwrap();
    assert_eq!(applied.copied.unwrap().1, [(uid(1), uid(4)), (uid(2), uid(5))]);
    trial.holds(|trial| {
        let rows = trial.rows(inbox);
        assert_eq!(
            rows.iter().map(|row| (row.uid.get(), row.size.octets())).collect::<Vec<_>>(),
            [(3, 300), (4, 100), (5, 200)]
        );
    });
}

pub fn a_missing_target_changes_nothing(open: Open) {
    let Setting { mut trial, ann, inbox, .. } = setting(open, None, &[100]);
    let bob = trial.inbox(trial.account("bob"));
    let nowhere = FolderId::new(ann, 4_000_000);
    for (to, foreign) in [(nowhere, false), (bob, true)] {
        for change in [Change::Copy { to }, Change::Move { to }] {
            match trial.apply(inbox, &UidSet::all(), change) {
                Err(Error::NotFound(_)) => assert!(!foreign),
                Err(Error::Invalid(_)) => assert!(foreign),
                other => panic!("{other:?}"),
            }
        }
    }
    for change in [Change::Expunge, Change::Copy { to: inbox }, Change::Move { to: inbox }] {
        assert!(matches!(trial.apply(nowhere, &UidSet::all(), change), Err(Error::NotFound(_))));
    }
    trial.holds(|trial| assert_eq!((trial.uids(inbox), trial.uids(bob)), (vec![1], vec![])));
}

pub fn messages_changed_since_are_neither_expunged_nor_moved(open: Open) {
    for moves in [false, true] {
        let Setting { mut trial, inbox, archive, .. } = setting(open, None, &[100, 200, 300]);
        let seen = trial.listing(inbox).highest_modseq();
        trial.flag(inbox, &only(2), crate::FlagChange::Add, Flags::SEEN, &[]);
        trial.reopen(End::Killed);
        let change = if moves { Change::Move { to: archive } } else { Change::Expunge };
        let applied = trial.apply_unless(inbox, &UidSet::all(), change, Some(seen)).unwrap();
        assert_eq!((applied.changed.to_string(), applied.conflicts.to_string()), ("1,3".into(), "2".into()));
        let sources = applied.copied.map(|(_, pairs)| pairs.iter().map(|pair| pair.0).collect::<Vec<Uid>>());
        assert_eq!(sources, moves.then(|| [1, 3].map(uid).to_vec()));
        trial.holds(|trial| assert_eq!(trial.uids(inbox), [2]));
    }
}
