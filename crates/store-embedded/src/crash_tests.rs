//! Random work, the power goes at a random moment, and everything acknowledged is there exactly once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use pollster::block_on;
use store::{
    Accept, AccountId, Change, DeliveryId, Directory, Error, FlagChange, Flags, FolderChange, FolderId, FolderName,
    Mailboxes, NewAccount, Placement, Result, Source, Uid, UidSet, Unit,
};

use crate::compaction::Compaction;
use crate::disk::{Crash, SimulatedDisk};
use crate::{Embedded, Options};

pub(crate) const DIR: &str = "/data";

pub(crate) fn options() -> Options {
    static CLOCK: AtomicI64 = AtomicI64::new(1_800_000_000);
    let mut options = Options::new(|| CLOCK.fetch_add(1, Ordering::Relaxed));
    options.segment_size = 48 * 1024;
    options.batch_size = 32 * 1024;
    options.inline_limit = 8 * 1024;
    options.index_batch = 16 * 1024;
    options.index_interval = Duration::from_millis(20);
    options.unapplied_limit = 64 * 1024;
    options.reserve = Some(0);
    options
}

pub(crate) fn open(disk: &SimulatedDisk) -> Result<Embedded> {
    open_with(disk, options())
}

pub(crate) fn open_with(disk: &SimulatedDisk, options: Options) -> Result<Embedded> {
    Embedded::open_on(Arc::new(disk.clone()), Path::new(DIR), options)
}

/// Expunged messages go at once, so that there is always something to compact.
pub(crate) fn compacting() -> Options {
    let mut options = options();
    options.retention = 0;
    options.compaction_worth = 0;
    options.compaction_rest = 0;
    options.index_interval = Duration::from_millis(1);
    options
}

/// As [`compacting`], and only when a test asks for it.
pub(crate) fn by_hand() -> Options {
    let mut options = compacting();
    options.compaction = false;
    options
}

/// A small generator: the same seed asks for the same work.
pub(crate) struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// A message that tells which one it is; long ones go to files.
pub(crate) fn letter(tag: u64) -> Vec<u8> {
    let length = match tag % 11 {
        0 => 20_000,
        1 => 70_000,
        n => 40 * n as usize,
    };
    let mut letter = format!("Subject: {tag}\r\n\r\n").into_bytes();
    letter.extend((0..length).map(|at| b'a' + ((at as u64 * 7 + tag) % 26) as u8));
    letter
}

pub(crate) fn accept(store: &Embedded, tag: u64, folders: &[FolderId], delivery: Option<u128>) -> Result<Vec<Uid>> {
    block_on(async {
        let mut writer = store.stage(None).await?;
        for piece in letter(tag).chunks(5000) {
            writer.write(piece).await?;
        }
        let placements = folders.iter().map(|&folder| Placement {
            folder,
            prefix: Bytes::from(format!("X-Tag: {tag}\r\n")),
            flags: Flags::NONE,
            keywords: Vec::new(),
            internal_date: 0,
            delivery: delivery.map(DeliveryId),
        });
        let accept = Accept::each(writer.finish().await?, placements.collect());
        store.accept(accept).await?.into_iter().map(|placed| placed.map(|placed| placed.uid)).collect()
    })
}

pub(crate) fn whole_message(store: &Embedded, message: store::MessageId) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let at = whole.len() as u64;
        let part = block_on(store.read(message, at..at + Unit::CHUNK))?;
        if part.is_empty() {
            return Ok(whole);
        }
        whole.extend_from_slice(&part);
    }
}

/// What one account should hold: folders by name, messages by UID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    folders: BTreeMap<String, Contents>,
    /// Delivery ids and the UIDs they were answered with.
    deliveries: BTreeMap<u128, u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Contents {
    messages: BTreeMap<u32, (u64, u8)>,
}

#[derive(Clone, Debug)]
enum Step {
    Deliver { tag: u64, delivery: bool },
    Flag { folder: String, uid: u32, flags: u8 },
    Expunge { folder: String, uid: u32 },
    Copy { from: String, to: String, uid: u32, moves: bool },
    Create { name: String },
    Rename { from: String, to: String },
    Delete { name: String },
}

