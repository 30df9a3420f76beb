//! Who waits for changes, and who holds a name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use store::{AccountId, Error, Future, Lease, Result, Watch};
use tokio::sync::watch;

/// A counter for each account that somebody watches.
#[derive(Default)]
pub(crate) struct Watches(Mutex<HashMap<AccountId, watch::Sender<u64>>>);

impl Watches {
    pub fn watch(&self, account: AccountId) -> Box<dyn Watch> {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = senders.entry(account).or_insert_with(|| watch::Sender::new(0));
        Box::new(AccountWatch(sender.subscribe()))
    }

    pub fn wake<'a>(&self, accounts: impl Iterator<Item = &'a AccountId>) {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for account in accounts {
            if let Some(sender) = senders.get(account) {
                if sender.is_closed() {
                    senders.remove(account);
                } else {
                    sender.send_modify(|count| *count = count.wrapping_add(1));
                }
            }
        }
    }
}

struct AccountWatch(watch::Receiver<u64>);

impl Watch for AccountWatch {
    fn changed(&mut self) -> Future<'_, ()> {
        Box::pin(async {
            if self.0.changed().await.is_err() {
                // The store has closed: nothing will ever change again.
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Names held, in this process: a store is open in one process only.
#[derive(Clone, Default)]
pub(crate) struct Leases(Arc<Mutex<HashSet<String>>>);

impl Leases {
    pub fn take(&self, name: String) -> Result<Lease> {
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
            return Err(Error::Busy);
        }
        Ok(Lease::new(Held { leases: self.clone(), name }))
    }
}

struct Held {
    leases: Leases,
    name: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.leases.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
