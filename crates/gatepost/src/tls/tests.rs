use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proto::logon::Channel;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use time::OffsetDateTime;
use tokio_rustls::TlsConnector;

use super::*;
use crate::connection::{Connection, Drain, End, Opening, Peer, Terms};

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gatepost-tls-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn load(data: &Path, host: &str, days: i64) -> Result<Certificate, TlsError> {
    let now = OffsetDateTime::now_utc() + time::Duration::days(days);
    Certificate::load(TlsFiles::new(data), host, now)
}

/// Connects as a client that trusts the authority alone.
async fn connect(data: &Path, certificate: Certificate, name: &str, alpn: &[&str]) -> Result<(), String> {
    let (here, there) = tokio::io::duplex(16 * 1024);
    let tls = Some(server_config(Protocol::Imap, Arc::new(certificate), None).unwrap());
    let terms =
        Terms { protocol: Protocol::Imap, tls, handshake: Duration::from_secs(5), stall: Duration::from_secs(300) };
    let peer = Peer { remote: ([127, 0, 0, 1], 1).into(), local: ([127, 0, 0, 1], 993).into() };
    let drain = Drain::default();
    let server = tokio::spawn(Connection::open(there, Opening::Tls, peer, 1, Arc::new(terms), drain.connection()));
    let mut roots = RootCertStore::empty();
    let authority = std::fs::read(TlsFiles::new(data).authority()).unwrap();
    roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = TlsConnector::from(Arc::new(config)).connect(name, here).await;
    let server = server.await.unwrap();
    match (client, server) {
        (Ok(_), Ok(connection)) => {
            assert_eq!(connection.channel(), Channel::Implicit);
            assert_eq!(connection.agreed().unwrap().version, "TLS1.3");
            Ok(())
        }
        (Err(error), _) => Err(error.to_string()),
        (Ok(_), Err(End::Tls(error))) => Err(error.to_string()),
        (Ok(_), Err(end)) => panic!("{end}"),
    }
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_connects_by_every_name() {
    let data = Scratch::new("names");
    for name in ["mail.example.test", "localhost", "127.0.0.1", "::1"] {
        let certificate = load(&data.0, "mail.example.test", 0).unwrap();
        connect(&data.0, certificate, name, &[]).await.unwrap();
    }
    let certificate = load(&data.0, "mail.example.test", 0).unwrap();
    assert!(connect(&data.0, certificate, "other.example.test", &[]).await.is_err());
}

#[tokio::test]
async fn a_client_that_asks_for_another_protocol_is_refused() {
    let data = Scratch::new("alpn");
    for (alpn, fits) in
        [(&["imap"][..], true), (&["http/1.1", "imap"], true), (&["http/1.1"], false), (&["pop3"], false)]
    {
        let certificate = load(&data.0, "mail.example.test", 0).unwrap();
        let connected = connect(&data.0, certificate, "mail.example.test", alpn).await;
        assert_eq!(connected.is_ok(), fits, "{alpn:?} {connected:?}");
    }
}

#[test]
fn the_server_certificate_is_renewed_in_time_and_for_another_host_and_the_authority_stays() {
    let data = Scratch::new("renewal");
    let files = TlsFiles::new(&data.0);
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    load(&data.0, "mail.example.test", 0).unwrap();
    let (authority, first) = (read(files.authority()), read(files.server()));
    load(&data.0, "mail.example.test", 300).unwrap();
    assert_eq!(read(files.server()), first);
    let certificate = load(&data.0, "mail.example.test", 0).unwrap();
    certificate.refresh(OffsetDateTime::now_utc() + time::Duration::days(350)).unwrap();
    let second = read(files.server());
    assert_ne!(second, first);
    load(&data.0, "imap.example.test", 0).unwrap();
    assert_ne!(read(files.server()), second);
    // As after a crash between the two files.
    let third = read(files.server());
    std::fs::write(files.server_key(), read(files.authority_key())).unwrap();
    load(&data.0, "imap.example.test", 0).unwrap();
    assert_ne!(read(files.server()), third);
    assert_eq!(read(files.authority()), authority);
}

#[test]
fn only_the_servers_user_reads_keys() {
    let data = Scratch::new("mode");
    load(&data.0, "mail.example.test", 0).unwrap();
    let files = TlsFiles::new(&data.0);
    for key in [files.authority_key(), files.server_key()] {
        assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_foreign_certificate_is_used_as_it_is() {
    let (ours, theirs) = (Scratch::new("ours"), Scratch::new("theirs"));
    load(&ours.0, "mail.example.test", 0).unwrap();
    load(&theirs.0, "mail.other.test", 0).unwrap();
    let (here, there) = (TlsFiles::new(&ours.0), TlsFiles::new(&theirs.0));
    std::fs::copy(there.server(), here.server()).unwrap();
    std::fs::copy(there.server_key(), here.server_key()).unwrap();
    load(&ours.0, "mail.example.test", 390).unwrap();
    assert_eq!(std::fs::read(here.server()).unwrap(), std::fs::read(there.server()).unwrap());
    // One that does not fit its key is said so, not replaced.
    std::fs::copy(here.authority_key(), here.server_key()).unwrap();
    let refused = load(&ours.0, "mail.example.test", 0).unwrap_err().to_string();
    assert!(refused.contains("server.pem") && refused.contains("key"), "{refused}");
}
