//! Who is logged on: connections of each user, counted, and told when their log-on holds no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use identity::ConnectionCounter;
use store::AccountId;

use super::lock;
use crate::connection::{Drain, Drained, Protocol};

/// Holds an entry only for users who have connections.
#[derive(Debug, Default)]
pub struct Users(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    connections: ConnectionCounter<(Protocol, AccountId)>,
    log_ons: HashMap<AccountId, LogOns>,
}

/// Those of one account.
#[derive(Debug, Default)]
struct LogOns {
    count: usize,
    /// Tells all when it is dropped.
    over: Drain,
}

impl Users {
    /// Counts one more, unless there are `limit` over this protocol.
    pub fn take(users: &Arc<Self>, protocol: Protocol, account: AccountId, limit: u32) -> Option<Place> {
        let mut open = lock(&users.0);
        open.connections.take((protocol, account), limit).ok()?;
        let log_ons = open.log_ons.entry(account).or_default();
        log_ons.count += 1;
        Some(Place { users: users.clone(), protocol, account, over: log_ons.over.connection() })
    }

    /// No log-on of the account that was granted before holds any more.
    pub fn dismiss(&self, account: AccountId) {
        if let Some(log_ons) = lock(&self.0).log_ons.get_mut(&account) {
            // A new one for those who come after.
            std::mem::take(&mut log_ons.over).end();
        }
    }
}

/// One counted connection of a user.
#[derive(Debug)]
pub struct Place {
    users: Arc<Users>,
    protocol: Protocol,
    account: AccountId,
    over: Drained,
}

impl Place {
    pub fn over(&self) -> Drained {
        self.over.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.users.0);
        open.connections.release(&(self.protocol, self.account));
        if let Some(log_ons) = open.log_ons.get_mut(&self.account) {
            log_ons.count -= 1;
            if log_ons.count == 0 {
                open.log_ons.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_logged_on_before_are_told_and_nothing_is_left_behind() {
        let users = Arc::new(Users::default());
        let take = |account| Users::take(&users, Protocol::Imap, AccountId(account), 9).unwrap();
        let (ann, bob) = (take(1), take(2));
        users.dismiss(AccountId(1));
        users.dismiss(AccountId(3));
        ann.over().wait_for_end().await;
        let again = take(1);
        for holds in [&bob, &again] {
            tokio::select! {
                biased;
                () = async { holds.over().wait_for_end().await } => panic!("this one holds"),
                () = std::future::ready(()) => {}
            }
        }
        drop((ann, bob, again));
        assert!(lock(&users.0).log_ons.is_empty());
    }
}
