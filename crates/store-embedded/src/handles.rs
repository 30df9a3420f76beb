//! The handles of the domain, on the engine.

use std::ops::{Bound, Range};
use std::sync::Arc;

use bytes::Bytes;
use store::{
    Accept, AcceptedDomain, Account, AccountChange, AccountId, Address, Applied, BodyWriter, Change, Directory, Error,
    FolderChange, FolderId, Folders, Future, Lease, Listing, Mailboxes, MessageId, MessageOutline, ModSeq, NewAccount,
    Placed, Result, Settings, SettingsMap, Uid, UidSet, Usage, Watch,
};

use crate::Embedded;
use crate::engine::Engine;
use crate::sequencer::{Pending, ReadyBody};
use crate::stage::Stage;
use crate::state::{AccountState, Key, Table, decode};

impl Mailboxes for Embedded {
    fn stage(&self, expected: Option<u64>) -> Future<'_, Result<Box<dyn BodyWriter>>> {
        Box::pin(async move { Ok(Box::new(Stage::new(self.engine.clone(), expected)?) as Box<dyn BodyWriter>) })
    }

    fn accept(&self, accept: Accept) -> Future<'_, Result<Vec<Result<Placed>>>> {
        Box::pin(async move {
            let Accept { body, placements, all_or_none } = accept;
            let (body, held) = ReadyBody::of(body)?;
            for placement in &placements {
                self.warm(placement.folder).await;
            }
            let verb = move |pending: &mut Pending| {
                let before = pending.counters.content;
                let answers = pending.accept(body, placements, all_or_none)?;
                if pending.counters.content != before {
                    pending.held.push(held);
                }
                Ok(answers)
            };
            self.engine.run(verb).await
        })
    }

    fn folders(&self, account: AccountId) -> Future<'_, Result<Arc<Folders>>> {
        Box::pin(async move { self.engine.tree(account) })
    }

    fn change_folders(&self, account: AccountId, change: FolderChange) -> Future<'_, Result<()>> {
        Box::pin(self.engine.run(move |pending| pending.change_folders(account, &change)))
    }

    fn listing(&self, folder: FolderId) -> Future<'_, Result<Listing>> {
        Box::pin(async move {
            if let Some(state) = self.engine.visible().folders.get(folder) {
                return Ok(state.listing.clone());
            }
            self.load(folder).await
        })
    }

    fn apply(
        &self,
        folder: FolderId,
        uids: UidSet,
        change: Change,
        unless: Option<ModSeq>,
    ) -> Future<'_, Result<Applied>> {
        Box::pin(async move {
            self.warm(folder).await;
            self.engine.run(move |pending| pending.change(folder, &uids, change, unless)).await
        })
    }

    fn claim_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        Box::pin(async move {
            // RFC 3501 §2.3.2 asks for the best effort only: decided in order, not waited for on disk.
            let (sender, receiver) = tokio::sync::oneshot::channel();
            drop(self.engine.submit(move |pending| {
                let _ = sender.send(pending.claim_recent(folder));
                Ok(())
            }));
            receiver.await.unwrap_or_else(|_| Err(crate::fault::stopped()))
        })
    }

    fn first_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        Box::pin(async move {
            // Asked of the order of changes, since a claim is answered before it is visible.
            let (sender, receiver) = tokio::sync::oneshot::channel();
            drop(self.engine.submit(move |pending| {
                let _ = sender.send(pending.folder(folder).map(|state| state.recent));
                Ok(())
            }));
            receiver.await.unwrap_or_else(|_| Err(crate::fault::stopped()))
        })
    }

    fn outlines<'a>(&'a self, messages: &'a [MessageId]) -> Future<'a, Result<Vec<Result<MessageOutline>>>> {
        Box::pin(async move {
            let (engine, messages) = (self.engine.clone(), messages.to_vec());
            if messages.len() <= FEW {
                return Ok(messages.into_iter().map(|message| engine.outline(message)).collect());
            }
            let read = move || Ok(messages.into_iter().map(|message| engine.outline(message)).collect());
            self.engine.blocking(read).await
        })
    }

    fn read(&self, message: MessageId, range: Range<u64>) -> Future<'_, Result<Bytes>> {
        Box::pin(async move { self.engine.read(message, range).await })
    }

    fn usage(&self, account: AccountId) -> Future<'_, Result<Usage>> {
        Box::pin(async move {
            let found: Account = self.engine.row(&Key::account(account))?.ok_or(Error::NotFound("the account"))?;
            let state: AccountState = self.engine.row(&Key::account_state(account))?.unwrap_or_default();
            let AccountState { octets, messages, changed, .. } = state;
            Ok(Usage { octets, messages, quota: found.quota, changed: Some(changed) })
        })
    }

    fn watch(&self, account: AccountId) -> Box<dyn Watch> {
        self.engine.watches.watch(account)
    }

    fn lease(&self, name: String) -> Future<'_, Result<Lease>> {
        Box::pin(async move { self.engine.leases.take(name) })
    }
}

