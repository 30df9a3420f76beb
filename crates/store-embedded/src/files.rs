//! The names of files in a data directory, and open ones kept for reading.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use store::Result;

use crate::disk::{Disk, DiskFile, Open};
use crate::fault::disk_error;
use crate::log::{SegmentId, file_name};
use crate::state::Place;

/// Files kept open for reading; a store of a terabyte has more segments than a process may open files.
const OPEN_FILES: usize = 256;

pub(crate) fn segments_dir(dir: &Path) -> PathBuf {
    dir.join("segments")
}

pub(crate) fn bodies_dir(dir: &Path) -> PathBuf {
    dir.join("bodies")
}

pub(crate) fn index_file(dir: &Path) -> PathBuf {
    dir.join("index.redb")
}

pub(crate) fn segment_file(dir: &Path, id: SegmentId) -> PathBuf {
    segments_dir(dir).join(file_name(id))
}

pub(crate) fn body_file(dir: &Path, number: u64) -> PathBuf {
    bodies_dir(dir).join(format!("{number:016x}.body"))
}

pub(crate) fn parse_body_file(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".body").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// A file that says that the directory is half made: while it is there, nobody takes it for a store.
pub(crate) struct Mark<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    name: &'static str,
}

impl<'a> Mark<'a> {
    pub const REPAIR: &'static str = "repair-unfinished";
    pub const RESTORE: &'static str = "restore-unfinished";

    pub fn set(disk: &'a dyn Disk, dir: &'a Path, name: &'static str) -> Result<Self> {
        let set = disk.open(&dir.join(name), Open::Either).and_then(|_| disk.sync_dir(dir));
        set.map_err(|error| disk_error("marking the data directory", &error))?;
        Ok(Self { disk, dir, name })
    }

    pub fn clear(self) -> Result<()> {
        let cleared = self.disk.remove(&self.dir.join(self.name)).and_then(|()| self.disk.sync_dir(self.dir));
        cleared.map_err(|error| disk_error("unmarking the data directory", &error))
    }

    /// `Corrupt`, with the cure, where a restore was cut short, or a repair unless this is one.
    pub fn check(disk: &dyn Disk, dir: &Path, repairing: bool) -> Result<()> {
        let names = disk.list(dir).map_err(|error| disk_error("listing the data directory", &error))?;
        let is_set = |mark: &str| names.iter().any(|name| name == mark);
        if is_set(Self::RESTORE) {
            return Err(store::Error::Corrupt("a restore was cut short; restore into an empty directory again".into()));
        }
        if is_set(Self::REPAIR) && !repairing {
            return Err(store::Error::Corrupt("a repair was cut short; run `gatepost store repair` again".into()));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Segment(SegmentId),
    Body(u64),
}

pub(crate) struct Files {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    open: Mutex<HashMap<Name, Arc<dyn DiskFile>>>,
}

impl Files {
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Self {
        Self { disk, dir, open: Mutex::default() }
    }

    /// The file that holds a body, and the offset of the body in it.
    pub fn of(&self, place: Place) -> Result<(Arc<dyn DiskFile>, u64)> {
        let (name, offset) = match place {
            Place::Segment { segment, offset } => (Name::Segment(segment), offset),
            Place::File(number) => (Name::Body(number), 0),
        };
        // Held while a file is opened, so that one which is removed meanwhile is not kept open.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&name) {
            return Ok((file.clone(), offset));
        }
        let path = match name {
            Name::Segment(id) => segment_file(&self.dir, id),
            Name::Body(number) => body_file(&self.dir, number),
        };
        let file = self.disk.open(&path, Open::Existing).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => store::Error::Corrupt("a file of the store is missing".into()),
            _ => disk_error("opening a file of the store", &error),
        })?;
        if open.len() >= OPEN_FILES
            && let Some(any) = open.keys().next().copied()
        {
            open.remove(&any);
        }
        open.insert(name, file.clone());
        Ok((file, offset))
    }

    pub fn remove_segment(&self, id: SegmentId) -> std::io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&Name::Segment(id));
        self.disk.remove(&segment_file(&self.dir, id))
    }

    pub fn remove_body(&self, number: u64) -> std::io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&Name::Body(number));
        self.disk.remove(&body_file(&self.dir, number))
    }
}
