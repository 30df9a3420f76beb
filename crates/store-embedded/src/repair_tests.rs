//! What a repair and a restore must keep, must let go, and must never give again.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pollster::block_on;
use store::{
    AccountId, Address, Change, Directory, FolderChange, FolderId, FolderName, Mailboxes, NewAccount, Password,
    Settings, Source, UidSet,
};

use crate::compaction::Compaction;
use crate::crash_tests::{DIR, accept, by_hand, id_of, open_with, set_up, whole_message};
use crate::disk::{Crash, Disk, Open, SimulatedDisk};
use crate::files::{bodies_dir, index_file, segment_file, segments_dir};
use crate::log::{FrameHeader, Scan, SegmentHeader};
use crate::maintenance::{Harmed, repair_on, restore_on};
use crate::{Embedded, Repaired};

fn inbox_of(store: &Embedded, account: AccountId) -> FolderId {
    id_of(store, account, "INBOX").unwrap()
}

fn repair(disk: &SimulatedDisk) -> Repaired {
    repair_on(Arc::new(disk.clone()), Path::new(DIR), by_hand()).unwrap()
}

fn restore(disk: &SimulatedDisk, to: &str) -> (Repaired, Embedded) {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let repaired = restore_on(disk.clone(), Path::new("/backup"), Path::new(to), by_hand()).unwrap();
    (repaired, Embedded::open_on(disk, Path::new(to), by_hand()).unwrap())
}

/// UIDs and the tags of messages, each read whole.
fn tags(store: &Embedded, folder: FolderId) -> Vec<(u32, u64)> {
    let listing = block_on(store.listing(folder)).unwrap();
    let tag = |message| {
        let text = String::from_utf8(whole_message(store, message).unwrap()).unwrap();
        text.strip_prefix("X-Tag: ").unwrap().split_once("\r\n").unwrap().0.parse().unwrap()
    };
    listing.rows().map(|row| (row.uid.get(), tag(row.message))).collect()
}

/// Fills segments until the next is begun; the UIDs given.
fn fill_segment(store: &Embedded, folder: FolderId) -> UidSet {
    let segment = store.engine.visible().position.segment;
    let mut uids = UidSet::new();
    while store.engine.visible().position.segment == segment {
        uids.insert(accept(store, 10, &[folder], None).unwrap()[0]);
    }
    uids
}

/// The first segment that compaction made.
fn a_copy(disk: &SimulatedDisk) -> std::path::PathBuf {
    let is_copy = |path: &std::path::PathBuf| {
        let file = disk.open(path, Open::Existing).unwrap();
        Scan::header(&*file).unwrap().is_some_and(|header| header.generation > 0)
    };
    disk.files(&segments_dir(Path::new(DIR))).into_iter().map(|(path, _)| path).find(is_copy).unwrap()
}

/// A store of 100 messages in copies.
fn compacted(disk: &SimulatedDisk) -> (Embedded, FolderId) {
    let account = set_up(disk, 1, 1)[0].account;
    let store = open_with(disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    for n in 0..400 {
        accept(&store, n * 11 + 9, &[inbox], None).unwrap();
    }
    let listing = block_on(store.listing(inbox)).unwrap();
    let gone = listing.rows().map(|row| row.uid).filter(|uid| uid.get() % 4 != 0).collect();
    block_on(store.apply(inbox, gone, Change::Expunge, None)).unwrap();
    store.purge_expunged().unwrap();
    store.engine.wait_for_index();
    let mut compaction = Compaction::default();
    while compaction.round(&store.engine).unwrap() {}
    (store, inbox)
}

#[test]
fn one_flipped_bit_in_a_copy_costs_one_message_at_a_repair() {
    let disk = SimulatedDisk::default();
    let (store, inbox) = compacted(&disk);
    store.close().unwrap();
    let body = (SegmentHeader::LENGTH + FrameHeader::LENGTH + 100) as u64;
    disk.damage(&a_copy(&disk), body, 1);
    let repaired = repair(&disk);
    assert_eq!((repaired.lost, repaired.unreadable, repaired.damaged.len()), (0, 1, 0), "{repaired:?}");
    let [Harmed { mailbox, folder, uid: 1.. }] = &*repaired.named else { panic!("{repaired:?}") };
    assert_eq!((mailbox.as_str(), folder.as_str()), ("u1@example.test", "INBOX"));
    let store = open_with(&disk, by_hand()).unwrap();
    assert_eq!(tags(&store, inbox).len(), 99, "each that is listed is whole");
    store.close().unwrap();
    let again = repair(&disk);
    assert_eq!((again.lost, again.unreadable), (0, 0), "a repair says in the log what it took out");
}

#[test]
fn one_flipped_bit_in_the_last_frame_costs_one_message_at_a_repair() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    accept(&store, 9, &[inbox], None).unwrap();
    let at = store.engine.visible().position;
    accept(&store, 10, &[inbox, inbox], None).unwrap();
    store.close().unwrap();
    disk.damage(&segment_file(Path::new(DIR), at.segment), at.offset + FrameHeader::LENGTH as u64 + 3, 1);
    let repaired = repair(&disk);
    assert_eq!((repaired.lost, repaired.unreadable), (0, 2), "one body, listed twice: {repaired:?}");
    let store = open_with(&disk, by_hand()).unwrap();
    assert_eq!(tags(&store, inbox), [(1, 9)]);
}

