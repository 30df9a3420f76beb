//! SIGKILL at random moments, again and again, while users deliver, append, flag, move and expunge and the store
//! compacts: everything that was acknowledged is there exactly once, and no UID names another message.
//!
//! `GATEPOST_KILLS` sets how often (200 unless set), `GATEPOST_SEED` repeats a seed that a failure printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;
mod random;
mod wire;
mod worker;

use std::time::Duration;

use harness::{Scratch, Server};
use random::Random;
use worker::{Ports, Worker};

const USERS: usize = 4;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn start(scratch: &Scratch) -> Server {
    let passwords: String = (0..USERS).map(|user| format!("user{user}@example.test password-{user}\n")).collect();
    let file = scratch.file("passwords", &passwords);
    let users: Vec<String> = (1..USERS).map(|user| format!("user{user}@example.test")).collect();
    let mut arguments = vec!["quickstart", "user0@example.test", "--listen", "127.0.0.1:0"];
    for user in &users {
        arguments.extend(["--user", user]);
    }
    arguments.extend(["--password-file", file.to_str().unwrap()]);
    // In clear, for the wire is not what is tested; small segments without retention, so that compaction never rests.
    for setting in ["Imap.LoginType=PlainTextLogin", "Server.DeletedItemRetention=0", "Server.LogSegmentSize=1MB"] {
        arguments.extend(["--set", setting]);
    }
    Server::start(scratch, &arguments)
}

fn ports(server: &Server) -> Ports {
    let port = |name| ([127, 0, 0, 1], server.port(name).expect("the service runs")).into();
    Ports { smtp: port("smtp"), imap: port("imap") }
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kills() {
    let kills = number("GATEPOST_KILLS").unwrap_or(200);
    let seed = number("GATEPOST_SEED").unwrap_or_else(|| std::process::id().into());
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let scratch = Scratch::new();
    let mut workers: Vec<Worker> = (0..USERS)
        .map(|user| {
            Worker::new(format!("user{user}@example.test"), format!("password-{user}"), seed ^ (user as u64 + 1) << 32)
        })
        .collect();

    for kill in 0..=kills {
        let server = start(&scratch);
        let ports = ports(&server);
        for worker in &mut workers {
            worker.audit(ports).unwrap_or_else(|error| panic!("after kill {kill}, seed {seed}: {error}"));
        }
        if kill == kills {
            break;
        }
        let threads: Vec<_> = workers
            .into_iter()
            .map(|mut worker| {
                std::thread::spawn(move || {
                    worker.work(ports);
                    worker
                })
            })
            .collect();
        // A random moment is what is wanted here, not an event.
        std::thread::sleep(Duration::from_millis(20 + random.below(250)));
        server.signal("KILL");
        drop(server);
        workers = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    }
    let acknowledged: u64 = workers.iter().map(|worker| worker.acknowledged).sum();
    println!("{kills} kills, {acknowledged} acknowledged changes");
    assert!(acknowledged > kills, "the users did get something done");
}
