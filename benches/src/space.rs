//! What is left on disk after most of a mailbox was expunged, while deliveries go on and nobody restarts anything.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::{self, connect, count};
use crate::compare::Scratch;
use crate::gatepost::Gatepost;
use crate::mailbox::fill_with;
use crate::users::{PASSWORD, user};

const MESSAGES: usize = 20_000;
const OCTETS: usize = 50 * 1024;
/// Of ten messages, so many stay.
const KEPT: usize = 2;
const GOAL: f64 = 1.5;
const PATIENCE: Duration = Duration::from_secs(180);

pub fn run() -> crate::Outcome {
    let scratch = Scratch::new("space")?;
    let data = scratch.0.join("data");
    let server = Gatepost::start(2, &data, &["Server.DeletedItemRetention=0"])?;
    fill_with(server.imap, MESSAGES, OCTETS)?;
    let before = on_disk(&data)?;
    let (done, smtp) = (AtomicBool::new(false), server.smtp);
    let (delivered, waited, after) = std::thread::scope(|scope| {
        let deliveries = scope.spawn(|| -> io::Result<usize> {
            let mut smtp = client::smtp(smtp)?;
            let mut delivered = 0;
            while !done.load(Ordering::Relaxed) {
                client::deliver(&mut smtp, &user(1), &client::message(delivered, 4096))?;
                delivered += 1;
                // A steady trickle, not a flood that would be most of the live octets.
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(delivered)
        });
        let measured = expunge_and_wait(&server, &data);
        done.store(true, Ordering::Relaxed);
        let delivered = deliveries.join().map_err(|_| io::Error::other("the sender panicked"))??;
        measured.map(|(waited, after)| (delivered, waited, after))
    })?;
    let live = (MESSAGES / 10 * KEPT * OCTETS + delivered * 4096) as u64;
    let mebibytes = |octets: u64| octets / (1 << 20);
    Ok(format!(
        "| on disk before | live octets after | on disk after | ratio | goal | after | delivered meanwhile |\n\
         |---|---|---|---|---|---|---|\n\
         | {} MiB | {} MiB | {} MiB | {:.2} | {GOAL} | {:.0} s | {delivered} |\n",
        mebibytes(before),
        mebibytes(live),
        mebibytes(after),
        after as f64 / live as f64,
        waited.as_secs_f64(),
    ))
}

/// Expunges, then waits until the disk has followed or patience ends.
fn expunge_and_wait(server: &Gatepost, data: &Path) -> io::Result<(Duration, u64)> {
    let mut imap = client::imap(connect(server.imap)?, &user(0), PASSWORD)?;
    imap.ask("b SELECT INBOX", "b OK")?;
    // Whole tens, so that every stretch of the log keeps a part.
    for ten in (0..MESSAGES).step_by(10).collect::<Vec<_>>().chunks(200) {
        let sets: Vec<String> = ten.iter().map(|first| format!("{}:{}", first + 1 + KEPT, first + 10)).collect();
        imap.ask(&format!("c UID STORE {} +FLAGS.SILENT (\\Deleted)", sets.join(",")), "c OK")?;
    }
    imap.ask("d CLOSE", "d OK")?;
    let left = count(&mut imap)?;
    if left != (MESSAGES / 10 * KEPT) as u64 {
        return Err(io::Error::other(format!("{left} messages are left")));
    }
    let live = (MESSAGES / 10 * KEPT * OCTETS) as f64;
    let start = Instant::now();
    loop {
        let octets = on_disk(data)?;
        if octets as f64 <= live * GOAL || start.elapsed() > PATIENCE {
            return Ok((start.elapsed(), octets));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Octets that the files under a folder take.
fn on_disk(folder: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut octets = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A file may be unlinked while it is looked at.
        let Ok(metadata) = entry.metadata() else { continue };
        octets += if metadata.is_dir() { on_disk(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(octets)
}
