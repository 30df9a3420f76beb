//! What happens at the bounds: a full disk, a full budget, a full mailbox.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use pollster::block_on;
use store::{Accept, Change, Error, Flags, Mailboxes, Placement, UidSet};

use crate::Embedded;
use crate::crash_tests::{DIR, accept, compacting, id_of, letter, one, open_with, options, set_up, whole_message};
use crate::disk::SimulatedDisk;
use crate::files::bodies_dir;

#[test]
fn on_a_full_disk_mail_is_refused_for_now_and_expunging_still_works() {
    let disk = SimulatedDisk::default();
    let workers = set_up(&disk, 1, 3);
    let mut with_reserve = options();
    with_reserve.reserve = Some(256 * 1024);
    let store = Embedded::open_on(Arc::new(disk.clone()), Path::new(DIR), with_reserve).unwrap();
    let inbox = id_of(&store, workers[0].account, "INBOX").unwrap();
    let uid = accept(&store, 2, &[inbox], None).unwrap()[0];
    disk.set_capacity(Some(disk.used() + 100 * 1024));
    assert_eq!(accept(&store, 3, &[inbox], None), Err(Error::DiskFull));
    assert_eq!(accept(&store, 1, &[inbox], None), Err(Error::DiskFull), "also where it goes to a file");
    let listing = block_on(store.listing(inbox)).unwrap();
    assert_eq!(whole_message(&store, listing.row_at(0).unwrap().message).unwrap().len() as u64, listing.octets());
    block_on(store.apply(inbox, one(uid.get()), Change::Expunge, None)).unwrap();
    disk.set_capacity(None);
    accept(&store, 3, &[inbox], None).unwrap();
}

#[test]
fn a_close_does_not_wait_for_compaction_that_rests() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 3)[0].account;
    let mut resting = compacting();
    // Half a second after each turn, of which there are hundreds.
    resting.compaction_rest = 1_000_000;
    let store = open_with(&disk, resting).unwrap();
    let inbox = id_of(&store, account, "INBOX").unwrap();
    for tag in 0..600 {
        accept(&store, tag, &[inbox], None).unwrap();
    }
    let most =
        block_on(store.listing(inbox)).unwrap().rows().map(|row| row.uid).filter(|uid| uid.get() % 4 != 0).collect();
    block_on(store.apply(inbox, most, Change::Expunge, None)).unwrap();
    store.engine.wait_for_index();
    store.engine.ask_keeper();
    let begun = Instant::now();
    store.close().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn mail_is_taken_again_as_soon_as_there_is_room() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 3)[0].account;
    let mut with_reserve = options();
    with_reserve.reserve = Some(256 * 1024);
    let store = open_with(&disk, with_reserve).unwrap();
    let inbox = id_of(&store, account, "INBOX").unwrap();
    disk.set_capacity(Some(disk.used() + 100 * 1024));
    assert_eq!(accept(&store, 3, &[inbox], None), Err(Error::DiskFull));
    disk.set_capacity(None);
    assert!(accept(&store, 3, &[inbox], None).is_ok());
}

#[test]
fn on_a_full_disk_retention_ends_early_but_not_within_the_hour() {
    const HOUR: i64 = 60 * 60;
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 3)[0].account;
    let clock = Arc::new(AtomicI64::new(2_000_000_000));
    let told = clock.clone();
    let mut timed = options();
    timed.clock = Arc::new(move || told.load(Ordering::Relaxed));
    let store = open_with(&disk, timed).unwrap();
    let inbox = id_of(&store, account, "INBOX").unwrap();
    let mut expunged = Vec::new();
    for tag in 0..3 {
        let uid = accept(&store, tag, &[inbox], None).unwrap()[0];
        expunged.push(block_on(store.listing(inbox)).unwrap().row_at(0).unwrap().message);
        block_on(store.apply(inbox, one(uid.get()), Change::Expunge, None)).unwrap();
        clock.fetch_add(25 * HOUR, Ordering::Relaxed);
    }
    clock.fetch_sub(25 * HOUR - 10, Ordering::Relaxed);
    let readable = || expunged.iter().filter(|id| whole_message(&store, **id).is_ok()).count();
    assert!(store.engine.end_oldest_day().unwrap());
    assert_eq!(readable(), 2, "a day at a time");
    assert!(store.engine.end_oldest_day().unwrap());
    assert!(!store.engine.end_oldest_day().unwrap());
    assert_eq!(readable(), 1, "sessions may still show what went within the hour");
}

