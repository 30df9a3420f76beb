//! Starting does not depend on how much mail there is.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pollster::block_on;
use store::{Accept, Address, Change, Directory, Flags, FolderName, Mailboxes, NewAccount, Placement, Source, UidSet};
use store_embedded::{Embedded, Options};

fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, Options::new(|| 1_800_000_000)).unwrap()
}

/// The least of several, since the machine has other things to do.
fn start(dir: &Path) -> Duration {
    let once = || {
        let begun = Instant::now();
        let store = open(dir);
        let time = begun.elapsed();
        store.close().unwrap();
        time
    };
    (0..7).map(|_| once()).min().unwrap()
}

/// A folder of 102,400 messages, made by copying: each copy has a row, a UID and a reference of its own.
fn fill(store: &Embedded) {
    block_on(async {
        store.add_domain("example.test").await.unwrap();
        let address = Address::parse("ann@example.test").unwrap();
        let new =
            NewAccount { address, aliases: Vec::new(), source: Source::Local, password: None, quota: None, created: 0 };
        let account = store.create(new).await.unwrap();
        let folder = store.folders(account).await.unwrap().by_name(&FolderName::inbox()).unwrap().id;
        for number in 0..100 {
            let mut writer = store.stage(None).await.unwrap();
            writer.write(format!("Subject: {number}\r\n\r\n").as_bytes()).await.unwrap();
            let placement = Placement {
                folder,
                prefix: Bytes::new(),
                flags: Flags::NONE,
                keywords: Vec::new(),
                internal_date: 0,
                delivery: None,
            };
            let accept = Accept::each(writer.finish().await.unwrap(), vec![placement]);
            store.accept(accept).await.unwrap();
        }
        for _ in 0..10 {
            store.apply(folder, UidSet::all(), Change::Copy { to: folder }, None).await.unwrap();
        }
        assert_eq!(store.listing(folder).await.unwrap().len(), 102_400);
    });
}

#[test]
#[cfg_attr(debug_assertions, ignore = "in a debug build, redb walks its whole file when it opens it")]
fn a_store_of_100_000_messages_starts_as_fast_as_an_empty_one() {
    let (empty, full) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(empty.path()).close().unwrap();
    let store = open(full.path());
    fill(&store);
    store.close().unwrap();
    let (empty, full) = (start(empty.path()), start(full.path()));
    eprintln!("empty {empty:?}, full {full:?}");
    // Twice is the promise; the clock of a busy machine gets a few milliseconds more.
    assert!(full <= empty * 2 + Duration::from_millis(10), "empty {empty:?}, full {full:?}");
}