fn choose(random: &mut Random, model: &Model, number: u64) -> Step {
    let names: Vec<&String> = model.folders.keys().collect();
    let folder = names[random.below(names.len() as u64) as usize].clone();
    let other = names[random.below(names.len() as u64) as usize].clone();
    let uids: Vec<u32> = model.folders[&folder].messages.keys().copied().collect();
    let own: Vec<&&String> = names.iter().filter(|name| name.starts_with("own")).collect();
    let uid = (!uids.is_empty()).then(|| uids[random.below(uids.len() as u64) as usize]);
    match (random.below(12), uid) {
        (0, _) => Step::Create { name: format!("own{number}") },
        (1, _) if !own.is_empty() => Step::Rename { from: own[0].to_string(), to: format!("own{number}") },
        (2, _) if own.len() > 2 => Step::Delete { name: own[0].to_string() },
        (3 | 4, Some(uid)) => Step::Flag { folder, uid, flags: random.below(32) as u8 },
        (5 | 6, Some(uid)) => Step::Expunge { folder, uid },
        (7, Some(uid)) if other != folder => Step::Copy { from: folder, to: other, uid, moves: false },
        (8, Some(uid)) if other != folder => Step::Copy { from: folder, to: other, uid, moves: true },
        _ => Step::Deliver { tag: number, delivery: random.below(2) == 0 },
    }
}

pub(crate) fn one(uid: u32) -> UidSet {
    Uid::new(uid).into_iter().collect()
}

pub(crate) fn id_of(store: &Embedded, account: AccountId, name: &str) -> Result<FolderId> {
    let folders = block_on(store.folders(account))?;
    let name = FolderName::new(name)?;
    folders.by_name(&name).map(|folder| folder.id).ok_or(Error::NotFound("the folder"))
}

/// The state after the step, should it have happened although nobody was told. New UIDs are as expected.
fn after(model: &Model, step: &Step, next_uid: u32) -> Model {
    let mut model = model.clone();
    match step {
        Step::Deliver { tag, delivery } => {
            model.folders.get_mut("INBOX").unwrap().messages.insert(next_uid, (*tag, 0));
            if *delivery {
                model.deliveries.insert(u128::from(*tag), next_uid);
            }
        }
        Step::Flag { folder, uid, flags } => {
            model.folders.get_mut(folder).unwrap().messages.get_mut(uid).unwrap().1 = *flags;
        }
        Step::Expunge { folder, uid } => drop(model.folders.get_mut(folder).unwrap().messages.remove(uid)),
        Step::Copy { from, to, uid, moves } => {
            let row = model.folders[from].messages[uid];
            model.folders.get_mut(to).unwrap().messages.insert(next_uid, row);
            if *moves {
                model.folders.get_mut(from).unwrap().messages.remove(uid);
            }
        }
        Step::Create { name } => drop(model.folders.insert(name.clone(), Contents::default())),
        Step::Rename { from, to } => {
            let contents = model.folders.remove(from).unwrap();
            model.folders.insert(to.clone(), contents);
        }
        Step::Delete { name } => drop(model.folders.remove(name)),
    }
    model
}

fn perform(store: &Embedded, account: AccountId, step: &Step) -> Result<()> {
    let change = |folder: &str, uid: u32, change: Change| {
        let id = id_of(store, account, folder)?;
        block_on(store.apply(id, one(uid), change, None)).map(|_| ())
    };
    let tree = |change: FolderChange| block_on(store.change_folders(account, change));
    match step {
        Step::Deliver { tag, delivery } => {
            let inbox = id_of(store, account, "INBOX")?;
            accept(store, *tag, &[inbox], delivery.then_some(u128::from(*tag))).map(|_| ())
        }
        Step::Flag { folder, uid, flags } => {
            let how = FlagChange::Replace;
            change(folder, *uid, Change::Flags { how, flags: Flags::from_bits(*flags), keywords: Vec::new() })
        }
        Step::Expunge { folder, uid } => change(folder, *uid, Change::Expunge),
        Step::Copy { from, to, uid, moves } => {
            let to = id_of(store, account, to)?;
            change(from, *uid, if *moves { Change::Move { to } } else { Change::Copy { to } })
        }
        Step::Create { name } => tree(FolderChange::Create { name: FolderName::new(name)?, special_use: None }),
        Step::Rename { from, to } => {
            tree(FolderChange::Rename { from: FolderName::new(from)?, to: FolderName::new(to)? })
        }
        Step::Delete { name } => tree(FolderChange::Delete { name: FolderName::new(name)? }),
    }
}