#[test]
fn a_last_frame_that_was_durable_and_is_no_frame_any_more_is_told_as_damage() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    let at = store.engine.visible().position;
    accept(&store, 9, &[inbox], None).unwrap();
    store.close().unwrap();
    disk.damage(&segment_file(Path::new(DIR), at.segment), at.offset + 3, 1);
    let repaired = repair(&disk);
    assert_eq!(repaired.damaged.len(), 1, "{repaired:?}");
    assert_eq!((repaired.damaged[0].0, repaired.damaged[0].1.start), (at.segment.0, at.offset));
}

#[test]
fn a_broken_end_of_a_copy_is_told_as_damage() {
    let disk = SimulatedDisk::default();
    let (store, _) = compacted(&disk);
    store.close().unwrap();
    let copy = a_copy(&disk);
    let length = disk.open(&copy, Open::Existing).unwrap().len().unwrap();
    disk.damage(&copy, length - 2, 1);
    let repaired = repair(&disk);
    assert_eq!(repaired.damaged.len(), 1, "{repaired:?}");
    assert!(repaired.lost > 0);
}

#[test]
fn an_unsound_copy_that_nothing_switched_to_does_not_hide_a_sound_one() {
    let disk = SimulatedDisk::default();
    let (store, inbox) = compacted(&disk);
    store.close().unwrap();
    // As if its sync had failed, and the power gone.
    let sound = disk.open(&a_copy(&disk), Open::Existing).unwrap();
    let mut octets = vec![0; sound.len().unwrap() as usize];
    sound.read_exact_at(&mut octets, 0).unwrap();
    let (id, epoch) = (crate::log::SegmentId(0xffff), Scan::header(&*sound).unwrap().unwrap().epoch);
    let header = SegmentHeader { id, ..Scan::header(&*sound).unwrap().unwrap() };
    octets[..SegmentHeader::LENGTH].copy_from_slice(&header.encode());
    let frame = SegmentHeader::LENGTH..SegmentHeader::LENGTH + FrameHeader::LENGTH;
    let first = FrameHeader::decode(&octets[frame.clone()], Scan::header(&*sound).unwrap().unwrap().id, epoch);
    octets[frame.clone()].copy_from_slice(&FrameHeader { segment: id, ..first.unwrap() }.encode(epoch));
    octets[frame.end + 100] ^= 1;
    let copy = disk.open(&segment_file(Path::new(DIR), id), Open::Create).unwrap();
    copy.write_all_at(&[&octets], 0).unwrap();
    copy.sync_data().unwrap();
    disk.sync_dir(&segments_dir(Path::new(DIR))).unwrap();
    let repaired = repair(&disk);
    assert_eq!((repaired.lost, repaired.unreadable), (0, 0), "{repaired:?}");
    assert_eq!(tags(&open_with(&disk, by_hand()).unwrap(), inbox).len(), 100);
}

#[test]
fn a_file_of_a_large_body_that_is_missing_loses_the_message_at_a_repair() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    accept(&store, 9, &[inbox], None).unwrap();
    accept(&store, 11, &[inbox], None).unwrap();
    store.backup(Path::new("/backup")).unwrap();
    drop(store);
    for (path, _) in disk.files(&bodies_dir(Path::new("/backup"))) {
        disk.remove(&path).unwrap();
    }
    let (repaired, restored) = restore(&disk, "/restored");
    assert_eq!(repaired.lost, 1);
    assert_eq!(tags(&restored, inbox), [(1, 9)]);
}

