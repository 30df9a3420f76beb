//! Who there is: accepted domains and accounts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::is_domain;
use crate::{Account, AccountChange, AccountId, Address, Error, Future, NewAccount, Result};

/// A domain that this organisation receives mail for, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedDomain {
    pub name: String,
    /// The first domain of the organisation: where bare `postmaster` goes.
    pub default: bool,
}

impl AcceptedDomain {
    /// A domain's name as it is stored, in lower case; `Invalid` unless it can stand in an [`Address`].
    pub fn parse_name(text: &str) -> Result<String> {
        if !is_domain(text) {
            return Err(Error::Invalid(format!("{text:?} is not a domain like example.test")));
        }
        Ok(text.to_ascii_lowercase())
    }
}

/// Accounts and domains.
pub trait Directory: Send + Sync {
    /// By primary address or alias.
    fn find(&self, address: &Address) -> Future<'_, Result<Option<Arc<Account>>>>;

    fn account(&self, id: AccountId) -> Future<'_, Result<Option<Arc<Account>>>>;

    /// At most `limit` accounts in the order of their addresses, those after `after`.
    fn accounts(&self, after: Option<&Address>, limit: usize) -> Future<'_, Result<Vec<Arc<Account>>>>;

    /// `Exists` when an address or alias is taken, `NotFound` when its domain is not accepted. A UIDVALIDITY in it
    /// is above every one that a removed account of that address had (RFC 3501 §2.3.1.1).
    fn create(&self, account: NewAccount) -> Future<'_, Result<AccountId>>;

    /// All of it or nothing: aliases are refused as in [`Self::create`]; `NotFound` without the account, `Conflict`
    /// where [`AccountChange::provided`] does not hold.
    fn change(&self, id: AccountId, change: AccountChange) -> Future<'_, Result<()>>;

    /// Removes the account with its folders and messages. Its number is never used again.
    fn remove(&self, id: AccountId) -> Future<'_, Result<()>>;

    fn domains(&self) -> Future<'_, Result<Arc<Vec<AcceptedDomain>>>>;

    /// Adds a domain; the first one is the default. `Exists` if it is there in any case, `Invalid` if it is none.
    fn add_domain(&self, name: &str) -> Future<'_, Result<()>>;
}
