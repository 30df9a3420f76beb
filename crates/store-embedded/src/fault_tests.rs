//! Faults that come one on another: a crash while a crash is mended, a flipped bit where it hurts most, a backup of
//! a store that was compacted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use pollster::block_on;
use store::{Accept, AccountId, Change, Directory, Error, Flags, FolderId, Mailboxes, Placement, Result, UidSet};

use crate::Embedded;
use crate::compaction::Compaction;
use crate::crash_tests::{DIR, accept, by_hand, id_of, letter, one, open, open_with, options, set_up, whole_message};
use crate::disk::{Crash, SimulatedDisk};
use crate::files::{segment_file, segments_dir};
use crate::log::{FrameHeader, Lsn, Payload, Record, encode_record};
use crate::maintenance::{repair_on, restore_on};
use crate::state::{Key, Table};

fn inbox_of(store: &Embedded, account: AccountId) -> FolderId {
    id_of(store, account, "INBOX").unwrap()
}

/// The messages of a folder, each read whole.
fn messages(store: &Embedded, folder: FolderId) -> Vec<(u32, Result<Vec<u8>>)> {
    let listing = block_on(store.listing(folder)).unwrap();
    listing.rows().map(|row| (row.uid.get(), whole_message(store, row.message))).collect()
}

fn assert_whole(store: &Embedded, folder: FolderId, tags: &[u64]) {
    let found: Vec<Vec<u8>> = messages(store, folder).into_iter().map(|(_, whole)| whole.unwrap()).collect();
    let tagged = |tag: &u64| [format!("X-Tag: {tag}\r\n").as_bytes(), &letter(*tag)].concat();
    assert!(found == tags.iter().map(tagged).collect::<Vec<_>>(), "{} messages for {tags:?}", found.len());
}

#[test]
fn an_acknowledged_last_frame_survives_a_crash_of_the_start_that_takes_it_over() {
    for what in [Crash::RandomBlocks, Crash::TornSectors] {
        for operation in 0..24 {
            for seed in 1..=12 {
                let disk = SimulatedDisk::default();
                let account = set_up(&disk, 1, seed)[0].account;
                let store = open(&disk).unwrap();
                accept(&store, 10, &[inbox_of(&store, account)], None).unwrap();
                disk.crash(Crash::Nothing, seed);
                drop(store);
                disk.restart();
                disk.crash_in(operation, what, seed * 77 + operation);
                drop(open(&disk));
                if !disk.has_crashed() {
                    disk.crash(what, seed);
                }
                disk.restart();
                let store = open(&disk).unwrap();
                let found = messages(&store, inbox_of(&store, account)).len();
                assert_eq!(found, 1, "{what:?}, operation {operation}, seed {seed}");
            }
        }
    }
}

#[test]
fn what_is_written_after_a_failed_write_and_a_clean_close_counts() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    accept(&store, 2, &[inbox], None).unwrap();
    disk.fail_sync_in(0);
    // The index may take the failing sync; one of them meets the log.
    while accept(&store, 3, &[inbox], None).is_ok() {
        disk.fail_sync_in(0);
    }
    let before = messages(&store, inbox).len();
    store.close().unwrap();
    let store = open_with(&disk, by_hand()).unwrap();
    accept(&store, 4, &[inbox], None).unwrap();
    accept(&store, 5, &[inbox], None).unwrap();
    disk.crash(Crash::Nothing, 1);
    drop(store);
    disk.restart();
    let store = open_with(&disk, by_hand()).unwrap();
    assert_eq!(messages(&store, inbox).len(), before + 2);
    store.close().unwrap();
    repair_on(Arc::new(disk.clone()), Path::new(DIR), options()).unwrap();
    assert_eq!(messages(&open_with(&disk, by_hand()).unwrap(), inbox).len(), before + 2, "also from the log alone");
}

