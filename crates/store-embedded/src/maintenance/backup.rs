//! A copy of a store in use, and a store made from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store::{Error, Result, Timestamp};

use super::repair::{Repaired, rebuild};
use crate::Embedded;
use crate::disk::{Disk, Open, RealDisk};
use crate::fault::disk_error;
use crate::files::{Mark, bodies_dir, body_file, parse_body_file, segment_file, segments_dir};
use crate::log::{Scan, parse_file_name};
use crate::marks::Raise;
use crate::options::Options;

const MANIFEST: &str = "backup.json";
const VERSION: u32 = 1;
/// Octets copied at a time.
const PIECE: usize = 1 << 20;

/// A backup that was made: everything that was acknowledged before it began is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    pub version: u32,
    /// When it was begun, in seconds since 1970. A restore raises UIDs by its age.
    pub made: Timestamp,
    /// The last durable point in it.
    pub lsn: u64,
    /// The last segment, and how many octets of it count.
    pub segment: u64,
    pub offset: u64,
    /// Files, and their octets.
    pub files: u64,
    pub octets: u64,
}

impl Embedded {
    /// Makes a backup in `target`, which must be empty or not there. Segments that no more change are linked where
    /// the file system can (then they take no room, and share the fate of the disk), else copied. Mail goes on;
    /// compaction waits. The index is not in it: a restore makes it anew from the segments.
    pub fn backup(&self, target: &Path) -> Result<Backup> {
        let engine = &*self.engine;
        let disk = &*engine.disk;
        make_empty(disk, target)?;
        let _held = (engine.keep_segments(), engine.keep_bodies());
        let (lsn, position) = {
            let visible = engine.visible();
            (visible.lsn, visible.position)
        };
        let mut backup = Backup {
            version: VERSION,
            made: (engine.options.clock)(),
            lsn: lsn.0,
            segment: position.segment.0,
            offset: position.offset,
            files: 0,
            octets: 0,
        };
        let names = disk.list(&segments_dir(&engine.dir)).map_err(|error| disk_error("listing segments", &error))?;
        for id in names.iter().filter_map(|name| parse_file_name(name)) {
            let (from, to) = (segment_file(&engine.dir, id), segment_file(target, id));
            if id == position.segment {
                backup.count(Some(copy(disk, &from, &to, Some(position.offset))?));
            } else if id < position.segment || is_copy(disk, &from)? {
                backup.count(link(disk, &from, &to)?);
            }
        }
        let names = disk.list(&bodies_dir(&engine.dir)).map_err(|error| disk_error("listing bodies", &error))?;
        for number in names.iter().filter_map(|name| parse_body_file(name)) {
            backup.count(link(disk, &body_file(&engine.dir, number), &body_file(target, number))?);
        }
        for dir in [segments_dir(target), bodies_dir(target)] {
            disk.sync_dir(&dir).map_err(|error| disk_error("making the backup durable", &error))?;
        }
        // Written last: what has a manifest is whole.
        backup.write(disk, target)?;
        Ok(backup)
    }
}

/// Makes a store in `dir`, which must be empty or not there, from a backup. UIDs, UIDVALIDITY, flags and passwords
/// are as they were; what may have been given since is not given again.
pub fn restore(backup: &Path, dir: &Path, options: Options) -> Result<Repaired> {
    restore_on(Arc::new(RealDisk), backup, dir, options)
}

pub(crate) fn restore_on(disk: Arc<dyn Disk>, backup: &Path, dir: &Path, options: Options) -> Result<Repaired> {
    // The store writes on, and the backup must not change with it.
    restore_with(disk, backup, dir, options, |disk, from, to| copy(disk, from, to, None).map(|_| ()))
}

/// [`restore_on`] for a look only: the backup's files are linked. A store writes into none that was there before it
/// was repaired, as long as it is not closed.
pub(super) fn restore_linked(disk: Arc<dyn Disk>, backup: &Path, dir: &Path, options: Options) -> Result<Repaired> {
    restore_with(disk, backup, dir, options, |disk, from, to| link(disk, from, to).map(|_| ()))
}

