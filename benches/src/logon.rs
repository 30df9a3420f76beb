//! Log-ons a second by each mechanism, each over a TLS 1.3 connection of its own, beside Dovecot with the same
//! certificate, hashes and costs.

use std::fmt::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::Lines;
use crate::compare::Scratch;
use crate::gatepost::Gatepost;
use crate::logon_peer::{self, ARGON2ID_USER, SCRAM_USER};
use crate::mechanisms::{self, Failed, Known, Mechanism, Person};
use crate::provider::{AUDIENCE, Provider};
use crate::users::{PASSWORD, user};

const CLIENTS: usize = 8;
const SECONDS: u64 = 5;

/// What is measured, and who does it at Dovecot, which has no NTLM of its own: it asks Samba's winbind.
const MECHANISMS: [(&str, Mechanism, Option<&str>); 6] = [
    ("none: TLS and greeting", Mechanism::None, Some(ARGON2ID_USER)),
    ("PLAIN", Mechanism::Plain, Some(ARGON2ID_USER)),
    ("LOGIN", Mechanism::Login, Some(ARGON2ID_USER)),
    ("SCRAM-SHA-256", Mechanism::ScramSha256, Some(SCRAM_USER)),
    ("NTLM", Mechanism::Ntlm, None),
    ("OAUTHBEARER", Mechanism::OAuthBearer, Some(ARGON2ID_USER)),
];

pub fn run() -> crate::Outcome {
    let mut text =
        "| each side's cache | mechanism | Dovecot /s | Gatepost /s | ratio |\n|---|---|---|---|---|\n".to_owned();
    let provider = Provider::start()?;
    for (name, cached) in [("off", false), ("on", true)] {
        let scratch = Scratch::new("logon")?;
        let lifetime = if cached { "01:00:00" } else { "00:00:00" };
        let data = scratch.0.join("gatepost");
        let settings = [
            format!("Server.LogonCacheLifetime={lifetime}"),
            format!("OpenId.Issuer={}", provider.issuer),
            format!("OpenId.Audience={AUDIENCE}"),
        ];
        let gatepost = Gatepost::start(1, &data, &settings.each_ref().map(String::as_str))?;
        gatepost.manage(&["Set-CASMailbox", &user(0), "-NtlmEnabled", "true"], "")?;
        gatepost.manage(&["Set-Mailbox", &user(0), "-PasswordFile", "-"], &format!("{PASSWORD}\n"))?;
        let peer = logon_peer::start(&scratch.0.join("peer"), &data.join("tls"), &provider, cached)?;
        let trust = trust(&gatepost.ca_file)?;
        for (label, mechanism, peers) in MECHANISMS {
            let rate = |address, user: &str| -> Result<f64, Box<dyn std::error::Error>> {
                rate(address, &trust, mechanism, Person { user, token: &provider.token(user)?, known: None })
            };
            let theirs = peers.map(|user| rate(peer.imap, user)).transpose();
            let theirs = theirs.map_err(|error| format!("Dovecot, {label}: {error}; {}", peer.log()))?;
            let ours = rate(gatepost.imaps, &user(0)).map_err(|error| format!("Gatepost, {label}: {error}"))?;
            let [rate, ratio] = match theirs {
                Some(theirs) => [format!("{theirs:.0}"), format!("{:.1}", ours / theirs)],
                None => ["–", "–"].map(str::to_owned),
            };
            writeln!(text, "| {name} | {label} | {rate} | {ours:.0} | {ratio} |")?;
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
    mechanism: Mechanism,
    mut person: Person<'_>,
) -> Result<f64, Box<dyn std::error::Error>> {
    // Once, to have everything loaded and the salted password known.
    person.known = log_on(address, trust, mechanism, &person).map_err(|error| error.to_string())?;
    let (count, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let begun = Instant::now();
    let failed = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<(), Failed> {
                    while !stop.load(Ordering::Relaxed) {
                        log_on(address, trust, mechanism, &person)?;
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

fn log_on(
    address: SocketAddr,
    trust: &Arc<ClientConfig>,
    mechanism: Mechanism,
    person: &Person<'_>,
) -> Result<Option<Known>, Failed> {
    let connection = ClientConnection::new(Arc::clone(trust), ServerName::try_from("localhost")?)?;
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    mechanisms::log_on(&mut Lines::new(StreamOwned::new(connection, socket)), mechanism, person)
}
