//! Domains, accounts and settings are changed.

use std::collections::BTreeSet;

use store::{AcceptedDomain, Account, AccountChange, AccountId, Address, Error, NewAccount, Result};

use super::Pending;
use crate::log::Record;
use crate::state::Key;

impl Pending {
    pub fn create_account(&mut self, new: NewAccount) -> Result<AccountId> {
        let account = Account::new(self.next_account()?, new);
        self.check_addresses(&account)?;
        self.apply_and_log(&Record::Account(account.clone()))?;
        self.make_first_folders(&account)?;
        Ok(account.id)
    }

    pub fn next_account(&self) -> Result<AccountId> {
        let number = self.counters.account.checked_add(1);
        Ok(AccountId(number.ok_or_else(|| Error::Limit("this store has used all its account numbers".into()))?))
    }

    pub fn change_account(&mut self, id: AccountId, change: AccountChange) -> Result<()> {
        let has_new_aliases = change.aliases.is_some();
        let account = self.account(id)?.changed(change)?;
        if has_new_aliases {
            self.check_addresses(&account)?;
        }
        self.apply_and_log(&Record::Account(account))
    }

    pub fn remove_account(&mut self, account: AccountId) -> Result<()> {
        self.account(account)?;
        let at = self.now();
        self.apply_and_log(&Record::AccountRemoved { account, at })
    }

    pub fn add_domain(&mut self, name: String) -> Result<()> {
        let mut domains = Vec::clone(&*self.domains());
        if domains.iter().any(|domain| domain.name == name) {
            return Err(Error::Exists("the domain"));
        }
        let default = domains.is_empty();
        domains.push(AcceptedDomain { name, default });
        self.apply_and_log(&Record::Domains(domains))
    }

    pub fn change_settings(&mut self, changes: Vec<(String, Option<serde_json::Value>)>) -> Result<()> {
        let changes = changes.into_iter().map(|(name, value)| (name, value.map(|value| value.to_string())));
        self.apply_and_log(&Record::Settings(changes.collect()))
    }

    pub fn check_addresses(&self, account: &Account) -> Result<()> {
        let domains = self.domains();
        let mut seen: BTreeSet<&Address> = BTreeSet::new();
        for address in [&account.address].into_iter().chain(&account.aliases) {
            if !domains.iter().any(|domain| domain.name == address.domain()) {
                return Err(Error::NotFound("the accepted domain"));
            }
            let owner: Option<AccountId> = self.row(&Key::address(address))?;
            if owner.is_some_and(|owner| owner != account.id) || !seen.insert(address) {
                return Err(Error::Exists("the address"));
            }
        }
        Ok(())
    }
}
