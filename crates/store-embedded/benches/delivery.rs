//! Durable delivery beside bare appends of the same octets in the same batches, on the same disk in one run.
//!
//! `cargo bench -p store-embedded --bench delivery [-- DIRECTORY]`; `SECONDS` sets how long each cell runs, and `CELL`
//! (`64x4096`, or `reclaim`) chooses one.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pollster::block_on;
use store::{
    Accept, Address, Change, DeliveryId, Directory, Flags, FolderId, FolderName, Mailboxes, NewAccount, Placement,
    Source, UidSet,
};
use store_embedded::{Embedded, Options};

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MAILBOXES: u64 = 64;

fn main() {
    let seconds = std::env::var("SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let length = Duration::from_secs_f64(seconds);
    let cell = std::env::var("CELL").ok();
    let dir = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let dir = tempfile::tempdir_in(dir.unwrap_or_else(|| std::env::temp_dir().to_str().unwrap().to_owned())).unwrap();
    println!("Medians of {ROUNDS} interleaved rounds. A point is one durable point: so many messages share a sync.");
    println!("bare: appends of as many octets with each sync, right after the run that they are compared with.");
    println!("compacting: four of five messages of before were expunged, and their segments are compacted meanwhile.");
    println!("expunging: four of five messages are expunged as it goes, and their segments are compacted.");
    println!("writers  octets  beside      messages/point  bare/s  delivered/s  ratio  compacted MiB/s");
    for octets in [4 * 1024, 50 * 1024] {
        for writers in [1, 16, 64] {
            if cell.as_ref().is_some_and(|cell| *cell != format!("{writers}x{octets}")) {
                continue;
            }
            let mut runs = [const { Vec::new() }; 3];
            for _ in 0..ROUNDS {
                for (beside, runs) in Beside::ALL.into_iter().zip(&mut runs) {
                    runs.push(deliver(dir.path(), writers, octets, length, beside));
                }
            }
            for (beside, runs) in Beside::ALL.into_iter().zip(&runs) {
                let of = |value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
                println!(
                    "{writers:>7}  {octets:>6}  {:<10}  {:>14.1}  {:>6.0}  {:>11.0}  {:>5.2}  {:>15.0}",
                    format!("{beside:?}"),
                    of(|run| run.batch),
                    of(|run| run.bare),
                    of(|run| run.rate),
                    of(|run| run.rate / run.bare),
                    of(|run| run.compacted)
                );
            }
        }
    }
    if cell.is_none_or(|cell| cell == "reclaim") {
        reclaim(dir.path());
    }
}

/// The disk is shared with whatever else runs: what is compared takes turns.
const ROUNDS: usize = 3;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Expunges 80 % of a store while mail comes in, and tells how soon its room is back. `RECLAIM` sets the octets.
fn reclaim(dir: &Path) {
    let total: u64 = std::env::var("RECLAIM").ok().and_then(|text| text.parse().ok()).unwrap_or(1 << 30);
    let dir = tempfile::tempdir_in(dir).unwrap();
    let (store, inboxes) = made(dir.path());
    let body = letter(50 * 1024);
    let count = total / body.len() as u64;
    fill(&store, &inboxes, &body, count);
    let before = (live(&store, &inboxes), used(dir.path()));
    let begun = Instant::now();
    thin_out(&store, &inboxes);
    let mut number = u128::from(count);
    loop {
        for folder in &inboxes {
            number += 1;
            block_on(one(&store, *folder, &body, DeliveryId(number)));
        }
        let (live, used) = (live(&store, &inboxes), used(dir.path()));
        let waited = begun.elapsed();
        if used <= live / 2 * 3 || waited > Duration::from_secs(300) {
            let mib = |octets: u64| octets >> 20;
            println!(
                "\n{} MiB live on {} MiB of disk; after expunging 80 %: {} MiB live on {} MiB ({:.2}) within {:.1} s, \
                 {} messages delivered meanwhile",
                mib(before.0),
                mib(before.1),
                mib(live),
                mib(used),
                used as f64 / live as f64,
                waited.as_secs_f64(),
                number - u128::from(count)
            );
            return;
        }
    }
}

fn fill(store: &Embedded, inboxes: &[FolderId], body: &[u8], count: u64) {
    thread::scope(|scope| {
        for writer in 0..MAILBOXES {
            scope.spawn(move || {
                for number in (0..count).filter(|number| number % MAILBOXES == writer) {
                    let id = DeliveryId(u128::MAX - u128::from(number));
                    block_on(one(store, inboxes[writer as usize], body, id));
                }
            });
        }
    });
}

fn live(store: &Embedded, inboxes: &[FolderId]) -> u64 {
    inboxes.iter().map(|folder| block_on(store.listing(*folder)).unwrap().octets()).sum()
}

fn used(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().flatten();
    let octets = |path: &Path| if path.is_dir() { used(path) } else { path.metadata().map_or(0, |meta| meta.len()) };
    entries.map(|entry| octets(&entry.path())).sum()
}

struct Run {
    /// Messages a second.
    rate: f64,
    /// As many octets in as large batches, appended and synced: messages a second.
    bare: f64,
    /// Messages that went in one durable point, on average.
    batch: f64,
    /// Octets (MiB) a second that compaction had read through meanwhile.
    compacted: f64,
}

fn letter(octets: usize) -> Vec<u8> {
    let mut letter = Vec::with_capacity(octets + 80);
    letter.extend_from_slice(b"From: ann@example.test\r\nTo: bob@example.test\r\nSubject: bench\r\n\r\n");
    while letter.len() < octets {
        letter.extend_from_slice(b"The quick brown fox jumps over the lazy dog, again and again and again.\r\n");
    }
    letter.truncate(octets);
    letter
}

fn open(dir: &Path, change: impl FnOnce(&mut Options)) -> Embedded {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let mut options = Options::new(clock);
    options.retention = 0;
    change(&mut options);
    Embedded::open(dir, options).unwrap()
}

/// A new store with its inboxes.
fn made(dir: &Path) -> (Embedded, Vec<FolderId>) {
    let store = open(dir, |_| {});
    block_on(store.add_domain("example.test")).unwrap();
    let inbox = |number: u64| {
        let address = Address::parse(&format!("u{number}@example.test")).unwrap();
        let new =
            NewAccount { address, aliases: Vec::new(), source: Source::Local, password: None, quota: None, created: 0 };
        let account = block_on(store.create(new)).unwrap();
        block_on(store.folders(account)).unwrap().by_name(&FolderName::inbox()).unwrap().id
    };
    let inboxes = (0..MAILBOXES).map(inbox).collect();
    (store, inboxes)
}

/// What goes on while deliveries are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Beside {
    Nothing,
    /// Of segments with messages delivered before, all but every fifth of them expunged.
    Compaction,
    /// As that, and all but every fifth of those delivered now are expunged too.
    Expunging,
}

