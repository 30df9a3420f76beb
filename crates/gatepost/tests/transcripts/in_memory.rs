//! The server without a network and without a disk.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gatepost::connection::{Connection, Drain, Opening, Peer, Protocol, Terms};
use gatepost::logon::{Hashing, Logon, Vault};
use gatepost::serve::smtp::Receiving;
use gatepost::serve::{self, Site, Started};
use gatepost::tls::{Certificate, TlsFiles, server_config};
use identity::{ExtendedProtection, Tls};
use management::{Service, ServiceSettings};
use proto::logon::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use store::memory::Memory;
use store::{
    Accept, Address, Directory, Flags, FolderName, Keyword, Mailboxes, NewAccount, Placement, Settings, Source,
};
use tokio::io::{DuplexStream, duplex};
use transport::ReceiveConnector;

use crate::player::{self, Wire};
use crate::script::{Message, Port, Script};

const HOST: &str = "mail.example.test";

pub struct Server {
    site: Arc<Site>,
    pop3: Arc<Started>,
    smtp: Arc<Receiving>,
    imap: Arc<Started>,
    certificate: Arc<Certificate>,
    trust: Arc<ClientConfig>,
    drain: Drain,
    sessions: AtomicU64,
}

impl Server {
    /// With the accounts, messages and settings of a script for `port`'s protocol.
    pub async fn start(script: &Script, port: Port) -> Self {
        let store = Memory::new();
        store.add_domain("example.test").await.unwrap();
        let hashing = Hashing::new(4, Vault::fleeting().unwrap(), 4096).unwrap();
        for (address, password) in &script.accounts {
            let password = Some(hashing.hash(Secret::new(password.clone()), false).await.unwrap());
            let address = Address::parse(address).unwrap();
            let account =
                NewAccount { address, aliases: vec![], source: Source::Local, password, quota: None, created: 0 };
            store.create(account).await.unwrap();
        }
        for message in &script.messages {
            append(&store, message).await;
        }
        let changes = script.settings.iter().map(|(name, value)| {
            let (name, value) = management::settings::parse(&format!("{}.{name}", port.settings()), value).unwrap();
            (name, Some(value))
        });
        Settings::change(&store, changes.collect()).await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let now = time::OffsetDateTime::now_utc();
        let certificate = Arc::new(Certificate::load(TlsFiles::new(data.path()), HOST, now).unwrap());
        let trust = trust(data.path());
        let directory: Arc<dyn Directory> = Arc::new(store.clone());
        let site = Site {
            host: HOST.to_owned(),
            directory: directory.clone(),
            mailboxes: Arc::new(store.clone()),
            logon: Logon::new(directory, hashing, 60, Duration::from_secs(600), 2, "mail.example.test"),
            max_message_size: 36 * 1024 * 1024,
        };
        Self {
            site: Arc::new(site),
            pop3: Arc::new(started(&store, Service::Pop3).await),
            imap: Arc::new(started(&store, Service::Imap4).await),
            smtp: Arc::new(receiving()),
            certificate,
            trust,
            drain: Drain::default(),
            sessions: AtomicU64::default(),
        }
    }