#[test]
fn what_was_removed_stays_removed_through_compaction_and_a_restore() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 3)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    let make = |address: &str, aliases: &[&str]| {
        let parse = |address: &str| Address::parse(address).unwrap();
        let aliases = aliases.iter().map(|alias| parse(alias)).collect();
        let password = Some(Password::hashed("x"));
        let new =
            NewAccount { address: parse(address), aliases, source: Source::Local, password, quota: None, created: 0 };
        block_on(store.create(new)).unwrap()
    };
    let made = segment_file(Path::new(DIR), store.engine.visible().position.segment);
    let gone = make("gone@example.test", &["shared@example.test"]);
    accept(&store, 9, &[inbox_of(&store, gone)], None).unwrap();
    let name = FolderName::new("old").unwrap();
    let create = FolderChange::Create { name: name.clone(), special_use: None };
    block_on(store.change_folders(account, create)).unwrap();
    accept(&store, 9, &[id_of(&store, account, "old").unwrap()], None).unwrap();
    block_on(Settings::change(&store, vec![("A".into(), Some("old".into())), ("B".into(), Some("kept".into()))]))
        .unwrap();
    fill_segment(&store, inbox);
    // The next segment has the removals and little else that stays: it is compacted, and the first is not.
    block_on(store.remove(gone)).unwrap();
    let heir = make("heir@example.test", &["shared@example.test"]);
    block_on(store.change_folders(account, FolderChange::Delete { name })).unwrap();
    block_on(Settings::change(&store, vec![("A".into(), None)])).unwrap();
    let dead = fill_segment(&store, inbox);
    block_on(store.apply(inbox, dead, Change::Expunge, None)).unwrap();
    store.purge_expunged().unwrap();
    // Twice: the list of what is gone must outlive its own segment too.
    for _ in 0..2 {
        let dead = fill_segment(&store, inbox);
        block_on(store.apply(inbox, dead, Change::Expunge, None)).unwrap();
        store.purge_expunged().unwrap();
        fill_segment(&store, inbox);
        store.engine.wait_for_index();
        assert!(Compaction::default().round(&store.engine).unwrap());
        assert!(disk.open(&made, Open::Existing).is_ok(), "what says that they were made is there still");
    }
    let check = |store: &Embedded, when: &str| {
        let find = |address: &str| block_on(store.find(&Address::parse(address).unwrap())).unwrap();
        assert!(find("gone@example.test").is_none(), "{when}: a mailbox that is gone has no password");
        assert_eq!(find("shared@example.test").map(|account| account.id), Some(heir), "{when}");
        assert!(id_of(store, account, "old").is_err(), "{when}: the folder is gone");
        let settings = block_on(Settings::snapshot(store)).unwrap();
        assert_eq!((settings.get("A"), settings.get("B")), (None, Some(&"kept".into())), "{when}");
    };
    check(&store, "before");
    store.backup(Path::new("/backup")).unwrap();
    drop(store);
    let (_, restored) = restore(&disk, "/restored");
    check(&restored, "restored");
    let verified = restored.verify().unwrap();
    assert!(verified.is_sound(), "{:?}", verified.named);
    drop(restored);
    repair(&disk);
    check(&open_with(&disk, by_hand()).unwrap(), "repaired");
}

#[test]
fn two_restores_of_one_backup_give_no_uid_twice() {
    let disk = SimulatedDisk::default();
    let account = set_up(&disk, 1, 1)[0].account;
    let store = open_with(&disk, by_hand()).unwrap();
    let inbox = inbox_of(&store, account);
    accept(&store, 3, &[inbox], None).unwrap();
    store.backup(Path::new("/backup")).unwrap();
    drop(store);
    let given = |to: &str| {
        let (_, restored) = restore(&disk, to);
        let name = FolderName::new("new").unwrap();
        block_on(restored.change_folders(account, FolderChange::Create { name, special_use: None })).unwrap();
        let new = id_of(&restored, account, "new").unwrap();
        let uid = accept(&restored, 4, &[inbox], None).unwrap()[0].get();
        (uid, block_on(restored.listing(new)).unwrap().uid_validity().0.get())
    };
    let (first, second) = (given("/first"), given("/second"));
    assert!(first.0 > 1 << 20 && first.1 > 1 << 20, "{first:?}");
    assert!(second.0 > first.0 && second.1 > first.1, "{first:?}, then {second:?}");
}

#[test]
fn copies_keep_their_uids_when_a_source_is_lost_with_damage() {
    for moves in [false, true] {
        let disk = SimulatedDisk::default();
        let account = set_up(&disk, 1, 1)[0].account;
        let store = open_with(&disk, by_hand()).unwrap();
        let inbox = inbox_of(&store, account);
        let name = FolderName::new("to").unwrap();
        block_on(store.change_folders(account, FolderChange::Create { name, special_use: None })).unwrap();
        let to = id_of(&store, account, "to").unwrap();
        let mut third = None;
        for n in 0..5u64 {
            if n == 2 {
                third = Some(store.engine.visible().position);
            }
            accept(&store, n * 11 + 3, &[inbox], None).unwrap();
        }
        let change = if moves { Change::Move { to } } else { Change::Copy { to } };
        block_on(store.apply(inbox, UidSet::all(), change, None)).unwrap();
        let mut expected = tags(&store, to);
        store.close().unwrap();
        let third = third.unwrap();
        disk.damage(&segment_file(Path::new(DIR), third.segment), third.offset + 3, 1);
        repair(&disk);
        expected.remove(2);
        assert_eq!(tags(&open_with(&disk, by_hand()).unwrap(), to), expected, "moves: {moves}");
    }
}

