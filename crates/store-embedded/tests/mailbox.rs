//! One mailbox comes back from a backup into a store in use.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::path::Path;

use bytes::Bytes;
use pollster::block_on;
use store::{
    Accept, AccountChange, AccountId, Address, Change, Directory, Error, Flags, FolderChange, FolderId, FolderName,
    Keyword, Mailboxes, NewAccount, Password, Placement, Source, Uid, UidSet, Unit,
};
use store_embedded::{Embedded, Options};

fn open(dir: &Path) -> Embedded {
    Embedded::open(dir, Options::new(|| 1_800_000_000)).unwrap()
}

fn folder(store: &Embedded, account: AccountId, name: &str) -> store::Folder {
    let folders = block_on(store.folders(account)).unwrap();
    folders.by_name(&FolderName::new(name).unwrap()).unwrap().clone()
}

fn deliver(store: &Embedded, folder: FolderId, text: &str) -> Uid {
    block_on(async {
        let mut writer = store.stage(None).await.unwrap();
        writer.write(text.as_bytes()).await.unwrap();
        let placement = Placement {
            folder,
            prefix: Bytes::from_static(b"Received: by test\r\n"),
            flags: Flags::FLAGGED,
            keywords: vec![Keyword::new("$Kept").unwrap()],
            internal_date: 7,
            delivery: None,
        };
        let accept = Accept::each(writer.finish().await.unwrap(), vec![placement]);
        store.accept(accept).await.unwrap()[0].clone().unwrap().uid
    })
}

/// UIDs, texts, flags and keywords.
fn contents(store: &Embedded, folder: FolderId) -> Vec<(u32, String, Flags, String)> {
    let listing = block_on(store.listing(folder)).unwrap();
    let row = |row: &store::Row| {
        let text = block_on(store.read(row.message, 0..Unit::CHUNK)).unwrap();
        let keywords: Vec<&str> = listing.keywords(row.keywords).map(Keyword::as_str).collect();
        (row.uid.get(), String::from_utf8(text.to_vec()).unwrap(), row.flags, keywords.join(" "))
    };
    listing.rows().map(row).collect()
}

fn assert_sound(store: &Embedded) {
    let verified = store.verify().unwrap();
    assert!(verified.is_sound(), "{:#?}", verified.named);
}

fn address() -> Address {
    Address::parse("ann@example.test").unwrap()
}

fn account(store: &Embedded, hash: &str) -> AccountId {
    let password = Some(Password::hashed(hash));
    let new = NewAccount {
        address: address(),
        aliases: Vec::new(),
        source: Source::Local,
        password,
        quota: None,
        created: 0,
    };
    block_on(store.create(new)).unwrap()
}

#[test]
fn a_mailbox_comes_back_with_its_uids_and_what_is_there_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("store"));
    block_on(store.add_domain("example.test")).unwrap();
    let ann = account(&store, "$argon2id$first");
    let inbox = folder(&store, ann, "INBOX");
    let name = FolderName::new("Work").unwrap();
    block_on(store.change_folders(ann, FolderChange::Create { name: name.clone(), special_use: None })).unwrap();
    let work = folder(&store, ann, "Work");
    for n in 0..100 {
        deliver(&store, inbox.id, &format!("Subject: {n}\r\n\r\n{n}\r\n"));
        deliver(&store, work.id, &format!("Subject: work {n}\r\n\r\n{}\r\n", "x".repeat(n)));
    }
    let (before_inbox, before_work) = (contents(&store, inbox.id), contents(&store, work.id));
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();

    let half: UidSet = (1..=100).step_by(2).filter_map(Uid::new).collect();
    block_on(store.apply(inbox.id, half, Change::Expunge, None)).unwrap();
    block_on(store.change_folders(ann, FolderChange::Delete { name })).unwrap();
    let new = deliver(&store, inbox.id, "Subject: new\r\n\r\nsince\r\n");

    let restored = block_on(store.restore_mailbox(&backup, &address())).unwrap();
    assert_eq!((restored.made, restored.messages, restored.present, restored.appended), (false, 150, 50, 0));
    let mut expected = before_inbox.clone();
    expected.extend(contents(&store, inbox.id).into_iter().filter(|row| row.0 == new.get()));
    assert_eq!(contents(&store, inbox.id), expected);
    let again = folder(&store, ann, "Work");
    assert_eq!((again.uid_validity, contents(&store, again.id)), (work.uid_validity, before_work.clone()));
    assert!(deliver(&store, again.id, "Subject: later\r\n\r\n").get() > 100 + (1 << 20));
    assert_sound(&store);

    block_on(store.remove(ann)).unwrap();
    let restored = block_on(store.restore_mailbox(&backup, &address())).unwrap();
    assert!(restored.made);
    let found = block_on(store.find(&address())).unwrap().unwrap();
    assert_eq!(found.password, Some(Password::hashed("$argon2id$first")));
    let inbox_again = folder(&store, found.id, "INBOX");
    assert_eq!((inbox_again.uid_validity, contents(&store, inbox_again.id)), (inbox.uid_validity, before_inbox));
    assert_eq!(contents(&store, folder(&store, found.id, "Work").id), before_work);
    assert_sound(&store);
    drop(store);
    let store = open(&dir.path().join("store"));
    assert_eq!(contents(&store, folder(&store, found.id, "Work").id), before_work);
    assert_sound(&store);
}

