//! Gatepost beside Postfix + Dovecot, as ratios in one run: `cargo run --release -p benches -- NAME`.
//!
//! Each benchmark starts private instances on loopback, on ports the kernel gives, with their data under one
//! temporary directory, and ends them. The results that a change was judged by stand in docs/performance.md.

mod client;
mod compare;
mod dovecot;
mod figures;
mod gatepost;
mod guesses;
mod idle;
mod logon;
mod logon_peer;
mod mailbox;
mod mechanisms;
mod memory;
mod ntlm;
mod postfix;
mod provider;
mod space;
mod start;
mod users;
mod visible;

use std::process::ExitCode;

/// What a benchmark answers: lines of a Markdown table.
type Outcome = Result<String, Box<dyn std::error::Error>>;

type Benchmark = (&'static str, &'static str, fn() -> Outcome);

const BENCHMARKS: &[Benchmark] = &[
    ("visible", "SMTP 4 KB accepted and visible, 50 sessions, beside Postfix + Dovecot LMTP", visible::run),
    ("idle", "from 250 to the EXISTS of an idling client, beside Postfix + Dovecot LMTP", idle::run),
    ("logon", "log-ons a second over TLS 1.3 by each mechanism, beside Dovecot", logon::run),
    ("guesses", "a log-on while 50 addresses guess at passwords", guesses::run),
    ("mailbox", "SELECT, FETCH FLAGS and ENVELOPE of 100,000 messages, beside Dovecot mdbox", mailbox::run),
    ("start", "start to greeting with 100,000 messages, beside an empty store", start::run),
    ("space", "disk after 80 % of 1 GB was expunged, while deliveries go on", space::run),
    ("memory", "resident memory of an idle IMAP connection over TLS", memory::run),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let chosen: Vec<_> =
        BENCHMARKS.iter().filter(|(name, ..)| wanted.iter().any(|w| w == name || w == "all")).collect();
    if chosen.is_empty() {
        eprintln!("cargo run --release -p benches -- all, or any of:");
        for (name, meaning, _) in BENCHMARKS {
            eprintln!("  {name:8} {meaning}");
        }
        return ExitCode::from(2);
    }
    for (name, meaning, run) in chosen {
        match run() {
            Ok(table) => figures::print(&format!("### {name}: {meaning}\n\n{table}")),
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
