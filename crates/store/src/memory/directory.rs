//! Domains and accounts in memory.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::Memory;
use super::state::{Mailbox, State};
use crate::{AcceptedDomain, Account, AccountChange, AccountId, Address, Directory, Error, Future, NewAccount, Result};

impl Directory for Memory {
    fn find(&self, address: &Address) -> Future<'_, Result<Option<Arc<Account>>>> {
        let address = address.clone();
        Box::pin(async move {
            let state = self.lock();
            let found = state.addresses.get(&address).and_then(|id| state.mailboxes.get(id));
            Ok(found.map(|mailbox| mailbox.account.clone()))
        })
    }

    fn account(&self, id: AccountId) -> Future<'_, Result<Option<Arc<Account>>>> {
        Box::pin(async move { Ok(self.lock().mailboxes.get(&id).map(|mailbox| mailbox.account.clone())) })
    }

    fn accounts(&self, after: Option<&Address>, limit: usize) -> Future<'_, Result<Vec<Arc<Account>>>> {
        let from = after.cloned().map_or(Bound::Unbounded, Bound::Excluded);
        Box::pin(async move {
            let state = self.lock();
            let named = state.addresses.range((from, Bound::Unbounded));
            let found = named.filter_map(|(address, id)| Some((address, &state.mailboxes.get(id)?.account)));
            let primary = found.filter(|(address, account)| account.address == **address);
            Ok(primary.map(|(_, account)| account.clone()).take(limit).collect())
        })
    }

    fn create(&self, new: NewAccount) -> Future<'_, Result<AccountId>> {
        Box::pin(async move { self.lock().create_account(new) })
    }

    fn change(&self, id: AccountId, change: AccountChange) -> Future<'_, Result<()>> {
        Box::pin(async move { self.lock().change_account(id, change) })
    }

    fn remove(&self, id: AccountId) -> Future<'_, Result<()>> {
        Box::pin(async move { self.lock().remove_account(id) })
    }

    fn domains(&self) -> Future<'_, Result<Arc<Vec<AcceptedDomain>>>> {
        Box::pin(async { Ok(self.lock().domains.clone()) })
    }

    fn add_domain(&self, name: &str) -> Future<'_, Result<()>> {
        let name = AcceptedDomain::parse_name(name);
        Box::pin(async move {
            let name = name?;
            let mut state = self.lock();
            let domains = Arc::make_mut(&mut state.domains);
            if domains.iter().any(|domain| domain.name == name) {
                return Err(Error::Exists("the domain"));
            }
            let default = domains.is_empty();
            domains.push(AcceptedDomain { name, default });
            Ok(())
        })
    }
}

impl State {
    fn create_account(&mut self, new: NewAccount) -> Result<AccountId> {
        let account = Account::new(AccountId(self.last_account + 1), new);
        let id = account.id;
        self.check_addresses(id, [&account.address].into_iter().chain(&account.aliases))?;
        let mailbox = Mailbox::new(Arc::new(account), &mut self.last_uid_validity)?;
        self.last_account = id.0;
        self.name_account(&mailbox.account);
        self.mailboxes.insert(id, mailbox);
        Ok(id)
    }

    fn change_account(&mut self, id: AccountId, change: AccountChange) -> Result<()> {
        let has_new_aliases = change.aliases.is_some();
        let account = Account::clone(&self.mailbox(id)?.account).changed(change)?;
        if has_new_aliases {
            self.check_addresses(id, [&account.address].into_iter().chain(&account.aliases))?;
        }
        let account = Arc::new(account);
        self.addresses.retain(|_, owner| *owner != id);
        self.name_account(&account);
        self.mailbox_mut(id)?.account = account;
        Ok(())
    }

    fn remove_account(&mut self, id: AccountId) -> Result<()> {
        self.mailboxes.remove(&id).ok_or(Error::NotFound("the account"))?;
        self.addresses.retain(|_, owner| *owner != id);
        self.watches.wake(id);
        Ok(())
    }

    fn name_account(&mut self, account: &Account) {
        for address in [&account.address].into_iter().chain(&account.aliases) {
            self.addresses.insert(address.clone(), account.id);
        }
    }

    fn check_addresses<'a>(&self, owner: AccountId, addresses: impl Iterator<Item = &'a Address>) -> Result<()> {
        let mut seen = BTreeSet::new();
        for address in addresses {
            if !self.domains.iter().any(|domain| domain.name == address.domain()) {
                return Err(Error::NotFound("the accepted domain"));
            }
            let taken = self.addresses.get(address).is_some_and(|other| *other != owner);
            if taken || !seen.insert(address) {
                return Err(Error::Exists("the address"));
            }
        }
        Ok(())
    }
}