/// What the store holds, each message read whole and held against its letter.
fn observe(store: &Embedded, account: AccountId, known: &Model) -> Model {
    let mut model = Model { deliveries: known.deliveries.clone(), ..Model::default() };
    for folder in &block_on(store.folders(account)).unwrap().folders {
        let listing = block_on(store.listing(folder.id)).unwrap();
        let mut contents = Contents::default();
        for row in listing.rows() {
            let whole = whole_message(store, row.message).unwrap();
            assert_eq!(whole.len() as u64, row.size.octets());
            let text = String::from_utf8(whole).unwrap();
            let tag: u64 = text.strip_prefix("X-Tag: ").unwrap().split_once("\r\n").unwrap().0.parse().unwrap();
            assert_eq!(text.into_bytes()[format!("X-Tag: {tag}\r\n").len()..], letter(tag));
            contents.messages.insert(row.uid.get(), (tag, row.flags.bits()));
        }
        model.folders.insert(folder.name.as_str().to_owned(), contents);
    }
    model
}

/// The UIDs that folders would give next.
fn next_uids(store: &Embedded, account: AccountId) -> BTreeMap<u64, u32> {
    let folders = block_on(store.folders(account)).unwrap();
    let next = |folder: &store::Folder| block_on(store.listing(folder.id)).unwrap().uid_next().get();
    folders.folders.iter().map(|folder| (folder.id.0, next(folder))).collect()
}

/// One account's worker: its model, and the step that was under way when the power went.
pub(crate) struct Worker {
    pub account: AccountId,
    random: Random,
    number: u64,
    model: Model,
    under_way: Option<Model>,
    pub next_uids: BTreeMap<u64, u32>,
}

impl Worker {
    pub fn work(&mut self, store: &Embedded, steps: usize) {
        for _ in 0..steps {
            self.number += 1;
            let step = choose(&mut self.random, &self.model, self.number);
            let target = match &step {
                Step::Deliver { .. } => "INBOX".to_owned(),
                Step::Copy { to, .. } => to.clone(),
                _ => "INBOX".to_owned(),
            };
            let Ok(id) = id_of(store, self.account, &target) else { return };
            let Ok(listing) = block_on(store.listing(id)) else { return };
            let next_uid = listing.uid_next().get();
            let after = after(&self.model, &step, next_uid);
            match perform(store, self.account, &step) {
                Ok(()) => {
                    self.model = after;
                    let next = self.next_uids.entry(id.0).or_default();
                    *next = (*next).max(next_uid);
                }
                Err(_) => {
                    self.under_way = Some(after);
                    return;
                }
            }
        }
    }

    pub fn check(&mut self, store: &Embedded, context: &str) {
        let found = observe(store, self.account, &self.model);
        let under_way = self.under_way.take();
        let happened = under_way.filter(|after| after.folders == found.folders);
        if happened.is_none() {
            for (name, expected) in &self.model.folders {
                assert_eq!(found.folders.get(name), Some(expected), "{context}: {name}: what was acknowledged, once");
            }
            assert_eq!(found.folders.len(), self.model.folders.len(), "{context}: no folder but those");
        }
        self.model = happened.unwrap_or_else(|| self.model.clone());
        for (id, next) in next_uids(store, self.account) {
            let known = self.next_uids.get(&id).copied().unwrap_or_default();
            assert!(next >= known, "{context}: UIDNEXT went back from {known} to {next}");
            self.next_uids.insert(id, next);
        }
        // A retry of what was acknowledged is answered with the same message.
        let inbox = id_of(store, self.account, "INBOX").unwrap();
        for (delivery, uid) in self.model.deliveries.iter().rev().take(3) {
            let again = accept(store, *delivery as u64, &[inbox], Some(*delivery)).unwrap();
            assert_eq!(again[0].get(), *uid, "{context}: a retry is not doubled");
        }
    }
}

pub(crate) fn set_up(disk: &SimulatedDisk, accounts: u64, seed: u64) -> Vec<Worker> {
    let store = open(disk).unwrap();
    block_on(store.add_domain("example.test")).unwrap();
    let worker = |number: u64| {
        let address = store::Address::parse(&format!("u{number}@example.test")).unwrap();
        let new =
            NewAccount { address, aliases: Vec::new(), source: Source::Local, password: None, quota: None, created: 0 };
        let account = block_on(store.create(new)).unwrap();
        let model = observe(&store, account, &Model::default());
        let random = Random(seed * 1000 + number);
        let next_uids = BTreeMap::new();
        Worker { account, random, number: number * 1_000_000, model, under_way: None, next_uids }
    };
    (1..=accounts).map(worker).collect()
}

