//! The index in redb: one table for each kind of row.
//!
//! redb holds the checksums of its pages against them after a crash only, and panics over some damage. So each row
//! carries a checksum of its own, and whatever goes wrong inside comes out as an error.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use redb::{Database, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition, TableError};
use store::{Error, Result};

use super::backend::Backend;
use super::row::{seal, unseal};
use super::{Index, Snapshot, damaged_index};
use crate::disk::DiskFile;
use crate::state::{Key, Memtable, Progress, Table, decode, encode};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type OpenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

pub(crate) struct RedbIndex {
    /// Taken when it is dropped.
    database: Option<Database>,
    abandoned: Arc<AtomicBool>,
}

/// The disk's fault, or damage.
fn failed(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Io(error) if !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
            Error::Unavailable(format!("the index: {error}"))
        }
        error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed) => {
            Error::Unavailable(format!("the index: {error}"))
        }
        error => damaged_index(&error.to_string()),
    }
}

/// A panic of redb is damage that it did not expect.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    // What it left half done is not used again: after a failure the index is opened anew.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(damaged_index("its pages make no sense")))
}

fn definition(table: Table) -> Definition {
    let name = Table::ALL.get(table as usize).map_or("meta", |(_, name)| name);
    TableDefinition::new(name)
}

impl RedbIndex {
    /// Opens the index in this file, which is empty for a new one.
    pub fn open(file: Arc<dyn DiskFile>, cache: usize) -> Result<Self> {
        let abandoned = Arc::new(AtomicBool::new(false));
        let backend = Backend { file, abandoned: abandoned.clone() };
        let database = guarded(|| {
            let mut builder = redb::Builder::new();
            builder.set_cache_size(cache);
            builder.create_with_backend(backend).map_err(failed)
        })?;
        Ok(Self { database: Some(database), abandoned })
    }

    fn database(&self) -> Result<&Database> {
        self.database.as_ref().ok_or_else(crate::fault::stopped)
    }
}

impl Drop for RedbIndex {
    fn drop(&mut self) {
        let database = self.database.take();
        let _ = guarded(move || {
            drop(database);
            Ok(())
        });
    }
}

impl Index for RedbIndex {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        guarded(|| {
            let transaction = self.database()?.begin_read().map_err(failed)?;
            let mut tables = Vec::new();
            for (table, _) in Table::ALL {
                tables.push(open_table(&transaction, table)?);
            }
            Ok(Arc::new(RedbSnapshot { tables }) as Arc<dyn Snapshot>)
        })
    }

    fn commit(&self, layers: &[&Memtable], progress: Progress) -> Result<()> {
        guarded(|| {
            let mut transaction = self.database()?.begin_write().map_err(failed)?;
            transaction.set_durability(Durability::Immediate).map_err(failed)?;
            // Else a crash would mean walking the whole file at the next start.
            transaction.set_quick_repair(true);
            for (table, _) in Table::ALL {
                let mut open = transaction.open_table(definition(table)).map_err(failed)?;
                let (first, last) = (Key::first(table), Key::last(table));
                for (key, value) in layers.iter().flat_map(|layer| layer.range(&first, &last)) {
                    match value {
                        Some(value) => open.insert(key.octets(), &*seal(key, value)).map_err(failed)?,
                        None => open.remove(key.octets()).map_err(failed)?,
                    };
                }
            }
            {
                let key = Key::progress();
                let mut meta = transaction.open_table(definition(Table::Meta)).map_err(failed)?;
                meta.insert(key.octets(), &*seal(&key, &encode(&progress)?)).map_err(failed)?;
            }
            transaction.commit().map_err(failed)
        })
    }

    fn progress(&self) -> Result<Option<Progress>> {
        let found = self.snapshot()?.get(&Key::progress())?;
        found.map(|octets| decode(&octets)).transpose()
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }
}

fn open_table(transaction: &ReadTransaction, table: Table) -> Result<Option<OpenTable>> {
    match transaction.open_table(definition(table)) {
        Ok(open) => Ok(Some(open)),
        // A new index has no tables until its first commit.
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

struct RedbSnapshot {
    tables: Vec<Option<OpenTable>>,
}

impl RedbSnapshot {
    fn table(&self, table: Table) -> Option<&OpenTable> {
        self.tables.get(table as usize)?.as_ref()
    }
}

impl Drop for RedbSnapshot {
    fn drop(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        let _ = guarded(move || {
            drop(tables);
            Ok(())
        });
    }
}

impl Snapshot for RedbSnapshot {
    fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let Some(table) = self.table(key.table()) else { return Ok(None) };
        guarded(|| {
            let found = redb::ReadableTable::get(table, key.octets()).map_err(failed)?;
            found.map(|value| unseal(key, value.value()).map(Bytes::copy_from_slice)).transpose()
        })
    }

    fn range(&self, from: &Key, to: &Key, visit: &mut dyn FnMut(Key, &[u8]) -> bool) -> Result<()> {
        let Some(table) = self.table(from.table()) else { return Ok(()) };
        guarded(|| {
            let mut last: Option<Key> = None;
            for row in redb::ReadableTable::range::<&[u8]>(table, from.octets()..=to.octets()).map_err(failed)? {
                let (key, value) = row.map_err(failed)?;
                let key = Key::new(from.table(), &[key.value()]);
                // Rows that came round again, or out of order, would never end.
                if last.as_ref().is_some_and(|last| *last >= key) {
                    return Err(damaged_index("its rows are out of order"));
                }
                let value = unseal(&key, value.value())?;
                last = Some(key.clone());
                if !visit(key, value) {
                    break;
                }
            }
            Ok(())
        })
    }
}
