//! Settings in memory.

use std::sync::Arc;

use super::Memory;
use crate::{Future, Result, Settings, SettingsMap};

impl Settings for Memory {
    fn snapshot(&self) -> Future<'_, Result<Arc<SettingsMap>>> {
        Box::pin(async { Ok(self.lock().settings.clone()) })
    }

    fn change(&self, changes: Vec<(String, Option<serde_json::Value>)>) -> Future<'_, Result<()>> {
        Box::pin(async {
            let mut state = self.lock();
            let settings = Arc::make_mut(&mut state.settings);
            for (name, value) in changes {
                match value {
                    Some(value) => settings.insert(name, value),
                    None => settings.remove(&name),
                };
            }
            Ok(())
        })
    }
}