/// Rounds of work, each ended by a crash, on one disk.
fn crash_rounds(what: Crash, seed: u64, rounds: u64) {
    let disk = SimulatedDisk::default();
    let mut workers = set_up(&disk, 3, seed);
    disk.crash(what, seed);
    disk.restart();
    let mut random = Random(seed);
    for round in 0..rounds {
        let context = format!("{what:?}, seed {seed}, round {round}");
        // Now and then the power goes again while the store is being opened.
        let options = || if seed.is_multiple_of(2) { options() } else { compacting() };
        if random.below(4) == 0 {
            disk.crash_in(random.below(30), what, seed ^ round);
            drop(open_with(&disk, options()));
            disk.crash(what, seed ^ round ^ 0xff);
            disk.restart();
        }
        let store = open_with(&disk, options()).unwrap_or_else(|error| panic!("{context}: {error}"));
        for worker in &mut workers {
            worker.check(&store, &context);
        }
        disk.crash_in(5 + random.below(400), what, seed.wrapping_mul(31) + round);
        std::thread::scope(|scope| {
            for worker in &mut workers {
                let store = &store;
                scope.spawn(move || worker.work(store, 60));
            }
        });
        if seed.is_multiple_of(2) {
            disk.crash_in(random.below(100), what, seed.wrapping_mul(37) + round);
            // It fails where the power goes.
            let _ = Compaction::default().round(&store.engine);
        }
        drop(store);
        if !disk.has_crashed() {
            disk.crash(what, round);
        }
        disk.restart();
    }
}

