//! One folder with 100,000 messages: opening it and listing it.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::client::{self, connect};
use crate::compare::{Scratch, Server};
use crate::figures::{milliseconds, percentile};
use crate::users::{PASSWORD, user};

pub const MESSAGES: usize = 100_000;
const WRITERS: usize = 16;
const OCTETS: usize = 1024;
const REPEATS: usize = 5;

const COMMANDS: [(&str, &str); 3] = [
    ("SELECT", "b SELECT INBOX"),
    ("FETCH FLAGS", "b FETCH 1:* (FLAGS)"),
    ("FETCH ENVELOPE", "b FETCH 1:* (ENVELOPE)"),
];

pub fn run() -> crate::Outcome {
    let scratch = Scratch::new("mailbox")?;
    let mut table = String::from("| command | Postfix + Dovecot | Gatepost | ratio |\n|---|---|---|---|\n");
    let mut medians = Vec::new();
    for name in Server::NAMES {
        let server = Server::start(name, 1, &scratch.0)?;
        fill(server.imap(), MESSAGES)?;
        medians.push(COMMANDS.map(|(_, command)| measure(server.imap(), command)));
    }
    let [peer, ours] = &medians[..] else { return Err("two servers were to be measured".into()) };
    for (((name, _), peer), ours) in COMMANDS.iter().zip(peer).zip(ours) {
        let (peer, ours) = (peer.as_ref().map_err(ToString::to_string)?, ours.as_ref().map_err(ToString::to_string)?);
        let ratio = peer.as_secs_f64() / ours.as_secs_f64();
        table += &format!("| {name} | {} | {} | {ratio:.2} |\n", milliseconds(*peer), milliseconds(*ours));
    }
    Ok(table)
}

/// Appends messages to user 0's INBOX.
pub fn fill(imap: SocketAddr, messages: usize) -> io::Result<()> {
    fill_with(imap, messages, OCTETS)
}

/// Appends messages of a size, from several connections, each with a few commands under way.
pub fn fill_with(imap: SocketAddr, messages: usize, octets: usize) -> io::Result<()> {
    const UNDER_WAY: usize = 64;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            std::thread::spawn(move || -> io::Result<()> {
                let mut imap = client::imap(connect(imap)?, &user(0), PASSWORD)?;
                let mut left = messages / WRITERS + usize::from(writer < messages % WRITERS);
                while left > 0 {
                    let batch = left.min(UNDER_WAY);
                    let mut commands = Vec::new();
                    for number in 0..batch {
                        let message = client::message(left - number, octets);
                        commands.extend_from_slice(format!("f APPEND INBOX {{{}+}}\r\n", message.len()).as_bytes());
                        commands.extend_from_slice(&message);
                        commands.extend_from_slice(b"\r\n");
                    }
                    imap.send(&commands)?;
                    for _ in 0..batch {
                        imap.until("f OK")?;
                    }
                    left -= batch;
                }
                Ok(())
            })
        })
        .collect();
    for writer in writers {
        writer.join().map_err(|_| io::Error::other("a writer panicked"))??;
    }
    Ok(())
}

/// The median time of a command, on a folder that was opened once before.
fn measure(imap: SocketAddr, command: &str) -> io::Result<Duration> {
    let mut imap = client::imap(connect(imap)?, &user(0), PASSWORD)?;
    imap.ask("b SELECT INBOX", "b OK")?;
    let mut times = Vec::new();
    for _ in 0..REPEATS {
        let start = Instant::now();
        imap.ask(command, "b OK")?;
        times.push(start.elapsed());
    }
    Ok(percentile(&mut times, 50))
}
