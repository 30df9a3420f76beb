//! What a setup has begun and not finished, kept as settings beside the others, so that a later run knows.

use std::collections::BTreeMap;

use serde_json::Value;
use store::{Account, Address, PasswordHash, Settings};

use super::SetupError;

/// A setup by `gatepost init` is under way, or was cut short.
pub struct Unfinished;

impl Unfinished {
    const NAME: &'static str = "Setup.Unfinished";

    pub async fn is_set(settings: &dyn Settings) -> Result<bool, SetupError> {
        Ok(settings.snapshot().await?.contains_key(Self::NAME))
    }

    pub async fn set(settings: &dyn Settings) -> Result<(), SetupError> {
        Ok(settings.change(vec![(Self::NAME.to_owned(), Some(Value::Bool(true)))]).await?)
    }

    pub async fn clear(settings: &dyn Settings) -> Result<(), SetupError> {
        Ok(settings.change(vec![(Self::NAME.to_owned(), None)]).await?)
    }
}

/// Passwords that were made up, and that nobody may have seen yet: their hashes, by mailbox. One that was changed
/// since is somebody's own.
#[derive(Default)]
pub struct NotShown(BTreeMap<String, String>);

impl NotShown {
    const NAME: &'static str = "Setup.PasswordsNotShown";

    pub async fn load(settings: &dyn Settings) -> Result<Self, SetupError> {
        let stored = settings.snapshot().await?;
        let damaged = |error| SetupError::Refused(format!("the setting {} is damaged: {error}", Self::NAME));
        let map = stored.get(Self::NAME).map(|value| serde_json::from_value(value.clone()));
        Ok(Self(map.transpose().map_err(damaged)?.unwrap_or_default()))
    }

    pub fn has(&self, account: &Account) -> bool {
        let hash = account.password.as_ref().map(|password| &password.hash.0);
        hash.is_some() && self.0.get(account.address.as_str()) == hash
    }

    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn add(&mut self, address: &Address, hash: &PasswordHash) {
        self.0.insert(address.as_str().to_owned(), hash.0.clone());
    }

    /// Whether it was there.
    pub fn remove(&mut self, address: &Address) -> bool {
        self.0.remove(address.as_str()).is_some()
    }

    pub async fn store(self, settings: &dyn Settings) -> Result<(), SetupError> {
        let value = (!self.0.is_empty()).then(|| self.0.into_iter().map(|(k, v)| (k, Value::from(v))).collect());
        Ok(settings.change(vec![(Self::NAME.to_owned(), value)]).await?)
    }
}
