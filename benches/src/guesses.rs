//! A user's log-on while others guess, 200 times a second from 50 addresses: at its own name, where all but the first few
//! guesses are made to wait or are turned away, and each at a name of its own, where an address's first twenty are hashed
//! at once.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::client::{self, Lines};
use crate::compare::Scratch;
use crate::figures::{milliseconds, percentile};
use crate::gatepost::Gatepost;
use crate::users::{PASSWORD, user};

const ADDRESSES: u8 = 50;
const GUESSES_A_SECOND: u32 = 200;
/// Before the throttle ends it: after it a guess costs nothing.
const SECONDS: u64 = 12;
/// The user's log-ons each second.
const EVERY: Duration = Duration::from_millis(100);

pub fn run() -> crate::Outcome {
    let scratch = Scratch::new("guesses")?;
    // Nothing is remembered, so that the user's password is hashed each time as theirs are.
    let server = Gatepost::start(1, &scratch.0.join("gatepost"), &["Server.LogonCacheLifetime=00:00:00"])?;
    client::imap(client::connect(server.imap)?, &user(0), PASSWORD)?;
    let mut alone = measure(server.imap, Duration::from_secs(SECONDS))?;
    let (mut among_others, count) = measure_among(server.imap, |number, nth| format!("nobody-{number}-{nth}"))?;
    let (mut at_itself, count_at_itself) = measure_among(server.imap, |_, _| user(0))?;
    let mut text = "| | log-ons | median | p95 | median, ratio |\n|---|---|---|---|---|\n".to_owned();
    let base = percentile(&mut alone, 50);
    for (name, samples) in [
        ("alone".to_owned(), &mut alone),
        (format!("among {count} guesses a second at other names"), &mut among_others),
        (format!("among {count_at_itself} guesses a second at its own"), &mut at_itself),
    ] {
        let (median, high) = (percentile(samples, 50), percentile(samples, 95));
        let ratio = median.as_secs_f64() / base.as_secs_f64();
        text += &format!(
            "| {name} | {} | {} | {} | {ratio:.1} |\n",
            samples.len(),
            milliseconds(median),
            milliseconds(high)
        );
    }
    Ok(text)
}

/// The same while others guess at the names that `name` makes of the address's number and the guess's, and how often
/// they do in a second.
fn measure_among(
    server: SocketAddr,
    name: impl Fn(u8, u64) -> String + Sync,
) -> Result<(Vec<Duration>, u64), Box<dyn std::error::Error>> {
    let (stop, guesses) = (AtomicBool::new(false), AtomicUsize::new(0));
    let measured = std::thread::scope(|scope| {
        for number in 0..ADDRESSES {
            let (stop, guesses, name) = (&stop, &guesses, &name);
            scope.spawn(move || guess(server_address(server, number), |nth| name(number, nth), stop, guesses));
        }
        let measured = measure(server, Duration::from_secs(SECONDS));
        stop.store(true, Ordering::Relaxed);
        measured
    })?;
    Ok((measured, guesses.load(Ordering::Relaxed) as u64 / SECONDS))
}

/// How long each log-on took.
fn measure(address: SocketAddr, whole: Duration) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let (begun, mut samples) = (Instant::now(), Vec::new());
    while begun.elapsed() < whole {
        let connection = client::connect(address)?;
        let start = Instant::now();
        client::imap(connection, &user(0), PASSWORD)?;
        samples.push(start.elapsed());
        std::thread::sleep(EVERY.saturating_sub(start.elapsed()));
    }
    Ok(samples)
}

/// The server's address, and the one that these guesses come from.
fn server_address(server: SocketAddr, number: u8) -> (SocketAddr, SocketAddr) {
    (server, (Ipv4Addr::new(127, 0, 7, number + 1), 0).into())
}

/// One guess after the other at its pace, and none waits for the answer to another.
fn guess(
    (server, from): (SocketAddr, SocketAddr),
    name: impl Fn(u64) -> String,
    stop: &AtomicBool,
    guesses: &AtomicUsize,
) {
    let pace = Duration::from_secs(1) * u32::from(ADDRESSES) / GUESSES_A_SECOND;
    std::thread::scope(|scope| {
        for nth in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let name = name(nth);
            scope.spawn(move || {
                let Ok(socket) = Socket::new(Domain::IPV4, Type::STREAM, None) else { return };
                if socket.bind(&from.into()).and_then(|()| socket.connect(&server.into())).is_err() {
                    return;
                }
                let mut imap = Lines::new(TcpStream::from(socket));
                // Refused or throttled, or cut off at the end: a guess in any case.
                let _ = imap.until("* OK");
                let _ = imap.ask(&format!("a LOGIN {name} wrong-password"), "a OK");
            });
            guesses.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(pace);
        }
    });
}