fn restore_with(
    disk: Arc<dyn Disk>,
    backup: &Path,
    dir: &Path,
    options: Options,
    take: fn(&dyn Disk, &Path, &Path) -> Result<()>,
) -> Result<Repaired> {
    let age = (options.clock)().saturating_sub(Backup::read(&*disk, backup)?.made);
    make_empty(&*disk, dir)?;
    let mark = Mark::set(&*disk, dir, Mark::RESTORE)?;
    type Inner = fn(&Path) -> PathBuf;
    let inner: [Inner; 2] = [segments_dir, bodies_dir];
    for within in inner {
        let names = disk.list(&within(backup)).map_err(|error| disk_error("listing the backup", &error))?;
        for name in names {
            take(&*disk, &within(backup).join(&name), &within(dir).join(&name))?;
        }
        disk.sync_dir(&within(dir)).map_err(|error| disk_error("restoring", &error))?;
    }
    mark.clear()?;
    rebuild(disk, dir, options, Raise::since(age))
}

impl Backup {
    /// What a backup says of itself; `Invalid` for what is no whole backup.
    pub fn of(backup: &Path) -> Result<Self> {
        Self::read(&RealDisk, backup)
    }

    pub(super) fn manifest(backup: &Path) -> PathBuf {
        backup.join(MANIFEST)
    }

    fn count(&mut self, octets: Option<u64>) {
        self.files += u64::from(octets.is_some());
        self.octets += octets.unwrap_or_default();
    }

    fn write(&self, disk: &dyn Disk, target: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::Unavailable(error.to_string()))?;
        let written = || {
            let file = disk.open(&target.join(MANIFEST), Open::Create)?;
            file.write_all_at(&[&text], 0)?;
            file.sync_data()?;
            disk.sync_dir(target)
        };
        written().map_err(|error| disk_error("writing the backup's manifest", &error))
    }

    /// `Invalid` for what is no whole backup.
    pub(crate) fn read(disk: &dyn Disk, backup: &Path) -> Result<Self> {
        let read = || {
            let file = disk.open(&backup.join(MANIFEST), Open::Existing)?;
            let mut text = vec![0; file.len()?.min(1 << 20) as usize];
            file.read_exact_at(&mut text, 0)?;
            Ok(text)
        };
        let no_backup = |why: String| Error::Invalid(format!("{} is no whole backup: {why}", backup.display()));
        let text = read().map_err(|error: std::io::Error| no_backup(error.to_string()))?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| no_backup(error.to_string()))?;
        if manifest.version != VERSION {
            return Err(no_backup(format!("its format {} is unknown", manifest.version)));
        }
        Ok(manifest)
    }
}

/// Compaction numbers its segments as the log does, so that one with bodies of long ago may stand behind the last
/// of the log. None is being written while segments are held.
fn is_copy(disk: &dyn Disk, segment: &Path) -> Result<bool> {
    let file = disk.open(segment, Open::Existing).map_err(|error| disk_error("opening a segment", &error))?;
    Ok(Scan::header(&*file)?.is_some_and(|header| header.generation > 0))
}

fn make_empty(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let made = disk.create_dir(dir).and_then(|()| disk.list(dir));
    let names = made.map_err(|error| disk_error("making a directory", &error))?;
    if !names.is_empty() {
        return Err(Error::Exists("something in the target directory"));
    }
    for dir in [segments_dir(dir), bodies_dir(dir)] {
        disk.create_dir(&dir).map_err(|error| disk_error("making a directory", &error))?;
    }
    Ok(())
}

/// The octets linked; `None` when the file went meanwhile.
fn link(disk: &dyn Disk, from: &Path, to: &Path) -> Result<Option<u64>> {
    let linked = disk.link(from, to).and_then(|()| disk.open(to, Open::Existing)).and_then(|file| file.len());
    match linked {
        Ok(octets) => Ok(Some(octets)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk_error("linking a file", &error)),
    }
}

fn copy(disk: &dyn Disk, from: &Path, to: &Path, until: Option<u64>) -> Result<u64> {
    let copied = || {
        let (from, to) = (disk.open(from, Open::Existing)?, disk.open(to, Open::Create)?);
        let length = until.unwrap_or(u64::MAX).min(from.len()?);
        let mut piece = vec![0; PIECE.min(length as usize)];
        let mut at = 0;
        while at < length {
            let part = piece.get_mut(..(length - at).min(PIECE as u64) as usize).unwrap_or_default();
            from.read_exact_at(part, at)?;
            to.write_all_at(&[part], at)?;
            at += part.len() as u64;
        }
        to.sync_data()?;
        Ok(length)
    };
    copied().map_err(|error| disk_error("copying a file", &error))
}
