//! Messages that are accepted and that an IMAP client can see, from 50 sessions at once.

use std::io;
use std::time::{Duration, Instant};

use crate::client::{self, connect};
use crate::compare::{Scratch, Server};
use crate::users::{PASSWORD, user};

const SESSIONS: usize = 50;
const MAILBOXES: usize = 10;
const MESSAGES: usize = 40;
const OCTETS: usize = 4096;
/// Each server in turn, so many times: the machine's noise then falls on both.
const ROUNDS: usize = 3;

pub fn run() -> crate::Outcome {
    let mut best: Vec<(f64, f64)> = vec![(0.0, 0.0); Server::NAMES.len()];
    for round in 0..ROUNDS {
        let scratch = Scratch::new(&format!("visible-{round}"))?;
        for (name, best) in Server::NAMES.iter().zip(&mut best) {
            let server = Server::start(name, MAILBOXES, &scratch.0)?;
            let (accepted, visible) = measure(&server)?;
            *best = (best.0.max(accepted), best.1.max(visible));
        }
    }
    let mut table = String::from("| server | accepted /s | visible /s | visible, ratio |\n|---|---|---|---|\n");
    let base = best.first().map_or(1.0, |figures| figures.1);
    for (name, (accepted, visible)) in Server::NAMES.iter().zip(&best) {
        table += &format!("| {name} | {accepted:.0} | {visible:.0} | {:.2} |\n", visible / base);
    }
    Ok(table)
}

/// Messages a second: until the last was accepted, until the last was seen.
fn measure(server: &Server) -> io::Result<(f64, f64)> {
    let mut readers = (0..MAILBOXES)
        .map(|number| client::imap(connect(server.imap())?, &user(number), PASSWORD))
        .collect::<io::Result<Vec<_>>>()?;
    let smtp = server.smtp();
    let start = Instant::now();
    let senders: Vec<_> = (0..SESSIONS).map(|session| std::thread::spawn(move || send(smtp, session))).collect();
    for sender in senders {
        sender.join().map_err(|_| io::Error::other("a sender panicked"))??;
    }
    let accepted = start.elapsed();
    let all = (SESSIONS * MESSAGES) as u64;
    loop {
        let seen = readers.iter_mut().map(client::count).sum::<io::Result<u64>>()?;
        if seen >= all {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let rate = |time: Duration| all as f64 / time.as_secs_f64();
    Ok((rate(accepted), rate(start.elapsed())))
}

fn send(smtp: std::net::SocketAddr, session: usize) -> io::Result<()> {
    let mut smtp = client::smtp(smtp)?;
    for number in 0..MESSAGES {
        client::deliver(&mut smtp, &user(session % MAILBOXES), &client::message(number, OCTETS))?;
    }
    Ok(())
}
