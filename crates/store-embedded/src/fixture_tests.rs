//! Whole stores of each format that was ever released: they must open, verify as sound and give their messages, by the
//! index and by the log alone, also when octets of them flipped.
//!
//! `WRITE_FIXTURE=1 cargo test -p store-embedded --lib the_store_is_written` makes the store of the format of now anew:
//! that is for a format that was not released yet. A later one gets a directory of its own, beside the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use pollster::block_on;
use store::{
    Accept, AccountChange, AccountId, Address, Change, DeliveryId, Directory, Entry, FlagChange, Flags, FolderChange,
    FolderId, FolderName, Keyword, Mailboxes, NewAccount, Password, Placement, SealedVerifiers, Settings, Source, Uid,
    UidSet,
};

use crate::compaction::Compaction;
use crate::crash_tests::{id_of, whole_message};
use crate::log::{FrameHeader, SegmentHeader};
use crate::maintenance::Harmed;
use crate::{Embedded, Options, repair};

const RELEASED: [&str; 1] = ["format-1"];
const NOW: i64 = 1_800_000_000;

fn fixture(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format)
}

fn options() -> Options {
    let mut options = Options::new(|| NOW);
    options.segment_size = 4096;
    options.inline_limit = 2048;
    options.reserve = Some(0);
    options.compaction = false;
    options.compaction_worth = 0;
    options.index_interval = Duration::from_secs(3600);
    options
}

fn text(tag: u32) -> Vec<u8> {
    let length = if tag == 7 { 3000 } else { 300 };
    let mut text = format!("Subject: {tag}\r\nContent-Type: text/plain\r\n\r\n").into_bytes();
    text.extend((0..length).map(|at| b'a' + ((at * 7 + tag) % 26) as u8));
    text
}

