//! How long after the `250` an idling client is told.

use std::io;
use std::time::{Duration, Instant};

use crate::client::{self, connect};
use crate::compare::{Scratch, Server};
use crate::figures::{milliseconds, percentile};
use crate::users::{PASSWORD, user};

const MESSAGES: usize = 200;

pub fn run() -> crate::Outcome {
    let scratch = Scratch::new("idle")?;
    let mut table = String::from("| server | median | p95 | p95, ratio |\n|---|---|---|---|\n");
    let mut base = None;
    for name in Server::NAMES {
        let server = Server::start(name, 1, &scratch.0)?;
        let mut waits = measure(&server)?;
        let (median, p95) = (percentile(&mut waits, 50), percentile(&mut waits, 95));
        let base = *base.get_or_insert(p95);
        let ratio = p95.as_secs_f64() / base.as_secs_f64();
        table += &format!("| {name} | {} | {} | {ratio:.3} |\n", milliseconds(median), milliseconds(p95));
    }
    Ok(table)
}

fn measure(server: &Server) -> io::Result<Vec<Duration>> {
    let mut imap = client::imap(connect(server.imap())?, &user(0), PASSWORD)?;
    imap.ask("b SELECT INBOX", "b OK")?;
    imap.ask("c IDLE", "+")?;
    let smtp = server.smtp();
    let (told, accepted) = std::sync::mpsc::channel();
    let (ready, go) = std::sync::mpsc::channel::<()>();
    let sender = std::thread::spawn(move || -> io::Result<()> {
        let mut smtp = client::smtp(smtp)?;
        for number in 0..MESSAGES {
            client::deliver(&mut smtp, &user(0), &client::message(number, 4096))?;
            let now = Instant::now();
            if told.send(now).is_err() || go.recv().is_err() {
                break;
            }
        }
        Ok(())
    });
    let mut waits = Vec::with_capacity(MESSAGES);
    for number in 1..=MESSAGES {
        imap.until(&format!("* {number} EXISTS"))?;
        let seen = Instant::now();
        let accepted = accepted.recv().map_err(io::Error::other)?;
        // A client may be told before the sender has read its 250: that is no wait at all.
        waits.push(seen.saturating_duration_since(accepted));
        ready.send(()).map_err(io::Error::other)?;
    }
    sender.join().map_err(|_| io::Error::other("the sender panicked"))??;
    Ok(waits)
}