/// A store whose first segments were copied together; the tags that live.
fn compacted(disk: &SimulatedDisk) -> (Embedded, FolderId, Vec<u64>) {
    let account = set_up(disk, 1, 1)[0].account;
    let store = open_with(disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    let tags: Vec<u64> = (0..400).map(|n| n * 11 + 9).collect();
    for tag in &tags {
        accept(&store, *tag, &[inbox], None).unwrap();
    }
    let gone: UidSet =
        block_on(store.listing(inbox)).unwrap().rows().map(|row| row.uid).filter(|uid| uid.get() % 4 != 0).collect();
    block_on(store.apply(inbox, gone, Change::Expunge, None)).unwrap();
    store.purge_expunged().unwrap();
    store.engine.wait_for_index();
    let live = tags.into_iter().enumerate().filter(|(at, _)| (at + 1) % 4 == 0).map(|(_, tag)| tag).collect();
    (store, inbox, live)
}

#[test]
fn a_backup_holds_what_compaction_has_just_copied() {
    let disk = SimulatedDisk::default();
    let (store, inbox, live) = compacted(&disk);
    assert!(Compaction::default().round(&store.engine).unwrap());
    store.backup(Path::new("/backup")).unwrap();
    drop(store);
    let to = Path::new("/restored");
    let repaired = restore_on(Arc::new(disk.clone()), Path::new("/backup"), to, by_hand()).unwrap();
    assert_eq!(repaired.lost, 0);
    let restored = Embedded::open_on(Arc::new(disk.clone()), to, by_hand()).unwrap();
    assert_whole(&restored, inbox, &live);
}

#[test]
fn compaction_comes_to_an_end_where_snapshots_and_delivery_ids_fill_whole_segments() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    for tag in 0..900 {
        accept(&store, tag, &[inbox], Some(tag.into())).unwrap();
    }
    let length = |listing: store::Listing| listing.rows().map(|row| row.uid).collect::<Vec<_>>();
    let uids = length(block_on(store.listing(inbox)).unwrap());
    for part in uids.chunks(300) {
        let gone = part.iter().copied().filter(|uid| uid.get() % 3 != 0).collect();
        block_on(store.apply(inbox, gone, Change::Expunge, None)).unwrap();
        store.purge_expunged().unwrap();
        let mut compaction = Compaction::default();
        let rounds = std::iter::from_fn(|| compaction.round(&store.engine).unwrap().then_some(())).take(50).count();
        assert!(rounds < 50, "it goes on for ever");
    }
    assert_eq!(block_on(store.listing(inbox)).unwrap().len(), 300);
    for tag in 0..900 {
        let again = accept(&store, tag, &[inbox], Some(tag.into())).unwrap()[0];
        assert_eq!(again, uids[tag as usize], "its delivery id is remembered");
    }
}

#[test]
fn a_verification_reads_what_compaction_copied() {
    let disk = SimulatedDisk::default();
    let (store, _, _) = compacted(&disk);
    let segments = || disk.files(&segments_dir(Path::new(DIR)));
    let before: Vec<_> = segments().into_iter().map(|(path, _)| path).collect();
    assert!(Compaction::default().round(&store.engine).unwrap());
    assert!(store.verify().unwrap().is_sound());
    let new = segments().into_iter().filter(|(path, _)| !before.contains(path));
    // Its last octets are of records, which no body's checksum is of.
    let (copy, length) = new.max_by_key(|(_, length)| *length).unwrap();
    disk.damage(&copy, length - 20, 1);
    let found = store.verify().unwrap();
    assert!(format!("{found:?}").contains("no record"), "{found:?}");
}

#[test]
fn compaction_keeps_a_segment_whose_header_is_damaged() {
    let disk = SimulatedDisk::default();
    let (store, inbox, live) = compacted(&disk);
    for (path, _) in disk.files(&segments_dir(Path::new(DIR))).iter().take(4) {
        disk.damage(path, 20, 1);
    }
    let mut compaction = Compaction::default();
    while compaction.round(&store.engine).unwrap() {}
    assert_whole(&store, inbox, &live);
}

