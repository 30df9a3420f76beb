//! The store that this server stands on, behind the handles that everything else uses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use management::settings::ServerSettings;
use store::{Directory, Error, Mailboxes, Settings};
use store_embedded::{Embedded, Options};
use tokio::task::spawn_blocking;

use crate::setup::SetupError;

/// The handles of one open store.
pub struct Engine {
    pub directory: Arc<dyn Directory>,
    pub mailboxes: Arc<dyn Mailboxes>,
    pub settings: Arc<dyn Settings>,
    store: Arc<Embedded>,
    path: PathBuf,
    tuning: Tuning,
}

/// What the store's own settings say of how it is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Tuning {
    /// Seconds.
    retention: i64,
    /// Octets.
    segment_size: u64,
    /// Of one mailbox.
    max_messages: u64,
}

impl Tuning {
    fn of(options: &Options) -> Self {
        let Options { retention, segment_size, max_messages, .. } = *options;
        Self { retention, segment_size, max_messages }
    }

    fn from_settings(settings: &ServerSettings) -> Self {
        Self {
            retention: i64::try_from(settings.deleted_item_retention.as_secs()).unwrap_or(i64::MAX),
            segment_size: settings.log_segment_size,
            max_messages: settings.max_messages_per_mailbox.into(),
        }
    }
}

impl Engine {
    /// Opens the store in `path`, or makes it there.
    pub async fn open(path: &Path) -> Result<Self, SetupError> {
        Self::open_with(path.to_owned(), options()).await
    }

    async fn open_with(path: PathBuf, options: Options) -> Result<Self, SetupError> {
        let tuning = Tuning::of(&options);
        let place = path.clone();
        let opened = spawn_blocking(move || Embedded::open(&place, options)).await;
        let store = opened.map_err(|panic| Error::Unavailable(panic.to_string()))?.map_err(|error| match error {
            Error::Busy => SetupError::Refused(format!(
                "{0} is in use: a server runs on it already; manage it (gatepost Get-Service --data {0}), or end it first",
                path.parent().unwrap_or(&path).display()
            )),
            error => error.into(),
        })?;
        let store = Arc::new(store);
        let (directory, mailboxes, settings) = (store.clone(), store.clone(), store.clone());
        Ok(Self { directory, mailboxes, settings, store, path, tuning })
    }

    /// The same store with the options that its own settings ask for: opened again if they differ.
    pub async fn with_its_settings(self) -> Result<Self, SetupError> {
        let settings = ServerSettings::load(&*self.settings.snapshot().await?)?;
        let tuning = Tuning::from_settings(&settings);
        if tuning == self.tuning {
            return Ok(self);
        }
        let path = self.path.clone();
        self.close().await;
        let Tuning { retention, segment_size, max_messages } = tuning;
        Self::open_with(path, Options { retention, segment_size, max_messages, ..options() }).await
    }

    /// Waits until the store has stopped after a fault of its own.
    pub async fn failed(&self) {
        self.store.failed().await;
    }

    /// For what concerns the store as a whole.
    pub fn store(&self) -> Arc<Embedded> {
        self.store.clone()
    }

    /// Nothing uses the handles any more.
    pub async fn close(self) {
        let Self { directory, mailboxes, settings, store, .. } = self;
        drop((directory, mailboxes, settings));
        let Some(store) = Arc::into_inner(store) else {
            tracing::warn!("the store is still in use; the next start takes what is missing from its log");
            return;
        };
        match spawn_blocking(move || store.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the store was not closed in order"),
            Err(panic) => tracing::error!(%panic, "the store was not closed in order"),
        }
    }
}

fn options() -> Options {
    Options::new(crate::clock::now)
}
