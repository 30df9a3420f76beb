//! Verification, backup and restore of a whole server: its store, and the keys and certificates that its clients
//! trust.
//!
//! A backup has the shape of a data directory. That of a stopped server goes the same way as that of one that runs.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use management::{BackedUp, Port, RestoredMailbox, StoreMaintenance, Verified};
use store::{Address, Directory, Error, Future};
use store_embedded::{Backup, Embedded, Options, Repaired};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::logon::Vault;
use crate::setup::{DataDirectory, SetupError, be_its_owner};
use crate::tls::TlsFiles;

/// What an operator does with the store of one data directory while it is open.
pub struct Maintenance {
    store: Arc<Embedded>,
    data: DataDirectory,
    /// A restore has one place for what it unpacks.
    restoring: Mutex<()>,
}

impl Maintenance {
    pub fn new(store: Arc<Embedded>, data: DataDirectory) -> Self {
        Self { store, data, restoring: Mutex::default() }
    }

    /// Opens the store that no server runs on.
    pub fn open(data: DataDirectory) -> Result<Self, SetupError> {
        check(&data)?;
        let store = Embedded::open(&data.store(), quiet()).map_err(|error| refused(&data, &error))?;
        Ok(Self::new(Arc::new(store), data))
    }

    /// Leaves nothing to replay. Nothing goes on any more.
    pub fn close(self) -> Result<(), SetupError> {
        Arc::into_inner(self.store).map_or(Ok(()), |store| Ok(store.close()?))
    }

    /// A long read or write, on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Embedded, &DataDirectory) -> Port<T> + Send + 'static,
    ) -> Port<T> {
        let (store, data) = (self.store.clone(), self.data.clone());
        spawn_blocking(move || act(&store, &data)).await.map_err(|panic| panic.to_string())?
    }
}

impl StoreMaintenance for Maintenance {
    fn verify(&self) -> Future<'_, Port<Verified>> {
        Box::pin(async move {
            let found = self.blocking(|store, _| store.verify().map_err(|error| error.to_string())).await?;
            let mut faults = Vec::with_capacity(found.named.len());
            for fault in found.named {
                let account = match fault.account {
                    Some(id) => self.store.account(id).await.ok().flatten(),
                    None => None,
                };
                faults.push(match account {
                    Some(account) => format!("{}: {}", account.address, fault.what),
                    None => fault.what,
                });
            }
            Ok(Verified {
                segments: found.segments,
                mailboxes: found.accounts,
                folders: found.folders,
                messages: found.messages,
                octets: found.octets,
                fault_count: found.faults,
                faults,
            })
        })
    }

    fn backup<'a>(&'a self, path: &'a str) -> Future<'a, Port<BackedUp>> {
        let target = PathBuf::from(path);
        Box::pin(self.blocking(move |store, data| back_up(store, data, &target).map_err(|error| error.to_string())))
    }

    fn restore_mailbox<'a>(&'a self, address: &'a Address, path: &'a str) -> Future<'a, Port<RestoredMailbox>> {
        Box::pin(async move {
            let _restoring = self.restoring.lock().await;
            let backup = store_of(Path::new(path));
            let restored = self.store.restore_mailbox(&backup, address).await.map_err(|error| match error {
                Error::NotFound(_) => format!("there was no mailbox {address} when the backup {path} was made"),
                error => error.to_string(),
            })?;
            Ok(RestoredMailbox {
                made: restored.made,
                dropped_aliases: restored.dropped_aliases.iter().map(ToString::to_string).collect(),
                folders: restored.folders,
                restored: restored.messages,
                appended: restored.appended,
                present: restored.present,
            })
        })
    }
}

fn back_up(store: &Embedded, data: &DataDirectory, target: &Path) -> Result<BackedUp, SetupError> {
    if target.starts_with(data.path()) {
        return Err(SetupError::Refused(format!(
            "{} is inside the data directory, which a backup must outlive; name a place outside",
            target.display()
        )));
    }
    make_empty(target, "a backup needs a directory of its own")?;
    // Before the store: that one is marked as whole at its end.
    TlsFiles::new(data.path()).copy_to(&TlsFiles::new(target))?;
    Vault::copy(data.path(), target)?;
    let Backup { files, octets, .. } = store.backup(&make_store(target)?)?;
    Ok(BackedUp { files, octets })
}

/// Makes a data directory from a backup: the same server, with the same mail, passwords and certificates.
pub fn restore(backup: &Path, target: &Path) -> Result<Repaired, SetupError> {
    // Looked at first: nothing is made from what is no whole backup.
    Backup::of(&store_of(backup))?;
    make_empty(target, "a server is restored into a new directory; one mailbox, with --mailbox, into one in use")?;
    TlsFiles::new(backup).copy_to(&TlsFiles::new(target))?;
    Vault::copy(backup, target)?;
    Ok(store_embedded::restore(&store_of(backup), &make_store(target)?, quiet())?)
}

/// Makes the index of a stopped server's store anew.
pub fn repair(data: &DataDirectory) -> Result<Repaired, SetupError> {
    check(data)?;
    store_embedded::repair(&data.store(), quiet()).map_err(|error| refused(data, &error))
}

/// As the store is opened to be looked at: nothing is thrown away meanwhile.
fn quiet() -> Options {
    Options { compaction: false, retention: i64::MAX, ..Options::new(crate::clock::now) }
}

fn store_of(directory: &Path) -> PathBuf {
    directory.join("store")
}

fn refused(data: &DataDirectory, error: &Error) -> SetupError {
    let data = data.path().display();
    SetupError::Refused(match error {
        Error::Busy => format!("{data} is in use by a server; for this, end it first"),
        Error::Corrupt(_) => format!("{error}. Make the index anew: gatepost store repair --data {data}"),
        error => error.to_string(),
    })
}

/// There is a store, and it is the own user's.
fn check(data: &DataDirectory) -> Result<(), SetupError> {
    be_its_owner(data.path())?;
    if data.store().is_dir() {
        return Ok(());
    }
    Err(SetupError::Refused(format!("there is no server's data in {}", data.path().display())))
}

fn make_empty(target: &Path, why: &str) -> Result<(), SetupError> {
    let at = SetupError::file;
    DirBuilder::new().recursive(true).mode(0o700).create(target).map_err(at(target))?;
    if fs::read_dir(target).map_err(at(target))?.next().is_some() {
        return Err(SetupError::Refused(format!("{} is not empty; {why}", target.display())));
    }
    Ok(())
}

/// For the own user alone, whatever the directory around it allows.
fn make_store(target: &Path) -> Result<PathBuf, SetupError> {
    let store = store_of(target);
    DirBuilder::new().mode(0o700).create(&store).map_err(SetupError::file(&store))?;
    Ok(store)
}
