//! Who there is: accepted domains and accounts.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Error, Future, Result, Timestamp};

/// An address of a local account: `local@domain`, the domain in lower case (RFC 5321 §2.4: domains are
/// case-insensitive; local parts are ours here and compared without case).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: Box<str>,
    at: usize,
}

impl Address {
    /// RFC 5321 §4.5.3.1: 64 octets before the `@`, 255 after it.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = || Err(Error::Invalid(format!("{text:?} is not a mail address like ann@example.test")));
        let Some((local, domain)) = text.rsplit_once('@') else { return refuse() };
        let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        let local_ok =
            (1..=64).contains(&local.len()) && local.bytes().all(atom) && !local.split('.').any(str::is_empty);
        let label = |l: &str| {
            (1..=63).contains(&l.len())
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        let domain_ok = (1..=255).contains(&domain.len()) && domain.split('.').all(label);
        if !local_ok || !domain_ok {
            return refuse();
        }
        Ok(Self { text: text.to_ascii_lowercase().into(), at: local.len() })
    }

    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text.into()
    }
}

/// A password as a PHC string (Argon2id); does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A domain that this organisation receives mail for, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedDomain {
    pub name: String,
    /// The first domain of the organisation: where bare `postmaster` goes.
    pub default: bool,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    pub address: Address,
    /// Further addresses that deliver here.
    pub aliases: Vec<Address>,
    /// `None`: nobody can log on.
    pub password: Option<PasswordHash>,
    /// Octets; `None` is without a limit.
    pub quota: Option<u64>,
    pub created: Timestamp,
}

/// What a new account is made of; its special-use folders are made in the same durable point.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub address: Address,
    pub aliases: Vec<Address>,
    pub password: Option<PasswordHash>,
    pub quota: Option<u64>,
    pub created: Timestamp,
}

/// Replaces what is `Some`.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    pub aliases: Option<Vec<Address>>,
    pub password: Option<Option<PasswordHash>>,
    pub quota: Option<Option<u64>>,
}

/// Accounts and domains.
pub trait Directory: Send + Sync {
    /// By primary address or alias.
    fn find(&self, address: &Address) -> Future<'_, Result<Option<Arc<Account>>>>;

    fn account(&self, id: AccountId) -> Future<'_, Result<Option<Arc<Account>>>>;

    /// At most `limit` accounts in the order of their addresses, those after `after`.
    fn accounts(&self, after: Option<&Address>, limit: usize) -> Future<'_, Result<Vec<Arc<Account>>>>;

    /// `Exists` when an address is taken, `NotFound` when its domain is not accepted.
    fn create(&self, account: NewAccount) -> Future<'_, Result<AccountId>>;

    fn change(&self, id: AccountId, change: AccountChange) -> Future<'_, Result<()>>;

    /// Removes the account with its folders and messages. Its number is never used again.
    fn remove(&self, id: AccountId) -> Future<'_, Result<()>>;

    fn domains(&self) -> Future<'_, Result<Arc<Vec<AcceptedDomain>>>>;

    /// Adds a domain; the first one is the default. `Exists` if it is there.
    fn add_domain(&self, name: &str) -> Future<'_, Result<()>>;
}
