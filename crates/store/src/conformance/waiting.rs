//! Claims about wake-ups, leases and `\Recent`.

use super::harness::{End, Open};
use super::letters::letter;
use super::trial::{Trial, placement, set, uid, wait};
use crate::{Change, Error, FlagChange, Flags, FolderId, UidSet};

pub fn every_change_wakes_a_watch(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account("ann");
    let (inbox, archive) = (trial.inbox(ann), trial.id(ann, "Archive"));
    let (mut first, mut second) = (trial.watch(ann), trial.watch(ann));
    let changes: [&dyn Fn(); 10] = [
        &|| drop(trial.accept(&letter(1, 100), vec![placement(inbox); 3])),
        &|| drop(trial.flag(inbox, &UidSet::all(), FlagChange::Add, Flags::SEEN, &[])),
        &|| drop(trial.apply(inbox, &set([uid(1)]), Change::Copy { to: archive }).unwrap()),
        &|| drop(trial.apply(inbox, &set([uid(2)]), Change::Move { to: archive }).unwrap()),
        &|| drop(trial.apply(inbox, &UidSet::all(), Change::Expunge).unwrap()),
        &|| trial.create(ann, "a").unwrap(),
        &|| trial.subscribe(ann, "a", true).unwrap(),
        &|| trial.rename(ann, "a", "b").unwrap(),
        &|| trial.delete(ann, "b").unwrap(),
        &|| wait(trial.directory().remove(ann)).unwrap(),
    ];
    for change in changes {
        change();
        wait(first.changed());
        wait(second.changed());
    }
}

pub fn a_change_between_two_waits_is_not_lost(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account("ann");
    let inbox = trial.inbox(ann);
    let mut watch = trial.watch(ann);
    for seed in 0..3 {
        // A wait given up must not take the wake-up with it.
        drop(watch.changed());
        trial.deliver(inbox, &letter(seed, 100));
        drop(watch.changed());
        wait(watch.changed());
    }
    // And one that sleeps already is woken from another thread.
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(move || {
            wait(watch.changed());
        });
        let mailboxes = trial.mailboxes();
        let body = trial.stage(&letter(9, 100), 100);
        scope.spawn(move || wait(mailboxes.accept(crate::Accept::each(body, vec![placement(inbox)]))).unwrap());
        assert!(sleeper.join().is_ok());
    });
}

pub fn a_watch_that_is_dropped_harms_nobody(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account("ann");
    let mut kept = trial.watch(ann);
    for _ in 0..100 {
        drop(trial.watch(ann));
    }
    trial.deliver(trial.inbox(ann), &letter(1, 100));
    wait(kept.changed());
}

pub fn a_lease_is_held_once_and_given_back(open: Open) {
    let mut trial = Trial::new(open);
    for end in [End::Closed, End::Killed] {
        let lease = |trial: &Trial, name: &str| wait(trial.mailboxes().lease(name.into()));
        let held = lease(&trial, "pop3/1").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(lease(&trial, "pop3/1").err(), Some(Error::Busy));
        let other = lease(&trial, "pop3/2");
        assert!(other.is_ok(), "another name is another lease");
        drop(held);
        let again = lease(&trial, "pop3/1");
        assert!(again.is_ok());
        assert_eq!(lease(&trial, "pop3/2").err(), Some(Error::Busy));
        drop((again, other));
        trial.reopen(end);
    }
}

pub fn recent_messages_are_claimed_once(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let (inbox, archive) = (trial.inbox(ann), trial.id(ann, "Archive"));
    let claim = |trial: &Trial, folder| wait(trial.mailboxes().claim_recent(folder)).unwrap();
    let look = |trial: &Trial, folder| wait(trial.mailboxes().first_recent(folder)).unwrap();
    let (one, two) = (trial.deliver(inbox, &letter(1, 100)), trial.deliver(inbox, &letter(2, 100)));
    assert!(look(&trial, inbox) <= one && look(&trial, inbox) <= one, "looking takes nothing");
    assert!(claim(&trial, inbox) <= one);
    let next = claim(&trial, inbox);
    assert!(two < next && next <= trial.listing(inbox).uid_next(), "what was claimed is recent for nobody else");
    let three = trial.deliver(inbox, &letter(3, 100));
    assert!(next <= three && look(&trial, inbox) <= three);
    assert!(claim(&trial, archive) <= uid(1), "each folder has its own claim");
    trial.reopen(End::Closed);
    assert!(claim(&trial, inbox) <= three, "nothing unclaimed is lost");
    let missing = wait(trial.mailboxes().claim_recent(FolderId::new(ann, 4_000_000)));
    assert!(matches!(missing, Err(Error::NotFound(_))));
}
