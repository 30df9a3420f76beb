//! The ports through which commands reach the server they run in.

use serde::{Deserialize, Serialize};
use store::{AccountId, Address, Directory, Future, Mailboxes, Settings, Timestamp};

use transport::ReceiveConnector;

use crate::settings::{LdapSettings, OpenIdSettings, ServerSettings, SmtpSettings};
use crate::{Service, ServiceSettings};

/// What a port answers: an error's text tells the cure.
pub type Port<T> = Result<T, String>;

/// The server as commands see it.
pub trait World: Send + Sync {
    fn directory(&self) -> &dyn Directory;
    fn settings(&self) -> &dyn Settings;
    fn mailboxes(&self) -> &dyn Mailboxes;
    fn services(&self) -> &dyn Services;
    fn connectors(&self) -> &dyn Connectors;
    /// What the server was started with; it keeps to it until it is started again.
    fn started_with(&self) -> &StartedWith;
    /// Whether it was built with the library of Kerberos.
    fn has_kerberos(&self) -> bool;
    fn passwords(&self) -> &dyn Passwords;
    fn log_ons(&self) -> &dyn LogOns;
    fn maintenance(&self) -> &dyn StoreMaintenance;
    fn now(&self) -> Timestamp;
}

/// The groups of settings that hold from one start of the server to the next.
#[derive(Clone, Debug)]
pub struct StartedWith {
    pub server: ServerSettings,
    pub smtp: SmtpSettings,
    pub open_id: OpenIdSettings,
    pub ldap: LdapSettings,
}

/// The protocol services of this server.
pub trait Services: Send + Sync {
    /// The settings that a running service was started with; `None` while it is stopped.
    fn running(&self, service: Service) -> Option<ServiceSettings>;
    /// Why the last start failed; `None` once the service was started or stopped.
    fn failure(&self, service: Service) -> Option<String>;
    /// Starts with the stored settings; nothing happens if it runs already.
    fn start(&self, service: Service) -> Future<'_, Port<()>>;
    /// Starts with the stored settings, and stops what runs only once that can be done.
    fn restart(&self, service: Service) -> Future<'_, Port<()>>;
    /// Ends its sessions with a farewell; nothing happens if it is stopped already.
    fn stop(&self, service: Service) -> Future<'_, Port<()>>;
}

/// SMTP's receive connectors. What changes holds from the next connection on.
pub trait Connectors: Send + Sync {
    fn all(&self) -> Vec<ReceiveConnector>;
    /// A new one, or in place of the one of that name.
    fn put(&self, connector: ReceiveConnector) -> Future<'_, Port<()>>;
    fn remove<'a>(&'a self, name: &'a str) -> Future<'a, Port<()>>;
}

/// Hashing, which is too slow for the task that asks.
pub trait Passwords: Send + Sync {
    /// All that is to be kept of a new password; `ntlm`: also what is good for NTLM.
    fn hash(&self, password: String, ntlm: bool) -> Future<'_, Port<store::Password>>;
    /// A new app password, and what it is known by.
    fn make_app_password(&self) -> Port<(String, store::AppPasswordDigest)>;
    /// The same without what is good for NTLM.
    fn without_ntlm(&self, kept: &store::Password) -> Port<store::Password>;
    /// Somebody may log on by NTLM from now on.
    fn has_ntlm(&self);
    /// The account's password was changed, or the account removed: its sessions end.
    fn revoke(&self, account: AccountId);
}

/// Who logged on, or tried to.
pub trait LogOns: Send + Sync {
    /// The last log-ons, newest first: at most `limit`, and of one mailbox where it is named.
    fn recent<'a>(&'a self, address: Option<&'a Address>, limit: usize) -> Future<'a, Port<Vec<LogOn>>>;
}

/// One log-on to a mailbox that there is, granted or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOn {
    pub time: Timestamp,
    /// The mailbox's address.
    pub identity: String,
    /// The client's address.
    pub remote: String,
    pub protocol: String,
    pub mechanism: String,
    /// The version of TLS; `None` in clear.
    pub tls: Option<String>,
    pub granted: bool,
    /// Why not.
    pub reason: String,
}

/// What an operator does with the store as a whole. Each works while mail goes on. Paths are of the machine that
/// the server runs on.
pub trait StoreMaintenance: Send + Sync {
    /// Reads and checks everything.
    fn verify(&self) -> Future<'_, Port<Verified>>;
    /// Makes a backup of the whole server in a directory, which must be empty or not there.
    fn backup<'a>(&'a self, path: &'a str) -> Future<'a, Port<BackedUp>>;
    /// Brings back what the mailbox had when the backup was made and has no more.
    fn restore_mailbox<'a>(&'a self, address: &'a Address, path: &'a str) -> Future<'a, Port<RestoredMailbox>>;
}

/// What a verification read, and what is not as it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub segments: u64,
    pub mailboxes: u64,
    pub folders: u64,
    pub messages: u64,
    pub octets: u64,
    /// All faults, also those that are not named.
    pub fault_count: u64,
    /// One sentence each, with the mailbox where it is one mailbox's alone.
    pub faults: Vec<String>,
}

/// A backup that was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    pub files: u64,
    pub octets: u64,
}

/// How a mailbox came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoredMailbox {
    /// It was gone altogether, and has its password again.
    pub made: bool,
    /// Aliases that did not come back with it: another mailbox has them now, or their domain is accepted no more.
    pub dropped_aliases: Vec<String>,
    pub folders: u64,
    /// Messages under the UIDs that they had.
    pub restored: u64,
    /// Messages under new UIDs, for their folder had been made anew.
    pub appended: u64,
    /// Messages that were there still.
    pub present: u64,
}
