//! What an idle IMAP connection over TLS costs: after SELECT, FETCH and IDLE, a thousand of them.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{self, Lines};
use crate::compare::Scratch;
use crate::gatepost::Gatepost;
use crate::users::{PASSWORD, user};

const CONNECTIONS: usize = 1000;
/// So many messages are there to be fetched, so that buffers grow as they do in use.
const MESSAGES: usize = 200;

type Tls = Lines<StreamOwned<ClientConnection, TcpStream>>;

pub fn run() -> crate::Outcome {
    let scratch = Scratch::new("memory")?;
    let server = Gatepost::start(1, &scratch.0.join("data"), &[])?;
    crate::mailbox::fill(server.imap, MESSAGES)?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&server.ca_file)?)?;
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    // What the first connections cost once (code, caches, allocator) is no connection's cost.
    let mut held = (0..20).map(|_| open(&server, &config)).collect::<Result<Vec<Tls>, _>>()?;
    let before = settled(&server)?;
    for _ in 0..CONNECTIONS {
        held.push(open(&server, &config)?);
    }
    let during = settled(&server)?;
    drop(held);
    let after = settled(&server)?;
    let each = during.saturating_sub(before) as f64 / CONNECTIONS as f64 / 1024.0;
    let [before, during, after] = [before, during, after].map(|octets| octets >> 20);
    Ok(format!(
        "| connections | resident, each | goal | before | during | after |\n|---|---|---|---|---|---|\n\
         | {CONNECTIONS} | {each:.1} KiB | 32 KiB | {before} MiB | {during} MiB | {after} MiB |\n"
    ))
}

/// What is resident once the allocator has given back what it does not need.
fn settled(server: &Gatepost) -> Result<u64, Box<dyn std::error::Error>> {
    std::thread::sleep(Duration::from_secs(3));
    server.resident()
}

fn open(server: &Gatepost, config: &Arc<ClientConfig>) -> Result<Tls, Box<dyn std::error::Error>> {
    let connection = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
    let socket = TcpStream::connect(server.imaps)?;
    let mut imap = client::imap(Lines::new(StreamOwned::new(connection, socket)), &user(0), PASSWORD)?;
    imap.ask("b SELECT INBOX", "b OK")?;
    imap.ask("c FETCH 1:50 (FLAGS ENVELOPE BODY.PEEK[])", "c OK")?;
    imap.ask("d IDLE", "+")?;
    Ok(imap)
}
