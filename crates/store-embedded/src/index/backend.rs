//! redb's file on the engine's own disk, so that a crash of the index can be simulated too.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::redb::StorageBackend;

use crate::disk::DiskFile;

#[derive(Debug)]
pub(super) struct Backend {
    pub file: Arc<dyn DiskFile>,
    /// Another handle has taken over the file; redb writes to it even when it is dropped.
    pub abandoned: Arc<AtomicBool>,
}

impl Backend {
    fn file(&self) -> io::Result<&dyn DiskFile> {
        if self.abandoned.load(Ordering::SeqCst) {
            return Err(io::Error::other("the index was opened anew"));
        }
        Ok(&*self.file)
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file()?.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file()?.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file()?.write_all_at(&[data], offset)
    }
}
