//! Settings as named values. What each means, its type and its default are declared where it is used.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Future, Result};

/// Values by name; an absent one has its declared default.
pub type SettingsMap = BTreeMap<String, serde_json::Value>;

/// The configuration that all nodes share.
pub trait Settings: Send + Sync {
    /// The current snapshot; cheap.
    fn snapshot(&self) -> Future<'_, Result<Arc<SettingsMap>>>;

    /// Sets (`Some`) or resets to the default (`None`) all the named values at one durable point.
    fn change(&self, changes: Vec<(String, Option<serde_json::Value>)>) -> Future<'_, Result<()>>;
}
