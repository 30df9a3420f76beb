//! From the start of the process to its greeting, beside a store without messages.

use std::time::{Duration, Instant};

use crate::client::{connect, count, imap};
use crate::compare::Scratch;
use crate::figures::{milliseconds, percentile};
use crate::gatepost::Gatepost;
use crate::mailbox::{MESSAGES, fill};
use crate::users::{PASSWORD, user};

const REPEATS: usize = 5;

pub fn run() -> crate::Outcome {
    let scratch = Scratch::new("start")?;
    let mut medians = Vec::new();
    for messages in [0, MESSAGES] {
        let data = scratch.0.join(format!("with-{messages}"));
        let server = Gatepost::start(1, &data, &[])?;
        fill(server.imap, messages)?;
        server.stop()?;
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            let start = Instant::now();
            let server = Gatepost::start(1, &data, &[])?;
            connect(server.imap)?.until("* OK")?;
            times.push(start.elapsed());
            let mut client = imap(connect(server.imap)?, &user(0), PASSWORD)?;
            assert_eq!(count(&mut client)?, messages as u64, "all messages are there");
            server.stop()?;
        }
        medians.push((messages, percentile(&mut times, 50)));
    }
    let base = medians.first().map_or(Duration::ZERO, |(_, time)| *time).as_secs_f64();
    let mut table = String::from("| messages | start to greeting | ratio |\n|---|---|---|\n");
    for (messages, time) in medians {
        table += &format!("| {messages} | {} | {:.2} |\n", milliseconds(time), time.as_secs_f64() / base);
    }
    Ok(table)
}
