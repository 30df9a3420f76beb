//! Claims about how messages come in.

use bytes::Bytes;

use super::harness::{End, Open};
use super::letters::{letter, prefix};
use super::trial::{Trial, keyword, keyword_names, placement, set, uid, wait};
use crate::{Accept, Change, DeliveryId, Error, Flags, FolderId, MessageSize, Placement, Unit};

fn delivery(folder: FolderId, id: u128) -> Placement {
    Placement { delivery: Some(DeliveryId(id)), ..placement(folder) }
}

pub fn a_message_is_there_once_accept_answers(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let inbox = trial.inbox(ann);
    let octets = letter(1, 5000);
    let placed = trial.accept_one(&octets, placement(inbox)).unwrap();
    let validity = trial.folder(ann, "INBOX").uid_validity;
    assert_eq!((placed.folder, placed.uid_validity, placed.duplicate), (inbox, validity, false));
    trial.holds(|trial| {
        let rows = trial.rows(inbox);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].uid, rows[0].size.octets(), rows[0].flags), (placed.uid, 5000, Flags::NONE));
        assert_eq!(trial.read_whole(rows[0].message).unwrap(), octets);
        assert_eq!((trial.usage(ann).octets, trial.usage(ann).messages), (5000, 1));
        assert_eq!(trial.listing(inbox).uid_validity(), validity);
    });
}

pub fn a_last_line_without_an_end_is_told(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let inbox = trial.inbox(ann);
    let bodies = [("", 0), ("\r\n", 2), ("a", 3), ("a\r", 4), ("a\n", 4), ("a\r\n", 3), ("a\r\n\r\nb\n\r", 10)];
    for (body, _) in bodies {
        for piece in 1..=3 {
            let body = trial.stage(body.as_bytes(), piece);
            let accepted = wait(trial.mailboxes().accept(Accept::each(body, vec![placement(inbox)])));
            assert!(accepted.unwrap()[0].is_ok());
        }
    }
    trial.holds(|trial| {
        let rows = trial.rows(inbox);
        for (row, (body, lines)) in rows.iter().zip(bodies.iter().flat_map(|body| [body; 3])) {
            assert_eq!((row.size.octets(), row.size.octets_in_lines()), (body.len() as u64, *lines), "{body:?}");
        }
    });
}

pub fn one_accept_places_in_folders_of_several_accounts(open: Open) {
    let mut trial = Trial::new(open);
    let (ann, bob) = (trial.account("ann"), trial.account("bob"));
    let folders = [trial.inbox(ann), trial.id(ann, "Archive"), trial.inbox(bob)];
    let octets = letter(1, 900);
    let answers = trial.accept(&octets, folders.map(placement).to_vec());
    assert_eq!(answers.iter().map(|answer| answer.as_ref().unwrap().folder).collect::<Vec<_>>(), folders);
    assert!(trial.accept(&octets, Vec::new()).is_empty());
    trial.holds(|trial| {
        for folder in folders {
            let rows = trial.rows(folder);
            assert_eq!((rows.len(), trial.read_whole(rows[0].message).unwrap() == octets), (1, true));
        }
        assert_eq!((trial.octets(ann), trial.octets(bob)), (1800, 900));
    });
}

