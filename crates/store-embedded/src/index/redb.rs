//! The index in redb: one table for each kind of row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use redb::{Database, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition, TableError};
use store::{Error, Result};

use super::backend::Backend;
use super::{Index, Snapshot};
use crate::disk::DiskFile;
use crate::state::{Key, Memtable, Progress, Table, decode, encode};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type OpenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

pub(crate) struct RedbIndex {
    database: Database,
    abandoned: Arc<AtomicBool>,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(format!("the index: {error}"))
}

fn definition(table: Table) -> Definition {
    let name = Table::ALL.get(table as usize).map_or("meta", |(_, name)| name);
    TableDefinition::new(name)
}

impl RedbIndex {
    /// Opens the index in this file, which is empty for a new one.
    pub fn open(file: Arc<dyn DiskFile>, cache: usize) -> Result<Self> {
        let mut builder = redb::Builder::new();
        builder.set_cache_size(cache);
        let abandoned = Arc::new(AtomicBool::new(false));
        let backend = Backend { file, abandoned: abandoned.clone() };
        let database = builder.create_with_backend(backend).map_err(failed)?;
        Ok(Self { database, abandoned })
    }
}

impl Index for RedbIndex {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let mut tables = Vec::new();
        for (table, _) in Table::ALL {
            tables.push(open_table(&transaction, table)?);
        }
        Ok(Arc::new(RedbSnapshot { tables }))
    }

    fn commit(&self, layers: &[&Memtable], progress: Progress) -> Result<()> {
        let mut transaction = self.database.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        // Else a crash would mean walking the whole file at the next start.
        transaction.set_quick_repair(true);
        for (table, _) in Table::ALL {
            let mut open = transaction.open_table(definition(table)).map_err(failed)?;
            let (first, last) = (Key::first(table), Key::last(table));
            for (key, value) in layers.iter().flat_map(|layer| layer.range(&first, &last)) {
                match value {
                    Some(value) => open.insert(key.octets(), &**value).map_err(failed)?,
                    None => open.remove(key.octets()).map_err(failed)?,
                };
            }
        }
        {
            let mut meta = transaction.open_table(definition(Table::Meta)).map_err(failed)?;
            meta.insert(Key::progress().octets(), &*encode(&progress)?).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
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

impl Snapshot for RedbSnapshot {
    fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let Some(table) = self.table(key.table()) else { return Ok(None) };
        let found = redb::ReadableTable::get(table, key.octets()).map_err(failed)?;
        Ok(found.map(|value| Bytes::copy_from_slice(value.value())))
    }

    fn range(&self, from: &Key, to: &Key, visit: &mut dyn FnMut(Key, &[u8]) -> bool) -> Result<()> {
        let Some(table) = self.table(from.table()) else { return Ok(()) };
        for row in redb::ReadableTable::range::<&[u8]>(table, from.octets()..=to.octets()).map_err(failed)? {
            let (key, value) = row.map_err(failed)?;
            if !visit(Key::new(from.table(), &[key.value()]), value.value()) {
                break;
            }
        }
        Ok(())
    }
}
