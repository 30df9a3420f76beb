//! Log-ons a second, each over a TLS 1.3 connection of its own, beside Dovecot with the same certificate, hashes and
//! costs; and how a flood of guesses from elsewhere holds one up.

use std::fmt::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::Lines;
use crate::compare::Scratch;
use crate::gatepost::Gatepost;
use crate::logon_peer::{ARGON2ID_USER, Dovecot, SCRAM_USER, salted};
use crate::users::{PASSWORD, user};

const CLIENTS: usize = 8;
const SECONDS: u64 = 5;

type Failed = Box<dyn std::error::Error + Send + Sync>;
type Tls = Lines<StreamOwned<ClientConnection, TcpStream>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// TLS and the greeting alone: what every way has to pay.
    None,
    Plain,
    Scram,
}

pub fn run() -> crate::Outcome {
    let mut text =
        "| each side's cache | mechanism | Dovecot /s | Gatepost /s | ratio |\n|---|---|---|---|---|\n".to_owned();
    for (name, cached) in [("off", false), ("on", true)] {
        let scratch = Scratch::new("logon")?;
        let lifetime = if cached { "01:00:00" } else { "00:00:00" };
        let data = scratch.0.join("gatepost");
        let gatepost = Gatepost::start(1, &data, &[&format!("Server.LogonCacheLifetime={lifetime}")])?;
        let peer = Dovecot::start(&scratch.0.join("peer"), &data.join("tls"), cached)?;
        let trust = trust(&gatepost.ca_file)?;
        for (mechanism, way, peers) in [
            ("none: TLS and greeting", Way::None, ARGON2ID_USER),
            ("PLAIN", Way::Plain, ARGON2ID_USER),
            ("SCRAM-SHA-256", Way::Scram, SCRAM_USER),
        ] {
            let theirs = rate(peer.imaps, &trust, way, peers)
                .map_err(|error| format!("Dovecot, {mechanism}: {error}; {}", peer.log()))?;
            let ours = rate(gatepost.imaps, &trust, way, &user(0))
                .map_err(|error| format!("Gatepost, {mechanism}: {error}"))?;
            writeln!(text, "| {name} | {mechanism} | {theirs:.0} | {ours:.0} | {:.1} |", ours / theirs)?;
        }
    }
    Ok(text)
}

fn trust(authority: &Path) -> Result<Arc<ClientConfig>, Box<dyn std::error::Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let mut config = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Each pays for a handshake of its own.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// Log-ons a second of some clients at once.
fn rate(
    address: SocketAddr,
    trust: &Arc<ClientConfig>,
    way: Way,
    user: &str,
) -> Result<f64, Box<dyn std::error::Error>> {
    // Once, to have everything loaded and the salted password known.
    let known = log_on(address, trust, way, user, None).map_err(|error| error.to_string())?;
    let (count, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let begun = Instant::now();
    let failed = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<(), Failed> {
                    while !stop.load(Ordering::Relaxed) {
                        log_on(address, trust, way, user, known.as_ref())?;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(SECONDS));
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().find_map(|client| match client.join() {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("a client panicked".to_owned()),
        })
    });
    match failed {
        Some(why) => Err(why.into()),
        None => Ok(count.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()),
    }
}

/// The salt and what PBKDF2 made of it: clients keep that, and so it is none of the server's time.
type Known = (String, [u8; 32]);

fn log_on(
    address: SocketAddr,
    trust: &Arc<ClientConfig>,
    way: Way,
    user: &str,
    known: Option<&Known>,
) -> Result<Option<Known>, Failed> {
    let connection = ClientConnection::new(Arc::clone(trust), ServerName::try_from("localhost")?)?;
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    let mut imap: Tls = Lines::new(StreamOwned::new(connection, socket));
    imap.until("* OK")?;
    match way {
        Way::None => Ok(None),
        Way::Plain => {
            let message = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
            imap.ask(&format!("a AUTHENTICATE PLAIN {message}"), "a OK")?;
            Ok(None)
        }
        Way::Scram => scram(&mut imap, user, known).map(Some),
    }
}

/// RFC 5802 §3, without channel binding.
fn scram(imap: &mut Tls, user: &str, known: Option<&Known>) -> Result<Known, Failed> {
    let bare = format!("n={user},r=bench");
    let first = STANDARD.encode(format!("n,,{bare}"));
    imap.send(format!("a AUTHENTICATE SCRAM-SHA-256 {first}\r\n").as_bytes())?;
    let challenge = imap.read()?.strip_prefix("+ ").ok_or("no challenge")?.to_owned();
    let server_first = String::from_utf8(STANDARD.decode(challenge)?)?;
    let part = |name: &str| server_first.split(',').find_map(|part| part.strip_prefix(name)).ok_or("a part is missing");
    let (nonce, salt) = (part("r=")?, part("s=")?);
    let known = match known {
        Some(known) if known.0 == salt => known.clone(),
        _ => (salt.to_owned(), salted(&STANDARD.decode(salt)?, part("i=")?.parse()?)),
    };
    let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let key = sign(&known.1, "Client Key");
    let without_proof = format!("c=biws,r={nonce}");
    let stored = digest::digest(&digest::SHA256, key.as_ref());
    let signature = sign(stored.as_ref(), &format!("{bare},{server_first},{without_proof}"));
    let proof: Vec<u8> = key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
    let last = STANDARD.encode(format!("{without_proof},p={}", STANDARD.encode(proof)));
    imap.send(format!("{last}\r\n").as_bytes())?;
    imap.until("+ ")?;
    imap.send(b"\r\n")?;
    imap.until("a OK")?;
    Ok(known)
}
