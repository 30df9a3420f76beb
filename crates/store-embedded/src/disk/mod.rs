//! All that the engine asks of a disk, so that tests can put a failing one in its place.

mod real;
#[cfg(test)]
mod simulated;

use std::any::Any;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use real::RealDisk;
#[cfg(test)]
pub(crate) use simulated::{Crash, SimulatedDisk};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// It must not be there yet.
    Create,
    /// It must be there; for reading and writing.
    Existing,
    /// Made when it is not there.
    Either,
}

/// Directories and names. A new name is durable only after [`Disk::sync_dir`].
pub(crate) trait Disk: Send + Sync {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>>;
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, in no order.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// A second name for the same file, or a copy where the file system has no links.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Octets that may still be written below this directory.
    fn free_space(&self, path: &Path) -> io::Result<u64>;
    /// Held by one process until what it answers is dropped; `WouldBlock` when another holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;
}

/// An open file. What was written is durable only after [`DiskFile::sync_data`] succeeded.
pub(crate) trait DiskFile: Send + Sync + fmt::Debug {
    fn len(&self) -> io::Result<u64>;
    /// Fills the buffer or fails with `UnexpectedEof`.
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;
    /// As `read_exact_at`, but `WouldBlock` rather than waiting for the device.
    fn read_cached_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;
    /// Writes the parts one after the other.
    fn write_all_at(&self, parts: &[&[u8]], at: u64) -> io::Result<()>;
    fn set_len(&self, len: u64) -> io::Result<()>;
    fn sync_data(&self) -> io::Result<()>;
}