pub fn each_placement_has_its_own_prefix_flags_keywords_and_date(open: Open) {
    let mut trial = Trial::new(open);
    let (ann, bob) = (trial.account("ann"), trial.account("bob"));
    let body = letter(1, 700);
    let trace = |size| Bytes::from(prefix(size));
    let first = Placement {
        prefix: trace(40),
        flags: Flags::SEEN.with(Flags::DRAFT),
        keywords: vec![keyword("$Work"), keyword("a")],
        internal_date: 5,
        ..placement(trial.inbox(ann))
    };
    let second =
        Placement { prefix: trace(90), internal_date: -5, flags: Flags::FLAGGED, ..placement(trial.inbox(bob)) };
    let placements = vec![first, second];
    assert!(trial.accept(&body, placements.clone()).iter().all(Result::is_ok));
    trial.holds(|trial| {
        for (placement, names) in placements.iter().zip([&["$Work", "a"][..], &[]]) {
            let listing = trial.listing(placement.folder);
            let row = listing.row_at(0).unwrap();
            let whole = [&placement.prefix[..], &body].concat();
            assert_eq!(
                (row.size, row.flags, row.internal_date),
                (MessageSize::of(&whole), placement.flags, placement.internal_date)
            );
            assert_eq!(keyword_names(&listing, row), names);
            assert_eq!(trial.read_whole(row.message).unwrap(), whole);
            let outlines = wait(trial.mailboxes().outlines(&[row.message])).unwrap();
            assert_eq!(outlines[0].as_ref().unwrap().prefix as usize, placement.prefix.len());
            let unseen = u32::from(!placement.flags.contains(Flags::SEEN));
            assert_eq!((listing.unseen(), listing.octets()), (unseen, row.size.octets()));
        }
    });
}

pub fn a_retry_is_answered_with_the_first_placement(open: Open) {
    let mut trial = Trial::new(open);
    let (ann, bob) = (trial.account("ann"), trial.account("bob"));
    let (inbox, other) = (trial.inbox(ann), trial.inbox(bob));
    let first = trial.accept_one(&letter(1, 300), delivery(inbox, 7)).unwrap();
    assert!(!first.duplicate);
    trial.holds(|trial| {
        let again = trial.accept(&letter(1, 300), vec![delivery(inbox, 7), delivery(other, 8)]);
        let again = again[0].as_ref().unwrap();
        assert_eq!((again.uid, again.uid_validity, again.duplicate), (first.uid, first.uid_validity, true));
        assert_eq!((trial.uids(inbox).len(), trial.uids(other).len()), (1, 1));
    });
}

pub fn a_delivery_id_outlives_its_message(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let (inbox, archive) = (trial.inbox(ann), trial.id(ann, "Archive"));
    let moved = trial.accept_one(&letter(1, 300), delivery(inbox, 1)).unwrap();
    let expunged = trial.accept_one(&letter(2, 300), delivery(inbox, 2)).unwrap();
    trial.apply(inbox, &set([moved.uid]), Change::Move { to: archive }).unwrap();
    trial.apply(inbox, &set([expunged.uid]), Change::Expunge).unwrap();
    trial.holds(|trial| {
        for (id, folder, first) in [(1, inbox, moved), (2, inbox, expunged), (1, archive, moved)] {
            let again = trial.accept_one(&letter(3, 300), delivery(folder, id)).unwrap();
            assert_eq!((again.folder, again.uid, again.duplicate), (inbox, first.uid, true));
        }
        assert_eq!((trial.uids(inbox).len(), trial.uids(archive).len()), (0, 1));
    });
}

pub fn a_delivery_id_counts_within_one_accept(open: Open) {
    let trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    let answers = trial.accept(&letter(1, 300), vec![delivery(inbox, 7), delivery(inbox, 7), delivery(inbox, 8)]);
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().map(|placed| placed.duplicate).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(answers[0].uid, answers[1].uid);
    assert_eq!(trial.uids(inbox).len(), 2);
}

pub fn a_delivery_id_belongs_to_one_account(open: Open) {
    let trial = Trial::new(open);
    let (ann, bob) = (trial.inbox(trial.account("ann")), trial.inbox(trial.account("bob")));
    let answers = trial.accept(&letter(1, 300), vec![delivery(ann, 7), delivery(bob, 7)]);
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|placed| !placed.duplicate)));
    assert_eq!((trial.uids(ann).len(), trial.uids(bob).len()), (1, 1));
}