fn rounds() -> u64 {
    std::env::var("CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(12)
}

#[test]
fn nothing_acknowledged_is_lost_when_unsynced_writes_vanish() {
    (1..=3).for_each(|seed| crash_rounds(Crash::Nothing, seed, rounds()));
}

#[test]
fn nothing_acknowledged_is_lost_when_unsynced_writes_survive() {
    (1..=3).for_each(|seed| crash_rounds(Crash::Everything, seed, rounds()));
}

#[test]
fn nothing_acknowledged_is_lost_when_random_blocks_survive() {
    (1..=3).for_each(|seed| crash_rounds(Crash::RandomBlocks, seed, rounds()));
}

#[test]
fn nothing_acknowledged_is_lost_when_sectors_are_torn() {
    (1..=3).for_each(|seed| crash_rounds(Crash::TornSectors, seed, rounds()));
}

#[test]
fn a_clean_close_leaves_nothing_to_replay_and_a_kill_replays_once() {
    let disk = SimulatedDisk::default();
    let mut workers = set_up(&disk, 1, 7);
    let store = open(&disk).unwrap();
    workers[0].work(&store, 40);
    drop(store);
    let store = open(&disk).unwrap();
    workers[0].check(&store, "after a kill");
    workers[0].work(&store, 5);
    store.close().unwrap();
    for _ in 0..3 {
        let store = open(&disk).unwrap();
        assert_eq!(*store.opened(), crate::Opened::default());
        workers[0].check(&store, "after a close");
        store.close().unwrap();
    }
}

#[test]
fn a_failed_sync_is_answered_with_a_temporary_error_and_service_resumes() {
    for seed in 1..=8 {
        let disk = SimulatedDisk::default();
        let mut workers = set_up(&disk, 2, seed);
        let store = open(&disk).unwrap();
        let mut random = Random(seed);
        for round in 0..6 {
            disk.fail_sync_in(random.below(12));
            for worker in &mut workers {
                worker.work(&store, 15);
                // It is known now whether the step happened: nothing may come of it later.
                if let Some(after) = worker.under_way.take() {
                    let found = observe(&store, worker.account, &worker.model);
                    assert!(found.folders == worker.model.folders || found.folders == after.folders);
                    worker.under_way = Some(after);
                }
            }
            disk.fail_syncs(true);
            for worker in &workers {
                let inbox = id_of(&store, worker.account, "INBOX").unwrap();
                let refused = accept(&store, 2, &[inbox], None).unwrap_err();
                assert!(refused.is_temporary(), "{refused}");
            }
            disk.fail_syncs(false);
            for worker in &mut workers {
                worker.check(&store, &format!("seed {seed}, round {round}"));
                worker.work(&store, 5);
                worker.check(&store, &format!("seed {seed}, round {round}, resumed"));
            }
        }
        // What was given up stays given up, whatever of it reached the platter.
        disk.crash(Crash::Everything, seed);
        disk.restart();
        drop(store);
        let store = open(&disk).unwrap();
        for worker in &mut workers {
            worker.check(&store, &format!("seed {seed}, after the crash"));
        }
    }
}

#[test]
fn what_was_expunged_gives_its_room_back_while_mail_comes_in() {
    let disk = SimulatedDisk::default();
    let workers = set_up(&disk, 1, 5);
    let store = open_with(&disk, compacting()).unwrap();
    let inbox = id_of(&store, workers[0].account, "INBOX").unwrap();
    let octets = |store: &Embedded| block_on(store.usage(workers[0].account)).unwrap().octets;
    // Letters 0 to 9 of each eleven lie in segments; the eleventh has a file of its own.
    for tag in 0..4000 {
        accept(&store, tag, &[inbox], None).unwrap();
    }
    let before = octets(&store);
    let most: UidSet =
        block_on(store.listing(inbox)).unwrap().rows().map(|row| row.uid).filter(|uid| uid.get() % 5 != 0).collect();
    block_on(store.apply(inbox, most, Change::Expunge, None)).unwrap();
    let used = || {
        let within = |dir: &str| disk.files(&Path::new(DIR).join(dir)).iter().map(|(_, length)| length).sum::<u64>();
        within("segments") + within("bodies")
    };
    let mut tag = 4000;
    while used() > octets(&store) / 2 * 3 {
        accept(&store, tag, &[inbox], None).unwrap();
        tag += 1;
        assert!(tag < 40_000, "{} octets on disk for {} that are live", used(), octets(&store));
    }
    assert!(octets(&store) < before / 3);
    for row in block_on(store.listing(inbox)).unwrap().rows() {
        assert_eq!(whole_message(&store, row.message).unwrap().len() as u64, row.size.octets());
    }
    drop(store);
    let store = open(&disk).unwrap();
    for row in block_on(store.listing(inbox)).unwrap().rows() {
        assert_eq!(whole_message(&store, row.message).unwrap().len() as u64, row.size.octets());
    }
}

#[test]
fn a_verb_that_fails_half_way_leaves_nothing_behind() {
    let disk = SimulatedDisk::default();
    let mut workers = set_up(&disk, 1, 9);
    let store = open(&disk).unwrap();
    workers[0].work(&store, 20);
    let account = workers[0].account;
    let inbox = id_of(&store, account, "INBOX").unwrap();
    let failed: Result<()> = store.engine.run_blocking(move |pending| {
        pending.change(inbox, &UidSet::all(), Change::Expunge, None)?;
        Err(Error::Unavailable("half way".into()))
    });
    assert_eq!(failed, Err(Error::Unavailable("half way".into())));
    workers[0].check(&store, "after the failure");
    workers[0].work(&store, 10);
    drop(store);
    workers[0].check(&open(&disk).unwrap(), "after the replay");
}

#[test]
fn a_panic_in_the_engine_is_told_to_every_caller() {
    let disk = SimulatedDisk::default();
    let mut workers = set_up(&disk, 1, 10);
    let store = open(&disk).unwrap();
    workers[0].work(&store, 10);
    let told: Result<()> = store.engine.run_blocking(|_| panic!("as a bug would"));
    assert!(matches!(told, Err(Error::Unknown(_))), "it may have happened: {told:?}");
    block_on(store.failed());
    let inbox = id_of(&store, workers[0].account, "INBOX").unwrap();
    assert!(matches!(accept(&store, 5, &[inbox], None), Err(Error::Unavailable(_))));
    drop(store);
    workers[0].check(&open(&disk).unwrap(), "after the restart");
}

#[test]
fn power_that_goes_while_the_last_write_is_copied_loses_nothing() {
    for seed in 0..20 {
        let disk = SimulatedDisk::default();
        let workers = set_up(&disk, 1, seed);
        let store = open(&disk).unwrap();
        let account = workers[0].account;
        let inbox = id_of(&store, account, "INBOX").unwrap();
        // Longer than a sector, so that it can tear.
        let uid = accept(&store, 10, &[inbox, inbox, inbox, inbox], None).unwrap()[3];
        drop(store);
        // It was acknowledged; each start that comes so far copies it, since it cannot know that.
        for operations in 0..70 {
            disk.crash_in(operations, Crash::TornSectors, seed * 100 + operations);
            drop(open(&disk));
            if !disk.has_crashed() {
                disk.crash(Crash::TornSectors, seed);
            }
            disk.restart();
        }
        let store = open(&disk).unwrap();
        let listing = block_on(store.listing(inbox)).unwrap();
        let row = listing.get(uid).unwrap_or_else(|| panic!("seed {seed}: the message is lost"));
        assert_eq!(whole_message(&store, row.message).unwrap().len() as u64, row.size.octets());
    }
}