#[test]
fn a_store_is_open_once_and_backups_know_their_accounts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("store"));
    let second = Embedded::open(&dir.path().join("store"), Options::new(|| 0));
    assert_eq!(second.err(), Some(Error::Busy));
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();
    let missing = block_on(store.restore_mailbox(&backup, &address()));
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
}

#[test]
fn a_mailbox_comes_back_without_the_aliases_that_others_have_and_into_no_other_mailbox() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("store"));
    block_on(store.add_domain("example.test")).unwrap();
    let parse = |text: &str| Address::parse(text).unwrap();
    let make = |name: &str, aliases: &[&str]| {
        let aliases = aliases.iter().map(|alias| parse(alias)).collect();
        let new = NewAccount {
            address: parse(name),
            aliases,
            source: Source::Local,
            password: None,
            quota: None,
            created: 0,
        };
        block_on(store.create(new)).unwrap()
    };
    let ann = make("ann@example.test", &["a@example.test", "sales@example.test"]);
    deliver(&store, folder(&store, ann, "INBOX").id, "Subject: 1\r\n\r\n");
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();
    block_on(store.remove(ann)).unwrap();
    let bob = make("bob@example.test", &["sales@example.test", "ann@example.test"]);
    let refused = block_on(store.restore_mailbox(&backup, &address()));
    assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("bob@example.test")), "{refused:?}");
    assert!(contents(&store, folder(&store, bob, "INBOX").id).is_empty());
    let aliases = Some(vec![parse("sales@example.test")]);
    block_on(Directory::change(&store, bob, AccountChange { aliases, ..AccountChange::default() })).unwrap();
    let restored = block_on(store.restore_mailbox(&backup, &address())).unwrap();
    assert_eq!((restored.made, restored.messages), (true, 1));
    assert_eq!(restored.dropped_aliases, [parse("sales@example.test")]);
    assert_eq!(block_on(store.find(&parse("sales@example.test"))).unwrap().unwrap().id, bob);
    assert_eq!(block_on(store.find(&parse("a@example.test"))).unwrap().unwrap().address, address());
    assert_sound(&store);
}

#[test]
fn a_restored_mailbox_changes_nothing_in_the_backup() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("store"));
    block_on(store.add_domain("example.test")).unwrap();
    let inbox = folder(&store, account(&store, "$argon2id$first"), "INBOX").id;
    deliver(&store, inbox, "Subject: 1\r\n\r\n");
    deliver(&store, inbox, &format!("Subject: 2\r\n\r\n{}", "x".repeat(400_000)));
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();
    let read = || {
        let mut files = Vec::new();
        for within in ["segments", "bodies"] {
            for entry in std::fs::read_dir(backup.join(within)).unwrap() {
                let path = entry.unwrap().path();
                files.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
        files.sort();
        files
    };
    let before = read();
    block_on(store.apply(inbox, UidSet::all(), Change::Expunge, None)).unwrap();
    assert_eq!(block_on(store.restore_mailbox(&backup, &address())).unwrap().messages, 2);
    assert!(read() == before && before.len() >= 2);
    assert_eq!(std::fs::read_dir(dir.path().join("store")).unwrap().count(), 4, "nor is anything left behind");
}

#[test]
fn a_mailbox_whose_domain_is_gone_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("store"));
    block_on(store.add_domain("example.test")).unwrap();
    account(&store, "$argon2id$first");
    let backup = dir.path().join("backup");
    store.backup(&backup).unwrap();
    let other = open(&dir.path().join("other"));
    let refused = block_on(other.restore_mailbox(&backup, &address()));
    assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("no accepted domain")), "{refused:?}");
}