impl Beside {
    const ALL: [Self; 3] = [Self::Nothing, Self::Compaction, Self::Expunging];
}

/// Each writer waits for its answer before the next message; writers are tasks, as the server's sessions are.
fn deliver(dir: &Path, writers: u64, octets: usize, length: Duration, beside: Beside) -> Run {
    let dir = tempfile::tempdir_in(dir).unwrap();
    let (mut store, inboxes) = made(dir.path());
    let body = letter(octets);
    if beside == Beside::Compaction {
        // A GiB of which 800 MiB are to go: more than is compacted within the time. Closed, so that the index has
        // followed, as it would have long since where mail is expunged day by day.
        store.close().unwrap();
        let idle = open(dir.path(), |options| options.compaction = false);
        fill(&idle, &inboxes, &body, (1 << 30) / octets as u64);
        thin_out(&idle, &inboxes);
        idle.purge_expunged().unwrap();
        idle.close().unwrap();
        store = open(dir.path(), |_| {});
    }
    let (store, inboxes, body) = (Arc::new(store), Arc::new(inboxes), Arc::new(body));
    let compacted = store.compacted_octets();
    let (ended, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let points = store.durable_points();
    let begun = Instant::now();
    let mut tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (store, inboxes, body) = (store.clone(), inboxes.clone(), body.clone());
            let (ended, count) = (ended.clone(), count.clone());
            runtime.spawn(async move {
                let mut number = 0;
                while !ended.load(Ordering::Relaxed) {
                    number += 1;
                    let folder = inboxes[((writer * 31 + number) % MAILBOXES) as usize];
                    let id = DeliveryId(u128::from(writer) << 64 | u128::from(number));
                    one(&store, folder, &body, id).await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    if beside == Beside::Expunging {
        let (store, inboxes, ended) = (store.clone(), inboxes.clone(), ended.clone());
        tasks.push(runtime.spawn_blocking(move || {
            while !ended.load(Ordering::Relaxed) {
                thin_out(&store, &inboxes);
                thread::sleep(Duration::from_millis(200));
            }
        }));
    }
    thread::sleep(length);
    ended.store(true, Ordering::Relaxed);
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    let time = begun.elapsed().as_secs_f64();
    let messages = count.load(Ordering::Relaxed) as f64;
    let batch = messages / (store.durable_points() - points).max(1) as f64;
    let compacted = (store.compacted_octets() - compacted) as f64 / f64::from(1 << 20) / time;
    drop(store);
    Run { rate: messages / time, bare: append(dir.path(), batch, octets, length), batch, compacted }
}

async fn one(store: &Embedded, folder: FolderId, body: &[u8], id: DeliveryId) {
    let mut writer = store.stage(Some(body.len() as u64)).await.unwrap();
    writer.write(body).await.unwrap();
    let body = writer.finish().await.unwrap();
    let placement = Placement {
        folder,
        prefix: Bytes::from_static(b"Received: from bench by bench; Mon, 1 Jan 2026 00:00:00 +0000\r\n"),
        flags: Flags::NONE,
        keywords: Vec::new(),
        internal_date: 0,
        delivery: Some(id),
    };
    let placed = store.accept(Accept::each(body, vec![placement])).await.unwrap();
    assert!(placed.iter().all(Result::is_ok));
}

fn thin_out(store: &Embedded, inboxes: &[FolderId]) {
    for &folder in inboxes {
        let listing = block_on(store.listing(folder)).unwrap();
        let most: UidSet = listing.rows().map(|row| row.uid).filter(|uid| uid.get() % 5 != 0).collect();
        block_on(store.apply(folder, most, Change::Expunge, None)).unwrap();
    }
}

/// One thread, append and fdatasync, batches of the size that the store's had: the limit of the disk.
fn append(dir: &Path, batch: f64, octets: usize, length: Duration) -> f64 {
    let mut file = tempfile::NamedTempFile::new_in(dir).unwrap();
    let batch = batch.max(1.0);
    let octets = vec![b'x'; (octets as f64 * batch) as usize];
    let mut syncs = 0u64;
    let begun = Instant::now();
    let mut written = 0u64;
    while begun.elapsed() < length {
        file.write_all(&octets).unwrap();
        file.as_file().sync_data().unwrap();
        syncs += 1;
        written += octets.len() as u64;
        // As the log does: a file of a bounded size.
        if written > 64 << 20 {
            file = tempfile::NamedTempFile::new_in(dir).unwrap();
            written = 0;
        }
    }
    syncs as f64 * batch / begun.elapsed().as_secs_f64()
}
