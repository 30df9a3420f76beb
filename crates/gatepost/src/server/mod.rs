//! Puts the parts together, runs them, and takes them down in order.

mod services;
mod smtp;

use std::sync::Arc;
use std::time::Duration;

use management::settings::{LdapSettings, OpenIdSettings, ServerSettings, SmtpSettings};
use management::{Service, ServiceSettings, Services as _, StartedWith};
use store::Directory;
use time::OffsetDateTime;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub use services::Services;
pub use smtp::Smtp;

use crate::connection::{Opening, Protocol};
use crate::engine::Engine;
use crate::ldap::LdapDirectory;
use crate::listen::{Descriptors, Listening, Shared};
use crate::logon::{Hashing, Kerberos, Logon, Recorder, Tokens, Vault};
use crate::logs::Log;
use crate::manage::{Maintenance, ManagementSocket, Ports as ManagementPorts};
use crate::serve::Site;
use crate::setup::{DataDirectory, Person, Ports, SetupError, User, admit, host_name, shown};
use crate::tls::{Certificate, TlsFiles, server_config, verifier};

/// How often the certificate is looked at.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(24 * 60 * 60);

/// The signals that the server takes. Caught from before it says that it is ready.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// A server that runs.
pub struct Server {
    running: Running,
    engine: Engine,
}

/// All that uses the store.
struct Running {
    site: Arc<Site>,
    services: Arc<Services>,
    smtp: Arc<Smtp>,
    certificate: Arc<Certificate>,
    management: ManagementSocket,
}

impl Server {
    /// Binds and starts everything that starts by itself.
    pub async fn start(data: &DataDirectory, engine: Engine) -> Result<Self, SetupError> {
        match Running::start(data, &engine).await {
            Ok(running) => Ok(Self { running, engine }),
            Err(error) => {
                engine.close().await;
                Err(error)
            }
        }
    }

    pub fn host(&self) -> &str {
        &self.running.site.host
    }

    /// Why services that start by themselves do not run.
    pub fn failures(&self) -> Vec<String> {
        Service::ALL.into_iter().filter_map(|service| self.running.services.failure(service)).collect()
    }

    pub fn certificate(&self) -> &Certificate {
        &self.running.certificate
    }

    /// Makes the mailboxes that are missing.
    pub async fn admit(&self, people: Vec<Person>) -> Result<Vec<User>, SetupError> {
        let hashing = self.running.site.logon.hashing();
        admit(&*self.engine.directory, &*self.engine.settings, hashing, people, crate::clock::now()).await
    }

    /// Somebody has seen the passwords that were made up for these.
    pub async fn shown(&self, users: &[User]) -> Result<(), SetupError> {
        shown(&*self.engine.settings, users).await
    }

    /// The ports as bound.
    pub async fn ports(&self) -> Ports {
        let [pop3, imap] = self.running.services.addresses().await;
        let (clear, tls) = (|opening| matches!(opening, Opening::Greeting { .. }), |opening| opening == Opening::Tls);
        Ports {
            pop3: first(&pop3, clear),
            pop3s: first(&pop3, tls),
            imap: first(&imap, clear),
            imaps: first(&imap, tls),
            ..self.running.smtp.ports()
        }
    }

    /// Serves until it is told to end by SIGTERM or SIGINT, then lets the sessions take leave.
    pub async fn run(self, mut signals: Signals, log: Log) -> Result<(), SetupError> {
        let why = self.until_told(&mut signals, &log).await;
        tracing::info!("stopping");
        tokio::select! {
            () = self.stop() => tracing::info!("stopped"),
            // Ctrl-C again: nobody wants to wait. The store's log has everything that was answered.
            _ = signals.interrupt.recv() => tracing::warn!("told to end again: sessions are cut off"),
        }
        why
    }

    /// Serves until a signal ends it, or the store's own fault: who starts it again mends that.
    async fn until_told(&self, signals: &mut Signals, log: &Log) -> Result<(), SetupError> {
        let mut certificate_check = tokio::time::interval(CERTIFICATE_CHECK);
        certificate_check.tick().await;
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => return Ok(()),
                _ = signals.interrupt.recv() => return Ok(()),
                () = self.engine.failed() => {
                    tracing::error!("the store has stopped after a fault of its own; the server ends, to be started again");
                    return Err(SetupError::Refused("the store has stopped after a fault of its own; start the server again".into()));
                }
                _ = signals.hang_up.recv() => {
                    if log.ends_with_its_terminal() {
                        return Ok(());
                    }
                    log.reopen();
                    tracing::info!("the log goes on here");
                }
                _ = certificate_check.tick() => {
                    if let Err(error) = self.running.certificate.refresh(OffsetDateTime::now_utc()) {
                        tracing::error!(%error, "the certificate could not be looked after");
                    }
                }
            }
        }
    }

    /// Ends everything: first new connections, then sessions, last the store.
    pub async fn stop(self) {
        let Self { running: Running { services, smtp, management, site, .. }, engine } = self;
        tokio::join!(services.stop_all(), smtp.stop(), management.stop());
        drop((services, smtp, site));
        engine.close().await;
    }
}

