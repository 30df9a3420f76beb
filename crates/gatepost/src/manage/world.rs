//! The server as management commands see it.

use std::sync::Arc;

use management::{
    Connectors, LogOn, LogOns, Passwords, Port, Services as ServicesPort, StartedWith, StoreMaintenance, World,
};
use proto::logon::Secret;
use store::{AccountId, Address, AppPasswordDigest, Directory, Future, Mailboxes, Password, Settings, Timestamp};

use super::Maintenance;
use crate::logon::{Recorder, digest_of, generate};
use crate::serve::Site;
use crate::server::{Services, Smtp};

/// What commands reach.
pub struct Ports {
    pub site: Arc<Site>,
    /// The store's own: administrators see what is kept here, and never wait for another directory.
    pub directory: Arc<dyn Directory>,
    pub settings: Arc<dyn Settings>,
    pub services: Arc<Services>,
    pub smtp: Arc<Smtp>,
    /// What the server was started with.
    pub started_with: StartedWith,
    pub maintenance: Maintenance,
    pub record: Recorder,
}

impl World for Ports {
    fn directory(&self) -> &dyn Directory {
        &*self.directory
    }

    fn settings(&self) -> &dyn Settings {
        &*self.settings
    }

    fn mailboxes(&self) -> &dyn Mailboxes {
        &*self.site.mailboxes
    }

    fn services(&self) -> &dyn ServicesPort {
        &*self.services
    }

    fn connectors(&self) -> &dyn Connectors {
        &*self.smtp
    }

    fn started_with(&self) -> &StartedWith {
        &self.started_with
    }

    fn has_kerberos(&self) -> bool {
        cfg!(feature = "kerberos")
    }

    fn passwords(&self) -> &dyn Passwords {
        self
    }

    fn log_ons(&self) -> &dyn LogOns {
        self
    }

    fn maintenance(&self) -> &dyn StoreMaintenance {
        &self.maintenance
    }

    fn now(&self) -> Timestamp {
        crate::clock::now()
    }
}

impl LogOns for Ports {
    fn recent<'a>(&'a self, address: Option<&'a Address>, limit: usize) -> Future<'a, Port<Vec<LogOn>>> {
        let (record, address) = (self.record.clone(), address.cloned());
        Box::pin(async move {
            // Reads all that is kept of it.
            let found = tokio::task::spawn_blocking(move || record.recent(address.as_ref(), limit)).await;
            let found = found.map_err(|error| error.to_string())?;
            found.map_err(|error| format!("the record of log-ons cannot be read: {error}"))
        })
    }
}

impl Passwords for Ports {
    fn hash(&self, password: String, ntlm: bool) -> Future<'_, Port<Password>> {
        let password = Secret::new(password);
        let hashing = self.site.logon.hashing();
        Box::pin(async move { hashing.hash(password, ntlm).await.map_err(|error| error.to_string()) })
    }

    fn make_app_password(&self) -> Port<(String, AppPasswordDigest)> {
        let made = generate().map_err(|_| "the system gives no random numbers".to_owned())?;
        let digest = digest_of(&made).ok_or("a password that was made is none")?;
        Ok((made.as_str().to_owned(), digest))
    }

    fn without_ntlm(&self, kept: &Password) -> Port<Password> {
        self.site.logon.hashing().without_ntlm(kept).map_err(|error| error.to_string())
    }

    fn has_ntlm(&self) {
        self.site.logon.has_ntlm();
    }

    fn revoke(&self, account: AccountId) {
        self.site.logon.revoke(account);
    }
}
