//! Users of another directory (LDAP, Active Directory).
//!
//! Their mailboxes are in the store like all others; who they are and whether their password is right is asked there.
//! [`LdapDirectory`] stands before the store's own directory: an account that was made here is answered as it is, for
//! anybody else the other directory is asked, and the mailbox is made or brought up to date (`mailbox`). What was said
//! a short while ago is not asked again (`cache`). While no server can be asked (`pool`), what is kept in the store
//! holds for a time ([`LdapDirectory::is_within`]), and who is not known at all gets a temporary failure.

mod cache;
mod client;
mod directory;
mod filter;
mod mailbox;
mod ntlm_auth;
mod pool;
mod question;
mod server;
mod user;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use management::settings::LdapSettings;
use proto::logon::Secret;
use proto::ntlm::{Proof, SessionKey};
use store::{Account, AccountId, Directory, Error, Source, Timestamp};

use cache::{Answer, Cache};
use client::{Asked, Client};
pub use pool::Away;

/// Octets of a name that is asked about.
const LONGEST_NAME: usize = 320;

/// The store's directory with the users of another one.
pub struct LdapDirectory {
    store: Arc<dyn Directory>,
    /// `Err`: why nothing can be asked until the settings are others.
    client: Result<Client, String>,
    cache: Cache,
    /// Seconds.
    stale_time: i64,
    dismiss: OnceLock<Dismiss>,
}

/// Ends the sessions of an account.
type Dismiss = Box<dyn Fn(AccountId) + Send + Sync>;

impl LdapDirectory {
    /// `None` where no directory is set. With settings that do not do there is one that cannot be asked: its users are
    /// not unknown.
    pub fn new(store: Arc<dyn Directory>, settings: &LdapSettings) -> Option<Arc<Self>> {
        if settings.servers.is_empty() {
            return None;
        }
        let client = Client::new(settings);
        if let Err(error) = &client {
            tracing::error!(error, "no user of the directory can log on or get mail; Set-LdapSettings");
        }
        let stale_time = i64::try_from(settings.stale_time.as_secs()).unwrap_or(i64::MAX);
        let (cache, dismiss) = (Cache::new(settings.cache_time), OnceLock::new());
        Some(Arc::new(Self { store, client, cache, stale_time, dismiss }))
    }

    /// What is done when a user is there no more.
    pub fn when_gone(&self, dismiss: Dismiss) {
        let _ = self.dismiss.set(dismiss);
    }

    /// The account of the user who logs on by that name, which is no address.
    pub async fn find_by_name(&self, name: &str) -> Answer {
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            return Ok(None);
        }
        self.resolve(Asked::Name(name.to_lowercase()), None).await
    }

    /// Whether it is the password of the entry of that name; `Err` inside says what the directory refused it with.
    pub async fn check(&self, name: &str, password: &Secret) -> Result<Result<(), String>, Away> {
        self.client.as_ref().map_err(Away::clone)?.check(name, password).await
    }

    /// Whether NTLM log-ons of its users can be checked.
    pub fn takes_ntlm(&self) -> bool {
        self.client.as_ref().is_ok_and(Client::takes_ntlm)
    }

    /// The session key of an NTLM log-on of the user whose entry has that name; `None` for nobody's, which takes as
    /// long.
    pub async fn check_ntlm(&self, name: Option<&str>, proof: &Proof) -> Result<Result<SessionKey, String>, Away> {
        self.client.as_ref().map_err(Away::clone)?.check_ntlm(name, proof).await
    }

    /// Takes as long as [`Self::check`] of a wrong password.
    pub async fn check_nobody(&self) {
        if let Ok(client) = &self.client {
            client.check_nobody().await;
        }
    }

    /// Whether anything is kept for the time that the directory cannot be asked.
    pub fn keeps(&self) -> bool {
        self.stale_time > 0
    }

    /// Whether what was so then may still be taken to be so while the directory cannot be asked.
    pub fn is_within(&self, then: Option<Timestamp>, now: Timestamp) -> bool {
        then.is_some_and(|then| now.saturating_sub(then) < self.stale_time)
    }

    /// Whether it is to be written down anew that something is so: not each time, for each costs a write to the disk.
    pub fn is_to_be_written(&self, then: Option<Timestamp>, now: Timestamp) -> bool {
        self.keeps() && then.is_none_or(|then| now.saturating_sub(then) >= self.stale_time / 4 || then > now)
    }

    /// `known`: whose it was, as far as the store knows.
    async fn resolve(&self, asked: Asked, known: Option<Arc<Account>>) -> Answer {
        match self.cache.get(&asked, Instant::now()) {
            Some(None) => return Ok(None),
            Some(Some(id)) => {
                // Unless it was removed here since, or the user is gone there.
                let account = self.store.account(id).await?;
                if let Some(account) = account.filter(|account| is_there(account)) {
                    return Ok(Some(account));
                }
            }
            None => {}
        }
        self.cache.shared(&asked, self.look(&asked, known)).await
    }

    async fn look(&self, asked: &Asked, known: Option<Arc<Account>>) -> Answer {
        let known = match (known, self.cache.last(asked)) {
            (None, Some(id)) => self.store.account(id).await?,
            (known, _) => known,
        };
        let told = match &self.client {
            Ok(client) => client.user(asked).await,
            Err(why) => Err(why.clone()),
        };
        let found = match told {
            Ok(Some(user)) => self.mailbox_of(user).await?,
            Ok(None) => match known.filter(|account| is_there(account)) {
                Some(account) => {
                    self.has_lost(&account, asked).await?;
                    None
                }
                None => None,
            },
            Err(away) => return self.last_known(asked, known, away),
        };
        self.cache.put(asked, found.as_ref().map(|account| account.id), Instant::now());
        Ok(found)
    }

    /// Whose it was when the directory was last asked, if that was not too long ago.
    fn last_known(&self, asked: &Asked, known: Option<Arc<Account>>, away: Away) -> Answer {
        let seen = known.as_ref().and_then(|account| account.source.entry()).and_then(|entry| entry.seen);
        if self.is_within(seen, crate::clock::now()) {
            tracing::debug!(?asked, error = away, "what the directory last said holds");
            return Ok(known);
        }
        Err(Error::Unavailable(format!("no directory can be asked: {away}")))
    }
}

/// Whether the other directory has the account's user still, or it is none of its.
fn is_there(account: &Account) -> bool {
    match &account.source {
        Source::Local => true,
        Source::Directory(entry) => entry.seen.is_some(),
    }
}

#[cfg(test)]
mod tests;