impl Running {
    async fn start(data: &DataDirectory, engine: &Engine) -> Result<Self, SetupError> {
        let stored = engine.settings.snapshot().await?;
        let settings = ServerSettings::load(&stored)?;
        let host = host_name(settings.host_name.as_str());
        let vault = Vault::open(data.path())?;
        let hashing = Hashing::new(settings.max_concurrent_password_hashes as usize, vault, settings.scram_iterations)?;
        let files = TlsFiles::new(data.path());
        let certificate = Arc::new(Certificate::load(files, &host, OffsetDateTime::now_utc())?);
        let open_id = OpenIdSettings::load(&stored)?;
        // Everybody else logs on meanwhile, and an administrator can do something about it.
        let tokens = Tokens::new(&open_id).unwrap_or_else(|error| {
            tracing::error!(error, "nobody can log on by a token; Set-OpenIdSettings");
            Tokens::default()
        });
        let logon = Logon::new(
            engine.directory.clone(),
            hashing,
            settings.max_failed_logons_per_minute,
            settings.logon_cache_lifetime,
            settings.max_concurrent_password_hashes_per_address as usize,
            &host,
        );
        let record = Recorder::open(&data.logons()).map_err(SetupError::file(&data.logons()))?;
        let kerberos = Kerberos::new(&settings).unwrap_or_else(|error| {
            tracing::error!(error, "nobody can log on by Kerberos; Set-ServerSettings -KerberosKeytab");
            Kerberos::default()
        });
        let logon = logon
            .recorded(record.clone())
            .with_tokens(tokens)
            .with_kerberos(kerberos)
            .with_password_lifetime(settings.password_lifetime);
        logon.recall();
        let ldap_settings = LdapSettings::load(&stored)?;
        let ldap = LdapDirectory::new(engine.directory.clone(), &ldap_settings);
        let (logon, directory): (_, Arc<dyn Directory>) = match ldap {
            Some(ldap) => (logon.with_directory(ldap.clone(), &ldap_settings), ldap),
            None => (logon, engine.directory.clone()),
        };
        if stored.contains_key(management::NTLM_IN_USE) {
            logon.has_ntlm();
        }
        let site = Arc::new(Site {
            host,
            directory,
            mailboxes: engine.mailboxes.clone(),
            logon,
            max_message_size: settings.max_message_size,
        });
        let descriptors = Descriptors::raise();
        let shared = Shared {
            numbers: Arc::default(),
            descriptors: descriptors.clone(),
            drain_timeout: settings.drain_timeout,
            handshake: settings.tls_handshake_timeout,
            stall: settings.write_stall_timeout,
        };
        let clients = match settings.client_certificate_authority.as_str() {
            "" => None,
            // Everybody else logs on meanwhile, and an administrator can do something about it.
            path => verifier(std::path::Path::new(path)).map_or_else(
                |error| {
                    tracing::error!(error, "nobody can log on by a certificate; Set-ServerSettings");
                    None
                },
                Some,
            ),
        };
        let tls = |protocol| server_config(protocol, certificate.clone(), clients.clone());
        let protection = SmtpSettings::load(&stored)?.extended_protection_policy;
        let kept = engine.settings.clone();
        let without = server_config(Protocol::Smtp, certificate.clone(), None)?;
        let with = clients.is_some().then(|| tls(Protocol::Smtp)).transpose()?;
        let smtp = Smtp::start(&stored, kept, &site, (without, with), &shared, &settings, protection);
        let smtp = Arc::new(smtp.await?);
        let services = Arc::new(Services::new(
            site.clone(),
            engine.settings.clone(),
            [tls(Protocol::Pop3)?, tls(Protocol::Imap)?],
            shared,
            smtp.clone(),
        ));
        let mut most = settings.max_smtp_connections;
        for service in Service::ALL {
            let ServiceSettings { startup_type: startup, max_connections, .. } =
                ServiceSettings::load(&stored, service)?;
            most = most.max(max_connections);
            if startup == management::settings::StartupType::Automatic {
                // The others serve meanwhile, and an administrator can do something about it.
                if let Err(why) = services.start(service).await {
                    tracing::error!(service = service.name(), "{why}");
                }
            }
        }
        descriptors.compare(most);
        let ports = ManagementPorts {
            site: site.clone(),
            directory: engine.directory.clone(),
            settings: engine.settings.clone(),
            services: services.clone(),
            smtp: smtp.clone(),
            started_with: StartedWith {
                server: settings.clone(),
                smtp: SmtpSettings::load(&stored)?,
                open_id,
                ldap: ldap_settings,
            },
            maintenance: Maintenance::new(engine.store(), data.clone()),
            record,
        };
        match ManagementSocket::open(data.management_socket(), ports, settings.drain_timeout) {
            Ok(management) => Ok(Self { site, services, smtp, certificate, management }),
            Err(error) => {
                tokio::join!(services.stop_all(), smtp.stop());
                Err(error)
            }
        }
    }
}

fn first(addresses: &[(std::net::SocketAddr, Opening)], is_it: impl Fn(Opening) -> bool) -> Option<u16> {
    addresses.iter().find(|(_, opening)| is_it(*opening)).map(|(address, _)| address.port())
}

/// The ports of a listener, if it runs.
fn addresses(listening: Option<&Listening>) -> Vec<(std::net::SocketAddr, Opening)> {
    listening.map(|listening| listening.addresses().to_vec()).unwrap_or_default()
}
