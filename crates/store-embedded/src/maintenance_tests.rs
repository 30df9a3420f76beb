//! Verification, repair, backup and restore, over the work of the crash tests.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pollster::block_on;
use store::{Change, Directory, Error, Mailboxes, UidSet};

use crate::crash_tests::{
    DIR, Random, Worker, accept, compacting, id_of, letter, open, open_with, options, set_up, whole_message,
};
use crate::disk::{Disk, SimulatedDisk};
use crate::files::{bodies_dir, index_file, segments_dir};
use crate::maintenance::{repair_on, restore_on};
use crate::{Embedded, Options};

fn worked(disk: &SimulatedDisk, seed: u64, rounds: u64, options: &dyn Fn() -> Options) -> Vec<Worker> {
    let mut workers = set_up(disk, 2, seed);
    for _ in 0..rounds {
        let store = open_with(disk, options()).unwrap();
        for worker in &mut workers {
            worker.work(&store, 80);
        }
        store.close().unwrap();
    }
    workers
}

fn assert_sound(store: &Embedded) {
    let verified = store.verify().unwrap();
    assert!(verified.is_sound(), "{:#?}", verified.named);
    assert!(verified.messages > 0 && verified.folders > 0 && verified.segments > 0);
}

#[test]
fn a_store_at_work_verifies() {
    for options in [options, compacting] {
        let disk = SimulatedDisk::default();
        let mut workers = worked(&disk, 11, 2, &options);
        let store = open_with(&disk, options()).unwrap();
        assert_sound(&store);
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in &mut workers {
                let (store, ended) = (&store, &ended);
                scope.spawn(move || {
                    while !ended.load(Ordering::Relaxed) {
                        worker.work(store, 10);
                    }
                });
            }
            for _ in 0..5 {
                assert_sound(&store);
            }
            ended.store(true, Ordering::Relaxed);
        });
        for worker in &mut workers {
            worker.check(&store, "after verifying");
        }
        assert_sound(&store);
    }
}

#[test]
fn flipped_octets_are_never_served_as_whole_and_never_panic() {
    for seed in 0..10 {
        let disk = SimulatedDisk::default();
        let workers = worked(&disk, 20 + seed, 2, &options);
        let segments = disk.files(&segments_dir(Path::new(DIR)));
        let mut random = Random(seed);
        for _ in 0..8 {
            let (path, length) = &segments[random.below(segments.len() as u64) as usize];
            disk.damage(path, random.below(*length), 1 << random.below(8));
        }
        let mut without = options();
        without.compaction = false;
        let store = open_with(&disk, without).unwrap();
        let mut refused = HashSet::new();
        for worker in &workers {
            for folder in &block_on(store.folders(worker.account)).unwrap().folders {
                for row in block_on(store.listing(folder.id)).unwrap().rows() {
                    match whole_message(&store, row.message) {
                        Ok(whole) => {
                            let text = String::from_utf8(whole).unwrap();
                            let (tag, body) = text.strip_prefix("X-Tag: ").unwrap().split_once("\r\n").unwrap();
                            assert_eq!(body.as_bytes(), letter(tag.parse().unwrap()));
                        }
                        // A copy is the same message.
                        Err(Error::Corrupt(_)) => drop(refused.insert(row.message)),
                        Err(error) => panic!("seed {seed}: {error}"),
                    }
                }
            }
            let inbox = id_of(&store, worker.account, "INBOX").unwrap();
            accept(&store, 5, &[inbox], None).unwrap();
        }
        let refused = refused.len() as u64;
        assert!(refused <= 8, "one flip harms one message");
        let verified = store.verify().unwrap();
        assert!(verified.faults >= refused, "seed {seed}: {refused} refused, {:?}", verified.named);
    }
}

#[test]
fn the_index_is_made_anew_from_segments_alone() {
    for (seed, options) in [(31, options as fn() -> Options), (32, compacting), (33, compacting)] {
        let disk = SimulatedDisk::default();
        let mut workers = worked(&disk, seed, 4, &options);
        disk.remove(&index_file(Path::new(DIR))).unwrap();
        assert!(matches!(open(&disk), Err(Error::Corrupt(_))), "without an index nothing is guessed");
        let repaired = repair_on(Arc::new(disk.clone()), Path::new(DIR), options()).unwrap();
        assert_eq!((repaired.lost, repaired.damaged.len()), (0, 0), "{repaired:?}");
        let store = open_with(&disk, options()).unwrap();
        for worker in &mut workers {
            for next in worker.next_uids.values_mut() {
                *next += 1 << 20;
            }
            worker.check(&store, "after a repair");
            worker.work(&store, 20);
            worker.check(&store, "after work on a repaired store");
        }
        assert_sound(&store);
        drop(store);
        assert_sound(&open(&disk).unwrap());
    }
}

