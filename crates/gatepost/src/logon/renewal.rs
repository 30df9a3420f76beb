//! What is kept of a password is made anew when its owner shows it and it is not as good as it should be.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use proto::logon::Secret;
use store::{Account, AccountChange, AccountId, Directory, Error};

use super::{Hashing, lock};

/// Accounts whose passwords are being renewed, each once at a time.
#[derive(Clone, Default)]
pub struct Renewals(Arc<Mutex<HashSet<AccountId>>>);

impl Renewals {
    /// In the background: the log-on does not wait for it, and does not fail with it.
    pub fn begin(&self, directory: Arc<dyn Directory>, hashing: Hashing, account: Arc<Account>, password: Secret) {
        if !lock(&self.0).insert(account.id) {
            return;
        }
        let ends = Ends { renewals: self.clone(), account: account.id };
        tokio::spawn(async move {
            let _ends = ends;
            if let Err(why) = renew(&*directory, &hashing, &account, password).await {
                tracing::warn!(address = account.address.as_str(), why, "the password could not be kept anew");
            }
        });
    }
}

/// The account's renewal is over, however it ended.
struct Ends {
    renewals: Renewals,
    account: AccountId,
}

impl Drop for Ends {
    fn drop(&mut self) {
        lock(&self.renewals.0).remove(&self.account);
    }
}

async fn renew(
    directory: &dyn Directory,
    hashing: &Hashing,
    account: &Account,
    password: Secret,
) -> Result<(), String> {
    let Some(kept) = &account.password else { return Ok(()) };
    let renewed = hashing.renewed(kept, password).await.map_err(|error| error.to_string())?;
    let Some(renewed) = renewed else { return Ok(()) };
    // Unless somebody set another one meanwhile.
    let change = AccountChange {
        password: Some(Some(renewed)),
        provided: Some(kept.hash.clone()),
        provided_access: Some(account.access),
        ..AccountChange::default()
    };
    match directory.change(account.id, change).await {
        Ok(()) => tracing::info!(address = account.address.as_str(), "the password is kept anew"),
        Err(Error::Conflict) => {}
        Err(error) => return Err(error.to_string()),
    }
    Ok(())
}