#[test]
fn a_large_body_outlives_the_purge_of_an_older_one_found_by_a_repair() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    let uid = accept(&store, 11, &[inbox], None).unwrap()[0];
    block_on(store.apply(inbox, one(uid.get()), Change::Expunge, None)).unwrap();
    store.purge_expunged().unwrap();
    store.close().unwrap();
    let store = open_with(&disk, by_hand()).unwrap();
    accept(&store, 22, &[inbox], None).unwrap();
    store.close().unwrap();
    repair_on(Arc::new(disk.clone()), Path::new(DIR), by_hand()).unwrap();
    let store = open_with(&disk, by_hand()).unwrap();
    assert_whole(&store, inbox, &[22]);
    store.purge_expunged().unwrap();
    store.engine.wait_for_index();
    assert_whole(&store, inbox, &[22]);
}

#[test]
fn a_repair_that_was_cut_short_is_not_taken_for_a_whole_store() {
    for operation in (0..400).step_by(7) {
        let disk = SimulatedDisk::default();
        let (store, inbox, live) = compacted(&disk);
        Compaction::default().round(&store.engine).unwrap();
        store.close().unwrap();
        disk.crash_in(operation, Crash::Everything, operation);
        let ended = repair_on(Arc::new(disk.clone()), Path::new(DIR), by_hand());
        disk.restart();
        match open_with(&disk, by_hand()) {
            Ok(store) => assert_whole(&store, inbox, &live),
            Err(Error::Corrupt(_)) => {
                repair_on(Arc::new(disk.clone()), Path::new(DIR), by_hand()).unwrap();
                assert_whole(&open_with(&disk, by_hand()).unwrap(), inbox, &live);
            }
            Err(error) => panic!("operation {operation}: {error}"),
        }
        if ended.is_ok() {
            break;
        }
    }
}

#[test]
fn uids_given_after_a_repair_do_not_come_again_with_a_backup_of_it() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    repair_on(Arc::new(disk.clone()), Path::new(DIR), options()).unwrap();
    let store = open(&disk).unwrap();
    let inbox = inbox_of(&store, account);
    // Before the first message after the repair.
    store.backup(Path::new("/backup")).unwrap();
    let given = accept(&store, 2, &[inbox], None).unwrap()[0];
    drop(store);
    let to = Path::new("/restored");
    restore_on(Arc::new(disk.clone()), Path::new("/backup"), to, options()).unwrap();
    let restored = Embedded::open_on(Arc::new(disk.clone()), to, options()).unwrap();
    let again = accept(&restored, 3, &[inbox], None).unwrap()[0];
    assert!(again > given, "{again:?} after {given:?}");
}

#[test]
fn a_damaged_header_of_a_segment_hides_nothing_in_silence() {
    for which in 1..4 {
        let disk = SimulatedDisk::default();
        let account = set_up(&disk, 1, 1)[0].account;
        let mut options = options();
        options.index_interval = std::time::Duration::from_secs(3600);
        options.index_batch = usize::MAX;
        options.unapplied_limit = 1 << 30;
        options.compaction = false;
        let store = open_with(&disk, options.clone()).unwrap();
        let inbox = inbox_of(&store, account);
        let tags: Vec<u64> = (0..400).map(|n| n * 11 + 9).collect();
        for tag in &tags {
            accept(&store, *tag, &[inbox], None).unwrap();
        }
        disk.crash(Crash::Nothing, 1);
        drop(store);
        disk.restart();
        let segments = disk.files(&segments_dir(Path::new(DIR)));
        assert!(segments.len() > 4);
        disk.damage(&segments[segments.len() - which].0, 20, 1);
        let store = open_with(&disk, options).unwrap();
        assert!(!store.opened().damaged.is_empty());
        assert_whole(&store, inbox, &tags);
    }
}

#[test]
fn a_first_start_that_was_cut_short_is_made_good_by_the_next() {
    for what in [Crash::Nothing, Crash::Everything, Crash::RandomBlocks, Crash::TornSectors] {
        for operation in 0..40 {
            let disk = SimulatedDisk::default();
            disk.crash_in(operation, what, operation + 1);
            drop(open_with(&disk, by_hand()));
            if !disk.has_crashed() {
                disk.crash(what, operation);
            }
            disk.restart();
            let opened = open_with(&disk, by_hand());
            assert!(opened.is_ok(), "{what:?}, operation {operation}: {:?}", opened.err());
        }
    }
}

