//! A disk in memory that forgets, tears and reorders what was not synced, and fails on demand.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{Disk, DiskFile, Open};

/// What survives of unsynced writes when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    Nothing,
    Everything,
    /// Each 4096-octet block of each write by the toss of a coin, in any order.
    RandomBlocks,
    /// Each 512-octet sector by the toss of a coin.
    TornSectors,
}

#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<u64, Content>,
    /// Names as a running system sees them, and as the directory on the platter has them.
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    dirs: BTreeSet<PathBuf>,
    last_file: u64,
    /// After a crash, handles of the time before it are dead.
    epoch: u64,
    capacity: Option<u64>,
    failing_syncs: bool,
    fail_sync_in: Option<u64>,
    crash_in: Option<(u64, Crash, u64)>,
    crashed: bool,
    lock: Weak<()>,
}

#[derive(Clone, Default)]
struct Content {
    seen: Vec<u8>,
    synced: Vec<u8>,
    /// Since the last sync.
    writes: Vec<Write>,
}

#[derive(Clone)]
enum Write {
    Octets { at: u64, octets: Vec<u8> },
    Length(u64),
}

impl SimulatedDisk {
    /// The power goes at once.
    pub fn crash(&self, what: Crash, seed: u64) {
        self.state().crash(what, &mut Toss(seed | 1));
    }

    /// The power goes at the n-th write, sync or change of names from now; every later access fails until [`Self::restart`].
    pub fn crash_in(&self, operations: u64, what: Crash, seed: u64) {
        self.state().crash_in = Some((operations, what, seed));
    }

    pub fn has_crashed(&self) -> bool {
        self.state().crashed
    }

    pub fn restart(&self) {
        let mut state = self.state();
        state.crash_in = None;
        state.crashed = false;
        state.lock = Weak::new();
        state.epoch += 1;
    }

    pub fn fail_syncs(&self, failing: bool) {
        self.state().failing_syncs = failing;
    }

    /// The n-th sync from now fails, and loses what it was to sync.
    pub fn fail_sync_in(&self, syncs: u64) {
        self.state().fail_sync_in = Some(syncs);
    }

    pub fn set_capacity(&self, octets: Option<u64>) {
        self.state().capacity = octets;
    }

    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Changes octets below the engine's feet.
    pub fn damage(&self, path: &Path, at: u64, flip: u8) {
        let mut state = self.state();
        let Some(&id) = state.names.get(path) else { return };
        let content = state.files.get_mut(&id).unwrap();
        for copy in [&mut content.seen, &mut content.synced] {
            if let Some(octet) = copy.get_mut(at as usize) {
                *octet ^= flip;
            }
        }
    }

    pub fn files(&self, dir: &Path) -> Vec<(PathBuf, u64)> {
        let state = self.state();
        let within = state.names.iter().filter(|(path, _)| path.starts_with(dir));
        within.map(|(path, id)| (path.clone(), state.files[id].seen.len() as u64)).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn act(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.step()?;
        Ok(state)
    }

    fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.crashed { Err(io::Error::other("no power")) } else { Ok(state) }
    }
}

impl State {
    fn step(&mut self) -> io::Result<()> {
        if let Some((left, what, seed)) = self.crash_in {
            if left == 0 {
                self.crash(what, &mut Toss(seed | 1));
                self.crash_in = None;
                self.crashed = true;
            } else {
                self.crash_in = Some((left - 1, what, seed));
            }
        }
        if self.crashed { Err(io::Error::other("no power")) } else { Ok(()) }
    }

    fn used(&self) -> u64 {
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        named.iter().map(|id| self.files[id].seen.len() as u64).sum()
    }

