//! The ports through which commands reach the server they run in.

use store::{AccountId, Directory, Future, Mailboxes, Settings, Timestamp};

use crate::{Service, ServiceSettings};

/// What a port answers: an error's text tells the cure.
pub type Port<T> = Result<T, String>;

/// The server as commands see it.
pub trait World: Send + Sync {
    fn directory(&self) -> &dyn Directory;
    fn settings(&self) -> &dyn Settings;
    fn mailboxes(&self) -> &dyn Mailboxes;
    fn services(&self) -> &dyn Services;
    fn passwords(&self) -> &dyn Passwords;
    fn now(&self) -> Timestamp;
}

/// The protocol services of this server.
pub trait Services: Send + Sync {
    /// The settings that a running service was started with; `None` while it is stopped.
    fn running(&self, service: Service) -> Option<ServiceSettings>;
    /// Why the last start failed; `None` once the service was started or stopped.
    fn failure(&self, service: Service) -> Option<String>;
    /// Starts with the stored settings; nothing happens if it runs already.
    fn start(&self, service: Service) -> Future<'_, Port<()>>;
    /// Ends its sessions with a farewell; nothing happens if it is stopped already.
    fn stop(&self, service: Service) -> Future<'_, Port<()>>;
}

/// Hashing, which is too slow for the task that asks.
pub trait Passwords: Send + Sync {
    fn hash(&self, password: String) -> Future<'_, Port<store::PasswordHash>>;
    /// What was remembered of an account's log-ons no longer holds.
    fn forget(&self, account: AccountId);
}