fn deliver(store: &Embedded, folder: FolderId, tag: u32, keywords: &[&str]) -> Uid {
    block_on(async {
        let mut writer = store.stage(None).await.unwrap();
        writer.write(&text(tag)).await.unwrap();
        let placement = Placement {
            folder,
            prefix: Bytes::from(format!("X-Tag: {tag}\r\n")),
            flags: Flags::NONE,
            keywords: keywords.iter().map(|word| Keyword::new(word).unwrap()).collect(),
            internal_date: NOW - i64::from(tag),
            delivery: Some(DeliveryId(tag.into())),
        };
        let accept = Accept::each(writer.finish().await.unwrap(), vec![placement]);
        store.accept(accept).await.unwrap().remove(0).unwrap().uid
    })
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn one(uid: u32) -> UidSet {
    Uid::new(uid).into_iter().collect()
}

/// All that is in a store's format, in one store.
fn write(dir: &Path) {
    let store = Embedded::open(dir, options()).unwrap();
    block_on(store.add_domain("example.test")).unwrap();
    let make = |name: &str, quota| {
        let password = Some(Password::hashed("$argon2id$a"));
        let new = NewAccount {
            address: address(name),
            aliases: Vec::new(),
            source: Source::Local,
            password,
            quota,
            created: NOW,
        };
        block_on(store.create(new)).unwrap()
    };
    let (ann, gone) = (make("ann@example.test", Some(1 << 20)), make("gone@example.test", None));
    let aliases = Some(vec![address("a@example.test")]);
    block_on(Directory::change(&store, ann, AccountChange { aliases, ..AccountChange::default() })).unwrap();
    block_on(Settings::change(&store, vec![("A".into(), Some(1.into())), ("B".into(), Some(2.into()))])).unwrap();
    let change = |change| block_on(store.change_folders(ann, change)).unwrap();
    let name = |name: &str| FolderName::new(name).unwrap();
    change(FolderChange::Create { name: name("work"), special_use: None });
    change(FolderChange::Create { name: name("old"), special_use: None });
    let (inbox, work) = (id_of(&store, ann, "INBOX").unwrap(), id_of(&store, ann, "work").unwrap());
    for tag in 1..=40 {
        deliver(&store, inbox, tag, if tag % 2 == 0 { &["$Even", "Twice"] } else { &[] });
    }
    deliver(&store, id_of(&store, gone, "INBOX").unwrap(), 90, &[]);
    let flags = Change::Flags { how: FlagChange::Add, flags: Flags::SEEN, keywords: Vec::new() };
    block_on(store.apply(inbox, (1..=4).filter_map(Uid::new).collect(), flags, None)).unwrap();
    block_on(store.apply(inbox, (5..=8).filter_map(Uid::new).collect(), Change::Copy { to: work }, None)).unwrap();
    block_on(store.apply(inbox, (9..=30).filter_map(Uid::new).collect(), Change::Expunge, None)).unwrap();
    store.purge_expunged().unwrap();
    block_on(store.remove(gone)).unwrap();
    change(FolderChange::Delete { name: name("old") });
    store.engine.wait_for_index();
    while Compaction::default().round(&store.engine).unwrap() {}
    store.close().unwrap();
    // What follows is in the log and not in the index.
    let store = Embedded::open(dir, options()).unwrap();
    deliver(&store, inbox, 41, &["$Even", "Last"]);
    block_on(store.apply(inbox, one(2), Change::Move { to: work }, None)).unwrap();
    block_on(store.apply(inbox, one(40), Change::Expunge, None)).unwrap();
    let (from, to) = (name("work"), name("done/2027"));
    block_on(store.change_folders(ann, FolderChange::Rename { from, to })).unwrap();
    block_on(Settings::change(&store, vec![("A".into(), None)])).unwrap();
    let (password, source) = (Some(Some(second_password())), Some(elsewhere()));
    let change = AccountChange { password, source, ..AccountChange::default() };
    block_on(Directory::change(&store, ann, change)).unwrap();
}

/// With all that may be kept of one.
fn second_password() -> Password {
    Password { verifiers: Some(SealedVerifiers(Box::from(*b"\0sealed\xff"))), ..Password::hashed("$argon2id$b") }
}

/// With all that may be kept of one.
fn elsewhere() -> Source {
    let (name, id) = ("uid=ann,dc=example".to_owned(), "7".to_owned());
    Source::Directory(Entry { name, id, seen: Some(NOW), verified: Some(NOW) })
}

type Rows = BTreeMap<u32, (u32, u8, Vec<String>)>;

/// UIDs, and of each message its tag, flags and keywords; its octets are compared.
fn rows(store: &Embedded, account: AccountId, folder: &str) -> Rows {
    let listing = block_on(store.listing(id_of(store, account, folder).unwrap())).unwrap();
    let row = |row: &store::Row| {
        let whole = String::from_utf8(whole_message(store, row.message).unwrap()).unwrap();
        let (tag, rest) = whole.strip_prefix("X-Tag: ").unwrap().split_once("\r\n").unwrap();
        let tag: u32 = tag.parse().unwrap();
        assert_eq!(rest.as_bytes(), text(tag));
        assert_eq!(row.internal_date, NOW - i64::from(tag));
        let keywords = listing.keywords(row.keywords).map(|word| word.as_str().to_owned()).collect();
        (row.uid.get(), (tag, row.flags.bits(), keywords))
    };
    listing.rows().map(row).collect()
}

fn expected() -> [Rows; 2] {
    let row = |tag: u32, flags: Flags| {
        let words: &[&str] = match tag {
            41 => &["$Even", "Last"],
            even if even % 2 == 0 => &["$Even", "Twice"],
            _ => &[],
        };
        (tag, flags.bits(), words.iter().map(|word| (*word).to_owned()).collect())
    };
    let seen = |tag| if tag <= 4 { Flags::SEEN } else { Flags::NONE };
    let inbox = [1, 3, 4, 5, 6, 7, 8].into_iter().chain(31..=39).chain([41]);
    let work = [(1, 5), (2, 6), (3, 7), (4, 8), (5, 2)];
    [inbox.map(|tag| (tag, row(tag, seen(tag)))).collect(), work.map(|(uid, tag)| (uid, row(tag, seen(tag)))).into()]
}

fn check(store: &Embedded, expected: &[Rows; 2]) {
    let ann = block_on(store.find(&address("a@example.test"))).unwrap().unwrap();
    assert_eq!(ann.address, address("ann@example.test"));
    assert_eq!(ann.password, Some(second_password()));
    assert_eq!(ann.source, elsewhere());
    assert_eq!(ann.quota, Some(1 << 20));
    assert!(block_on(store.find(&address("gone@example.test"))).unwrap().is_none());
    assert!(id_of(store, ann.id, "old").is_err() && id_of(store, ann.id, "work").is_err());
    let settings = block_on(Settings::snapshot(store)).unwrap();
    assert_eq!((settings.get("A"), settings.get("B")), (None, Some(&2.into())));
    assert_eq!([rows(store, ann.id, "INBOX"), rows(store, ann.id, "done/2027")], *expected);
}

fn assert_sound(store: &Embedded) {
    let verified = store.verify().unwrap();
    assert!(verified.is_sound(), "{:#?}", verified.named);
}

/// A copy to work on.
fn copy(format: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_store(&fixture(format), copy.path());
    copy
}

fn copy_store(from: &Path, to: &Path) {
    for within in ["", "segments", "bodies"] {
        fs::create_dir_all(to.join(within)).unwrap();
        for entry in fs::read_dir(from.join(within)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(within).join(entry.file_name())).unwrap();
            }
        }
    }
}

