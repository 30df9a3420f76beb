//! Accounts, and what can be changed of them.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Address, AppPassword, AppPasswordDigest, Error, Password, PasswordHash, Result, Source, Timestamp,
};

/// Protocols that an account's owner logs on by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocols {
    pub pop3: bool,
    pub imap4: bool,
    /// To send.
    pub smtp: bool,
}

impl Protocols {
    pub const ALL: Self = Self { pop3: true, imap4: true, smtp: true };
    pub const NONE: Self = Self { pop3: false, imap4: false, smtp: false };
}

/// By what an account's owner may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAccess {
    pub protocols: Protocols,
    /// Log-on by NTLM, over any protocol: it takes a verifier that is as good as the password.
    pub ntlm: bool,
}

impl Default for ClientAccess {
    fn default() -> Self {
        Self { protocols: Protocols::ALL, ntlm: false }
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    pub address: Address,
    /// Further addresses that deliver here.
    pub aliases: Vec<Address>,
    pub source: Source,
    /// `None`: nobody logs on by a password of the mailbox's own. Of a user of another directory it is the last that
    /// the directory took.
    pub password: Option<Password>,
    pub app_passwords: Vec<AppPassword>,
    pub access: ClientAccess,
    /// Whose owners may open the mailbox as if it were their own.
    pub full_access: Vec<AccountId>,
    /// Octets; `None` is without a limit.
    pub quota: Option<u64>,
    pub created: Timestamp,
}

impl Account {
    /// Accounts that may open one mailbox.
    pub const MOST_FULL_ACCESS: usize = 1000;

    /// App passwords of one account.
    pub const MOST_APP_PASSWORDS: usize = 100;

    /// A new account under its number, as it is before anything is changed.
    pub fn new(id: AccountId, new: NewAccount) -> Self {
        let NewAccount { address, aliases, source, password, quota, created } = new;
        let (app_passwords, full_access, access) = (Vec::new(), Vec::new(), ClientAccess::default());
        Self { id, address, aliases, source, password, app_passwords, access, full_access, quota, created }
    }

    /// The account after the change. Whether its addresses can be had is for the engine to say.
    pub fn changed(mut self, change: AccountChange) -> Result<Self> {
        let AccountChange { aliases, source, password, access, app_password, full_access, quota, .. } = change;
        let AccountChange { provided, provided_access, provided_source, .. } = change;
        let hash = self.password.as_ref().map(|password| &password.hash);
        let is_other = provided_access.is_some_and(|provided| provided != self.access)
            || provided_source.is_some_and(|provided| provided != self.source);
        if is_other || provided.is_some_and(|provided| hash != Some(&provided)) {
            return Err(Error::Conflict);
        }
        self.aliases = aliases.unwrap_or(self.aliases);
        self.source = source.unwrap_or(self.source);
        self.password = password.unwrap_or(self.password);
        self.access = access.unwrap_or(self.access);
        self.quota = quota.unwrap_or(self.quota);
        if let Some(change) = app_password {
            self.change_app_password(change)?;
        }
        if let Some(change) = full_access {
            self.change_full_access(change)?;
        }
        Ok(self)
    }

    fn change_full_access(&mut self, change: FullAccessChange) -> Result<()> {
        match change {
            FullAccessChange::Give(to) if self.full_access.contains(&to) => Err(Error::Exists("the permission")),
            FullAccessChange::Give(_) if self.full_access.len() >= Self::MOST_FULL_ACCESS => {
                Err(Error::Limit(format!("{} users at most may open a mailbox", Self::MOST_FULL_ACCESS)))
            }
            FullAccessChange::Give(to) => {
                self.full_access.push(to);
                Ok(())
            }
            FullAccessChange::Take(from) => {
                let place = self.full_access.iter().position(|one| *one == from);
                self.full_access.remove(place.ok_or(Error::NotFound("the permission"))?);
                Ok(())
            }
        }
    }

    fn change_app_password(&mut self, change: AppPasswordChange) -> Result<()> {
        let place = |name: &str| self.app_passwords.iter().position(|one| one.name.eq_ignore_ascii_case(name));
        let missing = Error::NotFound("the app password");
        match change {
            AppPasswordChange::Add(new) => {
                if place(&new.name).is_some() {
                    return Err(Error::Exists("the app password"));
                }
                if self.app_passwords.len() >= Self::MOST_APP_PASSWORDS {
                    return Err(Error::Limit(format!(
                        "a mailbox has {} app passwords at most",
                        Self::MOST_APP_PASSWORDS
                    )));
                }
                self.app_passwords.push(new);
            }
            AppPasswordChange::Remove { name } => {
                let place = place(&name).ok_or(missing)?;
                self.app_passwords.remove(place);
            }
            AppPasswordChange::Used { digest, at } => {
                let used = self.app_passwords.iter_mut().find(|one| one.digest == digest).ok_or(missing)?;
                used.last_used = used.last_used.max(Some(at));
            }
        }
        Ok(())
    }
}

/// What a new account is made of; its special-use folders are made in the same durable point.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub address: Address,
    pub aliases: Vec<Address>,
    pub source: Source,
    pub password: Option<Password>,
    pub quota: Option<u64>,
    pub created: Timestamp,
}

/// Replaces what is `Some`.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    pub aliases: Option<Vec<Address>>,
    pub source: Option<Source>,
    pub password: Option<Option<Password>>,
    pub access: Option<ClientAccess>,
    pub app_password: Option<AppPasswordChange>,
    pub full_access: Option<FullAccessChange>,
    /// Only if this is the hash of the password that is there now; `Conflict` otherwise.
    pub provided: Option<PasswordHash>,
    /// Only if it is as this says now; `Conflict` otherwise.
    pub provided_access: Option<ClientAccess>,
    /// The same.
    pub provided_source: Option<Source>,
    pub quota: Option<Option<u64>>,
}

/// Somebody may open the mailbox, or may not any more.
#[derive(Clone, Copy, Debug)]
pub enum FullAccessChange {
    /// `Exists` where it may already, `Limit` where as many may as can.
    Give(AccountId),
    /// `NotFound` where it may not.
    Take(AccountId),
}

/// One app password is made, taken away, or was used.
#[derive(Clone, Debug)]
pub enum AppPasswordChange {
    /// `Exists` where the account has one of that name, `Limit` where it has as many as it may.
    Add(AppPassword),
    /// `NotFound` without it.
    Remove { name: String },
    /// `NotFound` without it.
    Used { digest: AppPasswordDigest, at: Timestamp },
}