    fn room_for(&self, octets: u64) -> io::Result<()> {
        match self.capacity {
            Some(capacity) if self.used() + octets > capacity => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn crash(&mut self, what: Crash, toss: &mut Toss) {
        self.epoch += 1;
        // A name that was not synced may be there or not.
        if what == Crash::Everything {
            self.durable_names = self.names.clone();
        } else if what != Crash::Nothing {
            let all: BTreeSet<PathBuf> = self.names.keys().chain(self.durable_names.keys()).cloned().collect();
            for path in all {
                if self.names.get(&path) != self.durable_names.get(&path) && toss.heads() {
                    match self.names.get(&path) {
                        Some(&id) => self.durable_names.insert(path, id),
                        None => self.durable_names.remove(&path),
                    };
                }
            }
        }
        self.names = self.durable_names.clone();
        for content in self.files.values_mut() {
            content.crash(what, toss);
        }
    }
}

impl Content {
    fn crash(&mut self, what: Crash, toss: &mut Toss) {
        let unit = match what {
            Crash::Nothing => {
                self.writes.clear();
                0
            }
            Crash::Everything => usize::MAX,
            Crash::RandomBlocks => 4096,
            Crash::TornSectors => 512,
        };
        for write in std::mem::take(&mut self.writes) {
            match write {
                Write::Length(len) if what == Crash::Everything || toss.heads() => self.synced.resize(len as usize, 0),
                Write::Length(_) => {}
                Write::Octets { at, octets } => {
                    let mut from = 0;
                    while from < octets.len() {
                        let start = at as usize + from;
                        let to = if unit == usize::MAX { octets.len() } else { from + unit - start % unit };
                        let piece = &octets[from..to.min(octets.len())];
                        if what == Crash::Everything || toss.heads() {
                            patch(&mut self.synced, start, piece);
                        }
                        from = to;
                    }
                }
            }
        }
        self.seen = self.synced.clone();
    }
}

fn patch(content: &mut Vec<u8>, at: usize, octets: &[u8]) {
    if content.len() < at + octets.len() {
        content.resize(at + octets.len(), 0);
    }
    content[at..at + octets.len()].copy_from_slice(octets);
}

/// A small generator (xorshift): the same seed gives the same disk.
struct Toss(u64);

impl Toss {
    fn heads(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 63 == 1
    }
}

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.alive()?;
        let id = match (state.names.get(path).copied(), how) {
            (Some(_), Open::Create) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(id), _) => id,
            (None, Open::Existing) => return Err(io::ErrorKind::NotFound.into()),
            (None, _) => {
                state.step()?;
                state.last_file += 1;
                let id = state.last_file;
                state.files.insert(id, Content::default());
                state.names.insert(path.into(), id);
                id
            }
        };
        Ok(Arc::new(SimulatedFile { disk: self.clone(), id, epoch: state.epoch }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.act()?.dirs.insert(path.into());
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.act()?;
        state.try_sync()?;
        let here = |name: &PathBuf| name.parent() == Some(path);
        state.durable_names.retain(|name, _| !here(name));
        let current: Vec<_> = state.names.iter().filter(|(name, _)| here(name)).map(|(n, i)| (n.clone(), *i)).collect();
        state.durable_names.extend(current);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.alive()?;
        let here = state.names.keys().filter(|name| name.parent() == Some(path));
        Ok(here.map(|name| name.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.act()?;
        let id = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.into(), id);
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.act()?;
        let id = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.into(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.act()?.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(())
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        let state = self.alive()?;
        Ok(state.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(state.used())))
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let mut state = self.alive()?;
        if state.lock.upgrade().is_some() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let held = Arc::new(());
        state.lock = Arc::downgrade(&held);
        Ok(Box::new(held))
    }
}

impl State {
    fn try_sync(&mut self) -> io::Result<()> {
        if let Some(left) = self.fail_sync_in {
            self.fail_sync_in = left.checked_sub(1);
            if left == 0 {
                return Err(io::Error::other("sync failed"));
            }
        }
        if self.failing_syncs { Err(io::Error::other("sync failed")) } else { Ok(()) }
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    id: u64,
    epoch: u64,
}

impl std::fmt::Debug for SimulatedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimulatedFile({})", self.id)
    }
}

impl SimulatedFile {
    fn with<T>(&self, act: bool, what: impl FnOnce(&mut State, u64) -> io::Result<T>) -> io::Result<T> {
        let mut state = if act { self.disk.act()? } else { self.disk.alive()? };
        if state.epoch != self.epoch {
            return Err(io::Error::other("a handle from before the crash"));
        }
        what(&mut state, self.id)
    }
}

impl DiskFile for SimulatedFile {
    fn len(&self) -> io::Result<u64> {
        self.with(false, |state, id| Ok(state.files[&id].seen.len() as u64))
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.with(false, |state, id| {
            let content = &state.files[&id].seen;
            let found = content.get(at as usize..at as usize + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(found);
            Ok(())
        })
    }

    fn read_cached_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.read_exact_at(buffer, at)
    }

    fn write_all_at(&self, parts: &[&[u8]], at: u64) -> io::Result<()> {
        let octets = parts.concat();
        self.with(true, |state, id| {
            let grows = (at + octets.len() as u64).saturating_sub(state.files[&id].seen.len() as u64);
            state.room_for(grows)?;
            let content = state.files.get_mut(&id).unwrap();
            patch(&mut content.seen, at as usize, &octets);
            content.writes.push(Write::Octets { at, octets });
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(true, |state, id| {
            state.room_for(len.saturating_sub(state.files[&id].seen.len() as u64))?;
            let content = state.files.get_mut(&id).unwrap();
            content.seen.resize(len as usize, 0);
            content.writes.push(Write::Length(len));
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(true, |state, id| {
            let failed = state.try_sync();
            let content = state.files.get_mut(&id).unwrap();
            if failed.is_err() {
                // As Linux does: the pages are marked clean, so that the next sync succeeds without them.
                content.writes.clear();
                return failed;
            }
            for write in std::mem::take(&mut content.writes) {
                match write {
                    Write::Octets { at, octets } => patch(&mut content.synced, at as usize, &octets),
                    Write::Length(len) => content.synced.resize(len as usize, 0),
                }
            }
            Ok(())
        })
    }
}