pub fn a_refused_placement_may_come_again(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account_with_quota("ann", Some(1000));
    let inbox = trial.inbox(ann);
    let filler = trial.deliver(inbox, &letter(1, 900));
    assert_eq!(trial.accept_one(&letter(2, 200), delivery(inbox, 7)), Err(Error::OverQuota));
    trial.reopen(End::Killed);
    trial.apply(inbox, &set([filler]), Change::Expunge).unwrap();
    assert!(!trial.accept_one(&letter(2, 200), delivery(inbox, 7)).unwrap().duplicate);
    assert!(trial.accept_one(&letter(2, 200), delivery(inbox, 7)).unwrap().duplicate);
}

pub fn without_a_delivery_id_every_placement_is_new(open: Open) {
    let trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    for _ in 0..2 {
        trial.accept(&letter(1, 300), vec![placement(inbox), placement(inbox)]);
    }
    assert_eq!(trial.uids(inbox).len(), 4);
}

pub fn a_placement_fails_for_itself_alone(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let full = trial.account_with_quota("full", Some(10));
    let (inbox, narrow) = (trial.inbox(ann), trial.inbox(full));
    let missing = [FolderId::new(ann, 4_000_000), FolderId::new(crate::AccountId(4_000_000), 1)];
    let folders = [missing[0], narrow, inbox, missing[1]];
    let answers = trial.accept(&letter(1, 300), folders.map(placement).to_vec());
    assert!(matches!(answers[0], Err(Error::NotFound(_))) && matches!(answers[3], Err(Error::NotFound(_))));
    assert_eq!(answers[1], Err(Error::OverQuota));
    let placed = *answers[2].as_ref().unwrap();
    trial.holds(|trial| {
        assert_eq!(trial.uids(inbox), [placed.uid.get()]);
        assert_eq!((trial.usage(ann).octets, trial.usage(full).octets), (300, 0));
    });
}

pub fn placements_that_go_together_are_made_all_or_none(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let small = trial.account_with_quota("small", Some(500));
    let (inbox, narrow) = (trial.inbox(ann), trial.inbox(small));
    let together = |trial: &Trial, placements: Vec<Placement>| {
        let body = trial.stage(&letter(1, 300), 100);
        wait(trial.mailboxes().accept(Accept::together(body, placements)))
    };
    let missing = FolderId::new(ann, 4_000_000);
    for bad in [vec![placement(missing)], vec![placement(narrow); 2]] {
        let placements = [vec![placement(inbox)], bad, vec![placement(inbox)]].concat();
        assert!(matches!(together(&trial, placements), Err(Error::NotFound(_) | Error::OverQuota)));
        trial.holds(|trial| {
            assert_eq!((trial.usage(ann).messages, trial.usage(small).messages), (0, 0));
        });
    }
    let first = together(&trial, vec![delivery(inbox, 1), placement(narrow)]).unwrap();
    assert!(first.iter().all(Result::is_ok));
    let again = together(&trial, vec![delivery(inbox, 1), placement(inbox)]).unwrap();
    assert!(again[0].as_ref().unwrap().duplicate && !again[1].as_ref().unwrap().duplicate);
}

pub fn the_quota_holds_to_the_octet(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account_with_quota("ann", Some(1000));
    let inbox = trial.inbox(ann);
    let with_prefix = Placement { prefix: Bytes::from(prefix(100)), ..placement(inbox) };
    assert_eq!(trial.accept_one(&letter(1, 901), with_prefix.clone()), Err(Error::OverQuota), "the prefix counts");
    trial.accept_one(&letter(1, 600), with_prefix).unwrap();
    assert_eq!(trial.accept_one(&letter(2, 301), placement(inbox)), Err(Error::OverQuota));
    trial.accept_one(&letter(2, 300), placement(inbox)).unwrap();
    trial.holds(|trial| {
        let usage = trial.usage(ann);
        assert_eq!((usage.octets, usage.messages, usage.quota), (1000, 2, Some(1000)));
        assert_eq!(trial.accept_one(&letter(3, 1), placement(inbox)), Err(Error::OverQuota));
    });
}

