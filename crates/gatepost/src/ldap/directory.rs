//! The store's directory, with those in it whom the other one knows.

use std::sync::Arc;

use store::{
    AcceptedDomain, Account, AccountChange, AccountId, Address, Directory, Future, NewAccount, Result, Source,
};

use super::LdapDirectory;
use super::client::Asked;

impl Directory for LdapDirectory {
    /// An account that was made here is answered without asking anybody.
    fn find(&self, address: &Address) -> Future<'_, Result<Option<Arc<Account>>>> {
        let address = address.clone();
        Box::pin(async move {
            let known = self.store.find(&address).await?;
            if known.as_ref().is_some_and(|account| account.source == Source::Local) {
                return Ok(known);
            }
            let domains = self.store.domains().await?;
            if !domains.iter().any(|domain| domain.name == address.domain()) {
                return Ok(None);
            }
            self.resolve(Asked::Address(address), known).await
        })
    }

    fn account(&self, id: AccountId) -> Future<'_, Result<Option<Arc<Account>>>> {
        self.store.account(id)
    }

    /// Those who have a mailbox.
    fn accounts(&self, after: Option<&Address>, limit: usize) -> Future<'_, Result<Vec<Arc<Account>>>> {
        self.store.accounts(after, limit)
    }

    fn create(&self, account: NewAccount) -> Future<'_, Result<AccountId>> {
        self.store.create(account)
    }

    fn change(&self, id: AccountId, change: AccountChange) -> Future<'_, Result<()>> {
        self.store.change(id, change)
    }

    fn remove(&self, id: AccountId) -> Future<'_, Result<()>> {
        self.store.remove(id)
    }

    fn domains(&self) -> Future<'_, Result<Arc<Vec<AcceptedDomain>>>> {
        self.store.domains()
    }

    fn add_domain(&self, name: &str) -> Future<'_, Result<()>> {
        self.store.add_domain(name)
    }
}