/// A store that passed over damage: a message of `inbox` went with it, and there is a file of a large body.
fn damaged_at_open(disk: &SimulatedDisk) -> (Embedded, [FolderId; 2], u32) {
    let workers = set_up(disk, 2, 1);
    let mut options = by_hand();
    options.index_interval = Duration::from_secs(3600);
    let store = open_with(disk, options.clone()).unwrap();
    let [inbox, other] = [0, 1].map(|at: usize| inbox_of(&store, workers[at].account));
    accept(&store, 3, &[inbox], None).unwrap();
    let at = store.engine.visible().position;
    let given = accept(&store, 11, &[inbox], None).unwrap()[0].get();
    accept(&store, 4, &[other], None).unwrap();
    accept(&store, 5, &[other], None).unwrap();
    disk.crash(Crash::Nothing, 1);
    drop(store);
    disk.restart();
    // The records: the large body is not in the frame.
    disk.damage(&segment_file(Path::new(DIR), at.segment), at.offset + 3, 1);
    let store = open_with(disk, options).unwrap();
    assert_eq!(store.opened().damaged.len(), 1);
    (store, [inbox, other], given)
}

#[test]
fn a_uid_that_went_with_damage_is_not_given_again() {
    let disk = SimulatedDisk::default();
    let (store, [inbox, other], given) = damaged_at_open(&disk);
    let next = accept(&store, 6, &[inbox], None).unwrap()[0].get();
    assert!(next > given + (1 << 19), "{given} was answered, then {next}");
    let next = accept(&store, 6, &[other], None).unwrap()[0].get();
    assert!(next > 1 << 20, "nobody knows whose it was");
    // Once only, and also by the log alone.
    drop(store);
    let store = open_with(&disk, by_hand()).unwrap();
    assert!(store.opened().damaged.is_empty(), "it is passed over once");
    assert!(accept(&store, 6, &[other], None).unwrap()[0].get() < 2 << 20);
    let before = tags(&store, other);
    store.close().unwrap();
    repair(&disk);
    assert_eq!(tags(&open_with(&disk, by_hand()).unwrap(), other), before);
}

#[test]
fn a_file_that_damage_may_have_named_stays_until_a_repair() {
    let disk = SimulatedDisk::default();
    let (mut store, ..) = damaged_at_open(&disk);
    for _ in 0..3 {
        assert_eq!(disk.files(&bodies_dir(Path::new(DIR))).len(), 1);
        store.close().unwrap();
        store = open_with(&disk, by_hand()).unwrap();
    }
    store.close().unwrap();
    repair(&disk);
    drop(open_with(&disk, by_hand()).unwrap());
    assert_eq!(disk.files(&bodies_dir(Path::new(DIR))).len(), 0);
}

/// What a record of a move says depends on both folders, and their snapshots are what is left of what they were.
#[test]
fn what_is_moved_while_segments_are_compacted_comes_back_from_the_log() {
    let mut rounds = 0;
    for _ in 0..15 {
        let disk = SimulatedDisk::default();
        let account = set_up(&disk, 1, 1)[0].account;
        let store = open_with(&disk, by_hand()).unwrap();
        let folders = ["INBOX", "Archive"].map(|name| id_of(&store, account, name).unwrap());
        let [inbox, archive] = folders;
        for n in 0..400 {
            accept(&store, n * 11 + 9, &[inbox], None).unwrap();
        }
        let rows = block_on(store.listing(inbox)).unwrap();
        let gone: UidSet = rows.rows().map(|row| row.uid).filter(|uid| uid.get() % 4 != 0).collect();
        block_on(store.apply(inbox, gone, Change::Expunge, None)).unwrap();
        store.purge_expunged().unwrap();
        store.engine.wait_for_index();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // From when the round has begun.
                let begun = Instant::now();
                while store.compacted_octets() == 0 && begun.elapsed() < Duration::from_secs(5) {
                    std::hint::spin_loop();
                }
                for row in block_on(store.listing(inbox)).unwrap().rows() {
                    let one = [row.uid].into_iter().collect();
                    block_on(store.apply(inbox, one, Change::Move { to: archive }, None)).unwrap();
                }
            });
            rounds += u32::from(Compaction::default().round(&store.engine).unwrap());
        });
        let before = folders.map(|folder| tags(&store, folder));
        store.close().unwrap();
        disk.remove(&index_file(Path::new(DIR))).unwrap();
        repair(&disk);
        assert_eq!(folders.map(|folder| tags(&open_with(&disk, by_hand()).unwrap(), folder)), before);
    }
    assert!(rounds > 10, "{rounds} rounds");
}
