//! Octets of the index flip: what is told is right or it is an error, nothing panics, and a repair mends it.

use std::path::Path;
use std::sync::Arc;

use pollster::block_on;
use store::{Error, Flags, FolderId, Mailboxes};

use crate::Embedded;
use crate::crash_tests::{DIR, Random, accept, by_hand, id_of, open_with, set_up, whole_message};
use crate::disk::{Disk, Open, SimulatedDisk};
use crate::files::index_file;
use crate::maintenance::repair_on;

const MESSAGES: u64 = 100;

fn is_told(error: &Error) -> bool {
    matches!(error, Error::Corrupt(what) if what.contains("gatepost store repair"))
}

/// Whether all is as it was delivered; what is not, must be told as damage.
fn is_whole(store: &Embedded, folder: FolderId, context: &str) -> bool {
    let listing = match block_on(store.listing(folder)) {
        Ok(listing) => listing,
        Err(error) => {
            assert!(is_told(&error), "{context}: {error}");
            return false;
        }
    };
    assert_eq!(u64::from(listing.len()), MESSAGES, "{context}");
    let mut whole = true;
    for (at, row) in listing.rows().enumerate() {
        assert_eq!((row.uid.get() as usize, row.flags), (at + 1, Flags::NONE), "{context}");
        match whole_message(store, row.message) {
            Ok(octets) => assert_eq!(octets.len() as u64, row.size.octets(), "{context}"),
            // A row that cannot be found is as good as gone.
            Err(error) => {
                assert!(is_told(&error) || error == Error::Gone, "{context}: {error}");
                whole = false;
            }
        }
    }
    whole
}

#[test]
fn flipped_octets_of_the_index_are_told_and_never_panic() {
    let (mut refused, mut found) = (0, 0);
    for seed in 0..40u64 {
        let context = format!("seed {seed}");
        let disk = SimulatedDisk::default();
        let workers = set_up(&disk, 1, 1);
        let store = open_with(&disk, by_hand()).unwrap();
        let inbox = id_of(&store, workers[0].account, "INBOX").unwrap();
        for n in 0..MESSAGES {
            accept(&store, n * 11 + 3, &[inbox], None).unwrap();
        }
        store.close().unwrap();
        let index = index_file(Path::new(DIR));
        let length = disk.files(&index)[0].1;
        let mut random = Random(seed);
        for _ in 0..12 {
            disk.damage(&index, random.below(length.min(1 << 20)), 1 << random.below(8));
        }
        match open_with(&disk, by_hand()) {
            Err(error) => {
                assert!(is_told(&error), "{context}: {error}");
                refused += 1;
            }
            Ok(store) => {
                let whole = is_whole(&store, inbox, &context);
                let verified = store.verify().unwrap();
                assert!(whole || !verified.is_sound(), "{context}: verification finds what a reader met");
                found += u64::from(!verified.is_sound());
                match accept(&store, 5, &[inbox], None) {
                    Ok(_) => {}
                    Err(error) => assert!(is_told(&error), "{context}: {error}"),
                }
                store.engine.wait_for_index();
                assert!(!store.engine.is_poisoned(), "{context}");
            }
        }
        repair_on(Arc::new(disk.clone()), Path::new(DIR), by_hand()).unwrap();
        let store = open_with(&disk, by_hand()).unwrap();
        let listing = block_on(store.listing(inbox)).unwrap();
        assert!(u64::from(listing.len()) >= MESSAGES, "{context}");
        assert!(store.verify().unwrap().is_sound(), "{context}");
    }
    assert!(refused > 0 && found > 0, "{refused} refused, {found} found: the flips hit something");
}

#[test]
fn an_index_that_is_cut_off_or_no_index_is_told_as_damage() {
    for keep in [0.0, 0.3, 0.9] {
        let disk = SimulatedDisk::default();
        set_up(&disk, 1, 1);
        let index = disk.open(&index_file(Path::new(DIR)), Open::Existing).unwrap();
        let length = (index.len().unwrap() as f64 * keep) as u64;
        index.set_len(length).unwrap();
        if keep == 0.0 {
            index.write_all_at(&[&[b'x'; 8192]], 0).unwrap();
        }
        let refused = open_with(&disk, by_hand()).err();
        assert!(refused.as_ref().is_some_and(is_told), "{keep}: {refused:?}");
        repair_on(Arc::new(disk.clone()), Path::new(DIR), by_hand()).unwrap();
        assert!(open_with(&disk, by_hand()).is_ok());
    }
}