#[test]
fn a_repair_keeps_what_damage_spared() {
    let disk = SimulatedDisk::default();
    let workers = worked(&disk, 41, 2, &options);
    let segments = disk.files(&segments_dir(Path::new(DIR)));
    let mut random = Random(7);
    for _ in 0..6 {
        let (path, length) = &segments[random.below(segments.len() as u64) as usize];
        disk.damage(path, random.below(*length), 0x55);
    }
    repair_on(Arc::new(disk.clone()), Path::new(DIR), options()).unwrap();
    let store = open(&disk).unwrap();
    for worker in &workers {
        let Ok(inbox) = id_of(&store, worker.account, "INBOX") else { continue };
        for row in block_on(store.listing(inbox)).unwrap().rows() {
            assert!(matches!(whole_message(&store, row.message), Ok(_) | Err(Error::Corrupt(_))));
        }
        accept(&store, 5, &[inbox], None).unwrap();
    }
}

#[test]
fn a_backup_under_load_gives_everything_acknowledged_back() {
    for options in [options as fn() -> Options, compacting] {
        let disk = SimulatedDisk::default();
        let mut workers = worked(&disk, 51, 3, &options);
        let store = open_with(&disk, options()).unwrap();
        let (busy, quiet) = workers.split_at_mut(1);
        let ended = AtomicBool::new(false);
        let target = Path::new("/backup");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    busy[0].work(&store, 10);
                }
            });
            let backup = store.backup(target).unwrap();
            assert!(backup.files > 0 && backup.lsn > 0);
            ended.store(true, Ordering::Relaxed);
        });
        assert!(matches!(store.backup(target), Err(Error::Exists(_))));
        drop(store);
        let place = Path::new("/restored");
        let repaired = restore_on(Arc::new(disk.clone()), target, place, options()).unwrap();
        assert_eq!((repaired.lost, repaired.damaged.len()), (0, 0), "{repaired:?}");
        let restored = Embedded::open_on(Arc::new(disk.clone()), place, options()).unwrap();
        for worker in quiet {
            for next in worker.next_uids.values_mut() {
                *next += 1 << 20;
            }
            worker.check(&restored, "in the restored store");
        }
        assert_sound(&restored);
    }
}

#[test]
fn what_is_no_whole_backup_is_refused() {
    let disk = SimulatedDisk::default();
    disk.create_dir(Path::new("/none")).unwrap();
    let refused = restore_on(Arc::new(disk.clone()), Path::new("/none"), Path::new("/to"), options());
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[test]
fn a_removed_account_frees_its_messages() {
    let disk = SimulatedDisk::default();
    let workers = worked(&disk, 61, 1, &compacting);
    let store = open_with(&disk, compacting()).unwrap();
    block_on(store.remove(workers[0].account)).unwrap();
    let inbox = id_of(&store, workers[1].account, "INBOX").unwrap();
    let all: UidSet = UidSet::all();
    for folder in &block_on(store.folders(workers[1].account)).unwrap().folders {
        block_on(store.apply(folder.id, all.clone(), Change::Expunge, None)).unwrap();
    }
    store.purge_expunged().unwrap();
    accept(&store, 5, &[inbox], None).unwrap();
    assert_eq!(store.verify().unwrap().messages, 1);
    assert!(store.verify().unwrap().is_sound());
}

#[test]
fn a_file_that_a_backup_needs_stays_until_the_backup_is_made() {
    let disk = SimulatedDisk::default();
    let workers = set_up(&disk, 1, 1);
    let store = open_with(&disk, compacting()).unwrap();
    let inbox = id_of(&store, workers[0].account, "INBOX").unwrap();
    accept(&store, 11, &[inbox], None).unwrap();
    let files = || disk.files(&bodies_dir(Path::new(DIR))).len();
    let backup = store.engine.keep_bodies();
    block_on(store.apply(inbox, UidSet::all(), Change::Expunge, None)).unwrap();
    store.purge_expunged().unwrap();
    for _ in 0..2 {
        store.engine.wait_for_index();
        assert_eq!(files(), 1);
    }
    drop(backup);
    store.engine.wait_for_index();
    assert_eq!(files(), 0, "nothing else has to happen for that");
}