impl Embedded {
    /// Brings a folder into memory before a verb needs it, so that the one order of changes does not wait for that.
    async fn warm(&self, folder: FolderId) {
        let is_cached = self.engine.visible().folders.get(folder).is_some();
        if !is_cached {
            // What is wrong with it, the verb will find.
            let _ = self.load(folder).await;
        }
    }

    async fn load(&self, folder: FolderId) -> Result<Listing> {
        let engine = self.engine.clone();
        self.engine.blocking(move || Ok(engine.folder(folder)?.listing)).await
    }
}

/// So many outlines are looked up on the caller's thread.
const FEW: usize = 64;

impl Directory for Embedded {
    fn find(&self, address: &Address) -> Future<'_, Result<Option<Arc<Account>>>> {
        let key = Key::address(address);
        Box::pin(async move {
            let Some(id) = self.engine.row::<AccountId>(&key)? else { return Ok(None) };
            Ok(self.engine.row(&Key::account(id))?.map(Arc::new))
        })
    }

    fn account(&self, id: AccountId) -> Future<'_, Result<Option<Arc<Account>>>> {
        Box::pin(async move { Ok(self.engine.row(&Key::account(id))?.map(Arc::new)) })
    }

    fn accounts(&self, after: Option<&Address>, limit: usize) -> Future<'_, Result<Vec<Arc<Account>>>> {
        let after = after.cloned().map_or(Bound::Unbounded, Bound::Excluded);
        Box::pin(async move { self.engine.accounts(after, limit) })
    }

    fn create(&self, account: NewAccount) -> Future<'_, Result<AccountId>> {
        Box::pin(self.engine.run(move |pending| pending.create_account(account)))
    }

    fn change(&self, id: AccountId, change: AccountChange) -> Future<'_, Result<()>> {
        Box::pin(self.engine.run(move |pending| pending.change_account(id, change)))
    }

    fn remove(&self, id: AccountId) -> Future<'_, Result<()>> {
        Box::pin(self.engine.run(move |pending| pending.remove_account(id)))
    }

    fn domains(&self) -> Future<'_, Result<Arc<Vec<AcceptedDomain>>>> {
        Box::pin(async move { Ok(self.engine.visible().domains.clone()) })
    }

    fn add_domain(&self, name: &str) -> Future<'_, Result<()>> {
        let name = AcceptedDomain::parse_name(name);
        Box::pin(async move {
            let name = name?;
            self.engine.run(move |pending| pending.add_domain(name)).await
        })
    }
}

impl Engine {
    fn accounts(&self, after: Bound<Address>, limit: usize) -> Result<Vec<Arc<Account>>> {
        let mut from = match &after {
            Bound::Excluded(address) | Bound::Included(address) => Key::address(address).successor(),
            Bound::Unbounded => Key::first(Table::Address),
        };
        let mut accounts: Vec<Arc<Account>> = Vec::new();
        // Aliases stand between the addresses, so a round may bring fewer accounts than rows.
        while accounts.len() < limit {
            let rows = self.range(&from, &Key::last(Table::Address), ROUND)?;
            let is_last = rows.len() < ROUND;
            for (key, id) in rows {
                let account: Option<Account> = self.row(&Key::account(decode(&id)?))?;
                let primary = account.filter(|account| account.address.as_str().as_bytes() == key.octets());
                if accounts.len() < limit {
                    accounts.extend(primary.map(Arc::new));
                }
                from = key.successor();
            }
            if is_last {
                break;
            }
        }
        Ok(accounts)
    }
}

/// Addresses looked at together.
const ROUND: usize = 256;

impl Settings for Embedded {
    fn snapshot(&self) -> Future<'_, Result<Arc<SettingsMap>>> {
        Box::pin(async move { Ok(self.engine.visible().settings.clone()) })
    }

    fn change(&self, changes: Vec<(String, Option<serde_json::Value>)>) -> Future<'_, Result<()>> {
        Box::pin(self.engine.run(move |pending| pending.change_settings(changes)))
    }
}