    fn serve(&self, socket: DuplexStream, port: Port, tls: bool) {
        let (protocol, number) = match port {
            Port::Pop3 => (Protocol::Pop3, if tls { 995 } else { 110 }),
            Port::Imap => (Protocol::Imap, if tls { 993 } else { 143 }),
            Port::Smtp => (Protocol::Smtp, if tls { 465 } else { 25 }),
            Port::Submission => (Protocol::Smtp, if tls { 465 } else { 587 }),
        };
        let terms = Terms {
            protocol,
            tls: Some(server_config(protocol, self.certificate.clone(), None).unwrap()),
            handshake: Duration::from_secs(30),
            stall: Duration::from_secs(300),
        };
        let opening = if tls { Opening::Tls } else { Opening::Greeting { probe: Duration::ZERO } };
        let peer = Peer { remote: ([127, 0, 0, 1], 40_000).into(), local: ([127, 0, 0, 1], number).into() };
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        let (site, drained) = (self.site.clone(), self.drain.connection());
        let (pop3, imap, smtp) = (self.pop3.clone(), self.imap.clone(), self.smtp.clone());
        tokio::spawn(async move {
            let connection = Connection::open(socket, opening, peer, session, Arc::new(terms), drained).await;
            let Ok(mut connection) = connection else { return };
            match protocol {
                Protocol::Pop3 => serve::pop3::serve(&mut connection, &site, &pop3).await,
                Protocol::Imap => serve::imap::serve(&mut connection, &site, &imap).await,
                Protocol::Smtp => serve::smtp::serve(&mut connection, &site, &smtp).await,
            };
        });
    }
}

impl player::Server for Server {
    fn connect(&self, port: Port, tls: bool) -> Pin<Box<dyn Future<Output = Box<dyn Wire>> + '_>> {
        let (client, server) = duplex(16 * 1024);
        self.serve(server, port, tls);
        Box::pin(async move { Box::new(client) as Box<dyn Wire> })
    }

    fn trust(&self) -> Arc<ClientConfig> {
        self.trust.clone()
    }

    fn host(&self) -> &str {
        &self.site.host
    }

    fn tls_ports(&self) -> [(&'static str, u16); 3] {
        [("pop3s", 995), ("imaps", 993), ("submissions", 465)]
    }
}

async fn started(store: &Memory, service: Service) -> Started {
    let settings = ServiceSettings::load(&store.snapshot().await.unwrap(), service).unwrap();
    Started { settings, tls: Tls { available: true, implicit_port: Some(service.tls_port()) } }
}

/// The two connectors of a fresh installation.
fn receiving() -> Receiving {
    let addresses = [[127, 0, 0, 1].into()];
    let connectors = [ReceiveConnector::default_connector(&addresses), ReceiveConnector::client_connector(&addresses)];
    let without_tarpit = |mut connector: ReceiveConnector| {
        connector.limits.tarpit_interval = Duration::ZERO;
        Arc::new(connector)
    };
    Receiving {
        connectors: connectors.map(without_tarpit).into(),
        tls: Tls { available: true, implicit_port: Some(465) },
        max_connections_per_user: 16,
        extended_protection: ExtendedProtection::None,
    }
}

async fn append(store: &Memory, message: &Message) {
    let account = store.find(&Address::parse(&message.address).unwrap()).await.unwrap().unwrap();
    let folders = store.folders(account.id).await.unwrap();
    let folder = folders.by_name(&FolderName::new(&message.folder).unwrap()).unwrap().id;
    let mut writer = store.stage(None).await.unwrap();
    writer.write(&message.octets).await.unwrap();
    let body = writer.finish().await.unwrap();
    let (mut flags, mut keywords) = (Flags::NONE, Vec::new());
    for word in message.flags.split_whitespace() {
        match word {
            "\\Seen" => flags = flags.with(Flags::SEEN),
            "\\Answered" => flags = flags.with(Flags::ANSWERED),
            "\\Flagged" => flags = flags.with(Flags::FLAGGED),
            "\\Deleted" => flags = flags.with(Flags::DELETED),
            "\\Draft" => flags = flags.with(Flags::DRAFT),
            word => keywords.push(Keyword::new(word).unwrap()),
        }
    }
    let internal_date = 1_700_000_000;
    let placement = Placement { folder, prefix: Bytes::new(), flags, keywords, internal_date, delivery: None };
    store.accept(Accept::each(body, vec![placement])).await.unwrap().remove(0).unwrap();
}

/// A client that trusts the local authority in this data directory.
fn trust(data: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(TlsFiles::new(data).authority()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(client.with_root_certificates(roots).with_no_client_auth())
}