#[test]
fn a_frame_that_somebody_sent_by_mail_is_never_taken_for_one_of_the_log() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let mut options = by_hand();
    options.index_interval = std::time::Duration::from_secs(3600);
    let store = open_with(&disk, options.clone()).unwrap();
    let inbox = inbox_of(&store, account);
    accept(&store, 2, &[inbox], None).unwrap();
    let at = store.engine.visible().position;
    let mut records = Vec::new();
    let stolen = store::AcceptedDomain { name: "stolen.test".into(), default: true };
    encode_record(&Record::Domains(vec![stolen]), &mut records).unwrap();
    let payload = Payload { bodies: 0, records: records.len() as u32, checksum: crc32c::crc32c(&records) };
    let forged = FrameHeader { lsn: Lsn(1 << 30), segment: at.segment, payload };
    // Everything is known to the sender but the store's own number.
    let mail = [b"Subject: hello\r\n\r\n".as_slice(), &forged.encode(0), &records].concat();
    block_on(async {
        let mut writer = store.stage(None).await.unwrap();
        writer.write(&mail).await.unwrap();
        let placement = Placement {
            folder: inbox,
            prefix: Bytes::new(),
            flags: Flags::NONE,
            keywords: Vec::new(),
            internal_date: 0,
            delivery: None,
        };
        let body = writer.finish().await.unwrap();
        store.accept(Accept::each(body, vec![placement])).await.unwrap();
    });
    accept(&store, 3, &[inbox], None).unwrap();
    accept(&store, 4, &[inbox], None).unwrap();
    disk.crash(Crash::Nothing, 1);
    drop(store);
    disk.restart();
    disk.damage(&segment_file(Path::new(DIR), at.segment), at.offset + 1, 1);
    let store = open_with(&disk, options.clone()).unwrap();
    assert_eq!(block_on(store.domains()).unwrap()[0].name, "example.test");
    assert_whole(&store, inbox, &[2, 3, 4]);
    drop(store);
    repair_on(Arc::new(disk.clone()), Path::new(DIR), options.clone()).unwrap();
    let store = open_with(&disk, options).unwrap();
    assert_eq!(block_on(store.domains()).unwrap()[0].name, "example.test");
    assert_whole(&store, inbox, &[2, 3, 4]);
}

#[test]
fn delivery_ids_are_forgotten_a_part_at_a_time_and_all_of_them() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let now = Arc::new(AtomicI64::new(1_800_000_000));
    let mut options = by_hand();
    let clock = now.clone();
    options.clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let store = open_with(&disk, options).unwrap();
    let inbox = inbox_of(&store, account);
    let given = accept(&store, 2, &[inbox], Some(0)).unwrap();
    for id in 1..5000 {
        accept(&store, 2, &[inbox], Some(id)).unwrap();
    }
    assert_eq!(accept(&store, 2, &[inbox], Some(0)).unwrap(), given);
    let ids = || store.engine.range(&Key::first(Table::Delivery), &Key::last(Table::Delivery), 10_000).unwrap().len();
    assert_eq!(ids(), 5000);
    let before = store.engine.visible().lsn;
    now.fetch_add(30 * 24 * 60 * 60, Ordering::Relaxed);
    store.engine.forget_deliveries().unwrap();
    assert_eq!(ids(), 0);
    assert!(store.engine.visible().lsn.0 >= before.0 + 2, "others get their turn in between");
}

#[test]
fn an_index_that_failed_is_tried_again_before_anybody_is_refused() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let mut options = by_hand();
    options.index_interval = std::time::Duration::from_secs(3600);
    options.unapplied_limit = 0;
    let store = open_with(&disk, options).unwrap();
    let inbox = inbox_of(&store, account);
    accept(&store, 2, &[inbox], None).unwrap();
    store.engine.follow.lock().failing = true;
    accept(&store, 3, &[inbox], None).unwrap();
    assert_whole(&store, inbox, &[2, 3]);
}