pub fn placements_of_one_accept_share_the_quota_in_their_order(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account_with_quota("ann", Some(1000));
    let answers = trial.accept(&letter(1, 400), vec![placement(trial.inbox(ann)); 3]);
    assert!(answers[0].is_ok() && answers[1].is_ok());
    assert_eq!(answers[2], Err(Error::OverQuota));
    assert_eq!(trial.octets(ann), 800);
}

pub fn the_longest_prefix_is_taken_and_one_octet_more_refused(open: Open) {
    let mut trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    let with = |size| Placement { prefix: Bytes::from(prefix(size)), ..placement(inbox) };
    let body = letter(1, 200);
    let placed = trial.accept_one(&body, with(Placement::MAX_PREFIX)).unwrap();
    assert!(matches!(trial.accept_one(&body, with(Placement::MAX_PREFIX + 1)), Err(Error::Limit(_))));
    trial.holds(|trial| {
        assert_eq!(trial.uids(inbox), [placed.uid.get()]);
        let whole = trial.read_whole(trial.message(inbox, placed.uid)).unwrap();
        assert!(whole == [prefix(Placement::MAX_PREFIX), body.clone()].concat());
    });
}

pub fn bodies_that_are_not_accepted_leave_nothing(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let inbox = trial.inbox(ann);
    for size in [10, 3_000_000] {
        let mut writer = wait(trial.mailboxes().stage(None)).unwrap();
        wait(writer.write(&letter(1, size))).unwrap();
        drop(writer);
        drop(trial.stage(&letter(2, size), 4096));
    }
    let placed = trial.deliver(inbox, &letter(3, 100));
    trial.holds(|trial| {
        assert_eq!((trial.uids(inbox), trial.octets(ann)), (vec![placed.get()], 100));
    });
}

pub fn the_announced_size_is_a_hint(open: Open) {
    let mut trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    for (announced, size) in [(Some(1_000_000), 10), (Some(10), 1_000_000), (None, 1_000_000), (Some(u64::MAX), 0)] {
        let mut writer = wait(trial.mailboxes().stage(announced)).unwrap();
        for chunk in letter(1, size).chunks(10_000) {
            wait(writer.write(chunk)).unwrap();
        }
        let body = wait(writer.finish()).unwrap();
        wait(trial.mailboxes().accept(Accept::each(body, vec![placement(inbox)]))).unwrap()[0].as_ref().unwrap();
    }
    trial.holds(|trial| {
        for (row, size) in trial.rows(inbox).iter().zip([10, 1_000_000, 1_000_000, 0]) {
            assert_eq!(row.size.octets(), size as u64);
            assert!(trial.read_whole(row.message).unwrap() == letter(1, size));
        }
    });
}

pub fn bodies_of_every_size_come_back(open: Open) {
    let mut trial = Trial::new(open);
    let inbox = trial.inbox(trial.account("ann"));
    let chunk = Unit::CHUNK as usize;
    let sizes = [0, 1, 2, chunk - 1, chunk, chunk + 1, 4 * chunk - 1, 4 * chunk, 4 * chunk + 1, 5_000_000];
    for (seed, &size) in sizes.iter().enumerate() {
        let octets = letter(seed as u64, size);
        // Pieces that fit no boundary, and at times a piece of nothing.
        let mut writer = wait(trial.mailboxes().stage(Some(size as u64))).unwrap();
        for piece in octets.chunks(4099) {
            wait(writer.write(&[])).unwrap();
            wait(writer.write(piece)).unwrap();
        }
        let body = wait(writer.finish()).unwrap();
        assert_eq!(*body.outline, mime::parse(&octets, mime::Limits::default()));
        let answers = wait(trial.mailboxes().accept(Accept::each(body, vec![placement(inbox)]))).unwrap();
        assert_eq!(answers[0].as_ref().unwrap().uid, uid(seed as u32 + 1));
    }
    trial.holds(|trial| {
        for (row, (seed, &size)) in trial.rows(inbox).iter().zip(sizes.iter().enumerate()) {
            assert!(trial.read_whole(row.message).unwrap() == letter(seed as u64, size), "{size} octets");
        }
    });
}
