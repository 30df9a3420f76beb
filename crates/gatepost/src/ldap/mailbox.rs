//! The mailbox of a user of the directory: made, brought up to date, kept when the user is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use store::{Account, AccountChange, Address, Entry, Error, NewAccount, Result, Source};

use super::LdapDirectory;
use super::client::Asked;
use super::user::User;

impl LdapDirectory {
    /// The user's mailbox, which is made if there is none. `None`: the user cannot have one, and the log says why.
    pub(super) async fn mailbox_of(&self, mut user: User) -> Result<Option<Arc<Account>>> {
        let domains = self.store.domains().await?;
        user.addresses.retain(|address| domains.iter().any(|domain| domain.name == address.domain()));
        let kept = self.kept(&user).await?;
        let was = kept.as_ref().and_then(|account| account.source.entry());
        if let (Some(account), true) = (&kept, was.is_some_and(|entry| entry.id == user.id)) {
            return self.brought_up_to_date(account.clone(), &user).await.map(Some);
        }
        let Some(address) = user.addresses.first() else {
            tracing::warn!(entry = user.name, "the user has no address of an accepted domain, and so no mailbox");
            return Ok(None);
        };
        // A mailbox is opened to whom the directory finds by its address, not to who is found otherwise and claims it.
        if !self.has_to_itself(&user, address).await? {
            return Ok(None);
        }
        if let Some(account) = kept {
            return self.brought_up_to_date(account, &user).await.map(Some);
        }
        let mut aliases = self.free(&user, &user.addresses, None).await?;
        if aliases.first() != Some(address) {
            return Ok(None);
        }
        aliases.remove(0);
        let now = crate::clock::now();
        let entry = Entry { name: user.name.clone(), id: user.id.clone(), seen: Some(now), verified: None };
        let made = self.store.create(NewAccount {
            address: address.clone(),
            aliases,
            source: Source::Directory(entry),
            password: None,
            quota: None,
            created: now,
        });
        match made.await {
            Ok(_) => {
                tracing::info!(address = address.as_str(), entry = user.name, "a mailbox for a user of the directory");
            }
            // By somebody else meanwhile.
            Err(Error::Exists(_)) => {}
            Err(error) => return Err(error),
        }
        let account = self.store.find(address).await?;
        Ok(account.filter(|account| account.address == *address && account.source != Source::Local))
    }

    async fn has_to_itself(&self, user: &User, address: &Address) -> Result<bool> {
        let found = match &self.client {
            Ok(client) => client.user(&Asked::Address(address.clone())).await,
            Err(why) => Err(why.clone()),
        };
        let found = found.map_err(|away| Error::Unavailable(format!("no directory can be asked: {away}")))?;
        Ok(found.is_some_and(|found| found.id == user.id))
    }

    /// The mailbox that the user has: it is named by the user's first address, or by another one and was this user's
    /// before. Its name stays when the user gets another.
    async fn kept(&self, user: &User) -> Result<Option<Arc<Account>>> {
        for (at, address) in user.addresses.iter().enumerate() {
            let Some(account) = self.store.find(address).await? else { continue };
            let Some(entry) = account.source.entry() else { continue };
            if account.address == *address && (at == 0 || entry.id == user.id) {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    async fn brought_up_to_date(&self, account: Arc<Account>, user: &User) -> Result<Arc<Account>> {
        let Some(entry) = account.source.entry() else { return Ok(account) };
        let others: Vec<Address> =
            user.addresses.iter().filter(|address| **address != account.address).cloned().collect();
        let aliases = self.free(user, &others, Some(&account)).await?;
        let as_set = |aliases: &[Address]| aliases.iter().cloned().collect::<BTreeSet<_>>();
        let are_same = as_set(&aliases) == as_set(&account.aliases);
        let now = crate::clock::now();
        let is_same = entry.name == user.name && entry.id == user.id && entry.seen.is_some();
        if are_same && is_same && !self.is_to_be_written(entry.seen, now) {
            return Ok(account);
        }
        let entry = Entry { name: user.name.clone(), id: user.id.clone(), seen: Some(now), ..entry.clone() };
        let change = AccountChange {
            aliases: (!are_same).then_some(aliases),
            source: Some(Source::Directory(entry)),
            provided_source: Some(account.source.clone()),
            ..AccountChange::default()
        };
        match self.store.change(account.id, change).await {
            // Somebody else has done the same.
            Ok(()) | Err(Error::Conflict) => {}
            Err(error @ (Error::Exists(_) | Error::NotFound(_))) => {
                tracing::warn!(address = account.address.as_str(), %error, "the mailbox's addresses were not changed");
            }
            Err(error) => return Err(error),
        }
        Ok(self.store.account(account.id).await?.unwrap_or(account))
    }

    /// Those that the user can have: what was another user's alias is so no more, what names a mailbox or was given to
    /// one here stays there.
    async fn free(&self, user: &User, addresses: &[Address], own: Option<&Account>) -> Result<Vec<Address>> {
        let mut free = Vec::with_capacity(addresses.len());
        for address in addresses {
            let is_own = own.is_some_and(|own| own.address == *address || own.aliases.contains(address));
            // What another entry has too is nobody's to take: it stays with whom it was.
            if !is_own && !self.has_to_itself(user, address).await.unwrap_or(false) {
                let entry = user.name.as_str();
                tracing::warn!(address = address.as_str(), entry, "not given to this user: it is not the user's alone");
                continue;
            }
            let other = self.store.find(address).await?;
            let Some(other) = other.filter(|other| own.is_none_or(|own| own.id != other.id)) else {
                free.push(address.clone());
                continue;
            };
            if other.source == Source::Local || other.address == *address {
                let (alias, mailbox) = (address.as_str(), other.address.as_str());
                tracing::warn!(alias, mailbox, "an address of a user of the directory belongs to another mailbox");
                continue;
            }
            let aliases = other.aliases.iter().filter(|alias| *alias != address).cloned().collect();
            let change = AccountChange {
                aliases: Some(aliases),
                provided_source: Some(other.source.clone()),
                ..AccountChange::default()
            };
            self.store.change(other.id, change).await?;
            free.push(address.clone());
        }
        Ok(free)
    }

    /// Nobody in the directory has the address any more that was the account's.
    pub(super) async fn has_lost(&self, account: &Account, asked: &Asked) -> Result<()> {
        let Some(entry) = account.source.entry() else { return Ok(()) };
        let named = match &self.client {
            Ok(client) => client.named(&entry.name).await,
            Err(why) => Err(why.clone()),
        };
        match named {
            // The user is there, with other addresses.
            Ok(Some(user)) if user.id == entry.id => {
                self.mailbox_of(user).await?;
                return Ok(());
            }
            Ok(_) => {}
            Err(away) => return Err(Error::Unavailable(format!("no directory can be asked: {away}"))),
        }
        tracing::info!(
            ?asked,
            address = account.address.as_str(),
            entry = entry.name,
            "the user is in the directory no more, or not in the group; the mailbox is kept"
        );
        let gone = Entry { seen: None, verified: None, ..entry.clone() };
        let change = AccountChange {
            // Others may have them now.
            aliases: Some(Vec::new()),
            password: Some(None),
            source: Some(Source::Directory(gone)),
            provided_source: Some(account.source.clone()),
            ..AccountChange::default()
        };
        match self.store.change(account.id, change).await {
            Ok(()) | Err(Error::Conflict) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        if let Some(dismiss) = self.dismiss.get() {
            dismiss(account.id);
        }
        Ok(())
    }
}
