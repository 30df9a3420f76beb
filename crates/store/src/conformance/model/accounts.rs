//! Directory and settings verbs on engine and model.

use super::Run;
use super::state::{Fault, Mailbox, Model, agreed};
use super::verb::LOCALS;
use crate::conformance::trial::{address, new_account, wait};
use crate::{AcceptedDomain, AccountChange, AccountId, Error, NewAccount, Password};

impl Run {
    pub fn create_account(&mut self, who: usize, alias: Option<usize>, quota: Option<u64>) {
        let (local, alias) = (LOCALS[who], alias.map(alias_of));
        let mut faults = Vec::new();
        let taken = |name: &str| is_taken(&self.model, name, None);
        if taken(local) || alias.is_some_and(|alias| alias == local || taken(alias)) {
            faults.push(Fault::Exists);
        }
        let new = NewAccount { aliases: alias.map(address).into_iter().collect(), quota, ..new_account(local) };
        if let Some(id) = agreed(wait(self.trial.directory().create(new)), &faults) {
            assert!(self.model.account_ids.insert(id), "{id:?} was used before");
            self.model.accounts.insert(id, Mailbox::new(local, alias, quota));
        }
    }

    pub fn change_account(&mut self, who: usize, alias: Option<usize>, quota: Option<u64>, password: &str) {
        let alias = alias.map(alias_of);
        let found = self.model.account_of(LOCALS[who]).map(|(id, _)| id);
        let id = found.unwrap_or(AccountId(4_000_000));
        let mut faults = Vec::new();
        if found.is_none() {
            faults.push(Fault::NotFound);
        } else if alias.is_some_and(|alias| is_taken(&self.model, alias, found)) {
            faults.push(Fault::Exists);
        }
        let password = Password::hashed(password);
        let change = AccountChange {
            aliases: Some(alias.map(address).into_iter().collect()),
            password: Some(Some(password.clone())),
            quota: Some(quota),
            ..AccountChange::default()
        };
        if agreed(wait(self.trial.directory().change(id, change)), &faults).is_some() {
            let mailbox = self.model.accounts.get_mut(&id).unwrap();
            (mailbox.alias, mailbox.quota, mailbox.password) = (alias, quota, Some(password.hash.0));
        }
    }

    pub fn remove_account(&mut self, who: usize) {
        let found = self.model.account_of(LOCALS[who]).map(|(id, _)| id);
        let id = found.unwrap_or(AccountId(4_000_000));
        let faults = if found.is_none() { vec![Fault::NotFound] } else { Vec::new() };
        if agreed(wait(self.trial.directory().remove(id)), &faults).is_some() {
            wait(self.watches.get_mut(&id).unwrap().changed());
            self.watches.remove(&id);
            let mailbox = self.model.accounts.remove(&id).unwrap();
            // How long the bodies of a removed account stay readable is the engine's affair.
            let held = self.model.held_messages();
            for row in mailbox.folders.values().flat_map(|folder| folder.rows.values()) {
                if let Some(message) = row.message.filter(|message| !held.contains(message)) {
                    self.model.messages.remove(&message);
                }
            }
            let inbox = mailbox.folders.values().next().and_then(|folder| folder.id).unwrap();
            assert!(matches!(wait(self.trial.mailboxes().listing(inbox)), Err(Error::NotFound(_))));
            assert!(matches!(wait(self.trial.mailboxes().folders(id)), Err(Error::NotFound(_))));
        }
    }

    pub fn add_domain(&mut self, name: &'static str) {
        let lower = name.to_ascii_lowercase();
        let mut faults = Vec::new();
        if name.contains(' ') {
            faults.push(Fault::Invalid);
        }
        if self.model.domains.iter().any(|domain| domain.name == lower) {
            faults.push(Fault::Exists);
        }
        if agreed(wait(self.trial.directory().add_domain(name)), &faults).is_some() {
            let default = self.model.domains.is_empty();
            self.model.domains.push(AcceptedDomain { name: lower, default });
        }
    }

    pub fn set(&mut self, changes: &[(u8, Option<u8>)]) {
        let changes: Vec<_> = changes
            .iter()
            .map(|(name, value)| (format!("setting{name}"), value.map(serde_json::Value::from)))
            .collect();
        wait(self.trial.settings().change(changes.clone())).unwrap();
        for (name, value) in changes {
            match value {
                Some(value) => self.model.settings.insert(name, value),
                None => self.model.settings.remove(&name),
            };
        }
    }
}

/// Aliases share names with accounts now and then.
fn alias_of(number: usize) -> &'static str {
    ["ann", "sales", "info"][number]
}

fn is_taken(model: &Model, local: &str, except: Option<AccountId>) -> bool {
    model.accounts.iter().any(|(id, mailbox)| {
        // An account's own address is no alias for it.
        let as_alias = mailbox.alias == Some(local) && Some(*id) != except;
        mailbox.local == local || as_alias
    })
}