#[test]
fn slow_senders_that_hold_the_whole_budget_hold_up_nobody() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 3)[0].account;
    let mut tight = options();
    tight.body_budget = 64 * 1024;
    tight.inline_limit = 32 * 1024;
    let store = open_with(&disk, tight).unwrap();
    let inbox = id_of(&store, account, "INBOX").unwrap();
    let mut slow: Vec<_> = (0..8).map(|_| block_on(store.stage(None)).unwrap()).collect();
    for writer in &mut slow {
        block_on(writer.write(&[b'x'; 20 * 1024])).unwrap();
        block_on(writer.write(&[b'y'; 3])).unwrap();
    }
    accept(&store, 5, &[inbox], None).unwrap();
    let placement = |_| Placement {
        folder: inbox,
        prefix: bytes::Bytes::new(),
        flags: Flags::NONE,
        keywords: Vec::new(),
        internal_date: 0,
        delivery: None,
    };
    for writer in slow {
        let accepted = Accept::each(block_on(writer.finish()).unwrap(), vec![placement(())]);
        assert!(block_on(store.accept(accepted)).unwrap()[0].is_ok());
    }
    let listing = block_on(store.listing(inbox)).unwrap();
    for row in listing.rows().skip(1) {
        let expected = [vec![b'x'; 20 * 1024], vec![b'y'; 3]].concat();
        assert!(whole_message(&store, row.message).unwrap() == expected, "in memory or in a file, it is the same");
    }
    assert_eq!(listing.len(), 9);
}

#[test]
fn a_large_body_whose_batch_is_lost_leaves_no_file() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 3)[0].account;
    let store = open_with(&disk, options()).unwrap();
    let inbox = id_of(&store, account, "INBOX").unwrap();
    let tag = (0..).find(|tag| letter(*tag).len() > 8 * 1024).unwrap();
    let files = || disk.files(&bodies_dir(Path::new(DIR))).len();
    let mut lost = 0;
    for operation in 0..12 {
        let before = files();
        disk.fail_sync_in(operation);
        match accept(&store, tag, &[inbox], None) {
            Ok(_) => assert_eq!(files(), before + 1),
            Err(Error::Unknown(_)) => {}
            Err(_) => {
                lost += 1;
                assert_eq!(files(), before, "failing sync {operation}");
            }
        }
    }
    assert!(lost > 0);
}

#[test]
fn a_mailbox_holds_so_many_messages_and_says_so() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 3)[0].account;
    let mut few = options();
    few.max_messages = 5;
    let store = open_with(&disk, few).unwrap();
    let inbox = id_of(&store, account, "INBOX").unwrap();
    for tag in 0..3 {
        accept(&store, tag, &[inbox], None).unwrap();
    }
    let copy = |uids: UidSet| block_on(store.apply(inbox, uids, Change::Copy { to: inbox }, None));
    let all = || block_on(store.listing(inbox)).unwrap().rows().map(|row| row.uid).collect::<UidSet>();
    assert!(matches!(copy(all()), Err(Error::Limit(_))), "three more would be six");
    copy(one(1)).unwrap();
    copy(one(1)).unwrap();
    assert!(matches!(accept(&store, 9, &[inbox], None), Err(Error::Limit(_))));
    block_on(store.apply(inbox, all(), Change::Move { to: inbox }, None)).unwrap();
    block_on(store.apply(inbox, all(), Change::Expunge, None)).unwrap();
    accept(&store, 9, &[inbox], None).unwrap();
}