fn flip(path: &Path, at: usize) {
    let mut octets = fs::read(path).unwrap();
    octets[at] ^= 1;
    fs::write(path, octets).unwrap();
}

#[test]
fn the_store_is_written() {
    let written = tempfile::tempdir().unwrap();
    write(written.path());
    if std::env::var_os("WRITE_FIXTURE").is_some() {
        let to = fixture(RELEASED[RELEASED.len() - 1]);
        let _ = fs::remove_dir_all(&to);
        copy_store(written.path(), &to);
    }
    check(&Embedded::open(written.path(), options()).unwrap(), &expected());
}

#[test]
fn a_store_of_every_released_format_opens_and_is_sound() {
    for format in RELEASED {
        let copy = copy(format);
        let store = Embedded::open(copy.path(), options()).unwrap();
        assert!(store.opened().replayed > 0, "{format}: the log has more than the index");
        check(&store, &expected());
        assert_sound(&store);
        let ann = block_on(store.find(&address("ann@example.test"))).unwrap().unwrap().id;
        let inbox = id_of(&store, ann, "INBOX").unwrap();
        assert_eq!(deliver(&store, inbox, 41, &[]).get(), 41, "{format}: the delivery id is remembered");
        assert_eq!(deliver(&store, inbox, 42, &[]).get(), 42, "{format}: it takes mail");
    }
}

#[test]
fn a_store_of_every_released_format_comes_back_from_its_log_alone() {
    for format in RELEASED {
        let copy = copy(format);
        fs::remove_file(copy.path().join("index.redb")).unwrap();
        let repaired = repair(copy.path(), options()).unwrap();
        assert_eq!((repaired.lost, repaired.unreadable, &*repaired.damaged), (0, 0, &[][..]), "{format}");
        let store = Embedded::open(copy.path(), options()).unwrap();
        check(&store, &expected());
        assert_sound(&store);
    }
}

#[test]
fn a_damaged_store_of_every_released_format_loses_one_message_for_one_flipped_bit() {
    for format in RELEASED {
        let copy = copy(format);
        flip(&copy.path().join("index.redb"), 100);
        // The first body of the first segment there is: compaction made it.
        let mut segments: Vec<_> =
            fs::read_dir(copy.path().join("segments")).unwrap().map(|entry| entry.unwrap().path()).collect();
        segments.sort();
        let copied = |path: &&PathBuf| {
            SegmentHeader::decode(&fs::read(path).unwrap()).is_some_and(|header| header.generation > 0)
        };
        let first = segments.iter().find(copied).unwrap();
        flip(first, SegmentHeader::LENGTH + FrameHeader::LENGTH + 100);
        let repaired = repair(copy.path(), options()).unwrap();
        assert_eq!((repaired.lost, repaired.damaged.len()), (0, 0), "{format}: {repaired:?}");
        let mut expected = expected();
        assert!(!repaired.named.is_empty() && repaired.named.len() as u64 == repaired.unreadable, "{format}");
        for Harmed { mailbox, folder, uid } in &repaired.named {
            assert_eq!(mailbox, "ann@example.test");
            let at = usize::from(folder != "INBOX");
            assert!(expected[at].remove(uid).is_some(), "{format}: {folder}, UID {uid}");
        }
        let lost: usize = expected.iter().map(BTreeMap::len).sum();
        assert!(lost + 2 >= 22, "{format}: one body, listed twice at most");
        check(&Embedded::open(copy.path(), options()).unwrap(), &expected);
    }
}
