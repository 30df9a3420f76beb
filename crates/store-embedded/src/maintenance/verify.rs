//! Every checksum is read, references are counted anew, index and log are held against each other; under load.

use std::collections::BTreeSet;
use std::path::Path;

use store::{AccountId, Error, Folder, FolderId, MessageId, Result, Row, Uid};

use crate::Embedded;
use crate::disk::Open;
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{segment_file, segments_dir};
use crate::log::{Finding, Position, Scan, SegmentId, body_is_whole, parse_file_name};
use crate::options::Options;
use crate::state::{BodyRow, Key, MessageRow, StoredRow, Table, decode};

/// Faults named in a report; beyond, they are counted only.
const NAMED: usize = 1000;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose mail it touches, if one account's alone.
    pub account: Option<AccountId>,
    pub what: String,
}

/// What a verification looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub segments: u64,
    pub accounts: u64,
    pub folders: u64,
    /// Messages in folders; a copy counts for itself.
    pub messages: u64,
    /// Octets of bodies read.
    pub octets: u64,
    pub faults: u64,
    /// The first of them.
    pub named: Vec<Fault>,
}

impl Verified {
    pub fn is_sound(&self) -> bool {
        self.faults == 0
    }

    fn fault(&mut self, account: Option<AccountId>, what: String) {
        self.faults += 1;
        if self.named.len() < NAMED {
            self.named.push(Fault { account, what });
        }
    }
}

/// Verifies a store that no process has open.
pub fn verify(dir: &Path, options: Options) -> Result<Verified> {
    let store = Embedded::open(dir, Options { compaction: false, ..options })?;
    let verified = store.verify();
    store.close()?;
    verified
}

impl Embedded {
    /// Verifies the store while it is used. Reads everything: takes as long as the disk needs for that.
    pub fn verify(&self) -> Result<Verified> {
        let engine = &*self.engine;
        let _held = engine.keep_segments();
        let mut found = Verified::default();
        for (id, range) in &self.opened().damaged {
            found.fault(None, format!("segment {id:x}: octets {range:?} were damaged when the store was opened"));
        }
        verify_segments(engine, &mut found)?;
        verify_folders(engine, &mut found)?;
        verify_bodies(engine, &mut found)?;
        verify_references(engine, &mut found)?;
        Ok(found)
    }
}

fn verify_segments(engine: &Engine, found: &mut Verified) -> Result<()> {
    let names = engine.disk.list(&segments_dir(&engine.dir));
    let mut ids: Vec<SegmentId> = names
        .map_err(|error| disk_error("listing segments", &error))?
        .iter()
        .filter_map(|name| parse_file_name(name))
        .collect();
    ids.sort_unstable();
    let position = engine.visible().position;
    // What lies behind the end that a successor names was never acknowledged, and is no fault.
    let mut ends: Vec<Position> = vec![position];
    for &id in &ids {
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        ends.extend(Scan::header(&*file)?.map(|header| header.predecessor.0));
    }
    for id in ids.into_iter().filter(|id| *id <= position.segment) {
        found.segments += 1;
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        let end = ends.iter().find(|end| end.segment == id).map(|end| end.offset);
        if Scan::header(&*file)?.is_none() {
            if file.len().is_ok_and(|length| length > 64) {
                found.fault(None, format!("segment {:x}: its header is damaged", id.0));
            }
            continue;
        }
        // Nobody names an abandoned segment; then its tail may be torn.
        let Some(end) = end else { continue };
        let mut scan = Scan::new(file, id, engine.epoch, 0, Some(end))?;
        while let Some(finding) = scan.next()? {
            if let Finding::Broken { from, to } = finding {
                found.fault(None, format!("segment {:x}: octets {from} to {to} are no record", id.0));
            }
        }
    }
    Ok(())
}

fn verify_folders(engine: &Engine, found: &mut Verified) -> Result<()> {
    engine.each_row(Table::Account, |_, _| {
        found.accounts += 1;
        Ok(())
    })?;
    engine.each_row(Table::Folder, |_, octets| {
        let folder: Folder = decode(octets)?;
        let state = match engine.folder(folder.id) {
            Ok(state) => state,
            Err(Error::NotFound(_)) => return Ok(()),
            Err(error) => {
                found.fault(Some(folder.id.account()), format!("folder {:?}: {error}", folder.name.as_str()));
                return Ok(());
            }
        };
        found.folders += 1;
        for row in state.listing.rows() {
            found.messages += 1;
            if let Some(what) = row_fault(engine, folder.id, row)?
                && is_there_still(engine, folder.id, row.uid, row.message)
            {
                let name = folder.name.as_str();
                found.fault(Some(folder.id.account()), format!("folder {name:?}, UID {}: {what}", row.uid.get()));
            }
        }
        Ok(())
    })
}

fn row_fault(engine: &Engine, folder: FolderId, row: &Row) -> Result<Option<String>> {
    let Some(message) = engine.row::<MessageRow>(&Key::message(row.message))? else {
        return Ok(Some("its message is missing".into()));
    };
    if engine.get(&Key::reference(row.message, folder, row.uid.get()))?.is_none() {
        return Ok(Some("its reference is missing".into()));
    }
    let Some(body) = engine.row::<BodyRow>(&Key::body(message.body))? else {
        return Ok(Some("its body is missing".into()));
    };
    let size = message.prefix.len() as u64 + body.size;
    Ok((size != row.size).then(|| format!("it has {size} octets, listed with {}", row.size)))
}

/// Mail goes on meanwhile: what was expunged since is no fault.
fn is_there_still(engine: &Engine, folder: FolderId, uid: Uid, message: MessageId) -> bool {
    engine.folder(folder).is_ok_and(|state| state.listing.get(uid).is_some_and(|row| row.message == message))
}

fn verify_bodies(engine: &Engine, found: &mut Verified) -> Result<()> {
    engine.each_row(Table::Body, |key, octets| {
        let body: BodyRow = decode(octets)?;
        found.octets += body.size;
        let whole =
            engine.files.of(body.place).and_then(|(file, at)| body_is_whole(&*file, at, body.size, &body.checksums));
        let what = match whole {
            Ok(true) => return Ok(()),
            Ok(false) => "it does not match its checksums".to_owned(),
            Err(error) => error.to_string(),
        };
        // Moved or gone since?
        if engine.row::<BodyRow>(key)?.is_some_and(|now| now.place == body.place) {
            found.fault(None, format!("body {:x}: {what}", key.leading_u64().unwrap_or_default()));
        }
        Ok(())
    })
}

/// Each reference must be a row of a folder, or of an expunged page; and each message must be referred to.
fn verify_references(engine: &Engine, found: &mut Verified) -> Result<()> {
    let mut strays: BTreeSet<(u64, u32, u64)> = BTreeSet::new();
    engine.each_row(Table::Reference, |key, _| {
        let Some((message, folder, uid)) = parse_reference(key) else { return Ok(()) };
        if !is_there_still(engine, folder, uid, message) {
            strays.insert((folder.0, uid.get(), message.0));
        }
        if strays.len() >= STRAYS {
            settle(engine, &mut strays, found)?;
        }
        Ok(())
    })?;
    settle(engine, &mut strays, found)?;
    engine.each_row(Table::Message, |key, _| {
        let id = MessageId(key.leading_u64().unwrap_or_default());
        let (from, to) = (Key::reference(id, FolderId(0), 0), Key::reference(id, FolderId(u64::MAX), u32::MAX));
        if engine.range(&from, &to, 1)?.is_empty() && engine.get(key)?.is_some() {
            found.fault(None, format!("message {:x}: nothing refers to it", id.0));
        }
        Ok(())
    })
}

/// References held at a time for lack of a row; then the expunged pages are gone through once.
const STRAYS: usize = 100_000;

fn settle(engine: &Engine, strays: &mut BTreeSet<(u64, u32, u64)>, found: &mut Verified) -> Result<()> {
    if strays.is_empty() {
        return Ok(());
    }
    engine.each_row(Table::Expunged, |key, octets| {
        let Some((_, folder, _)) = key.parse_expunged() else { return Ok(()) };
        for row in decode::<Vec<StoredRow>>(octets)? {
            strays.remove(&(folder.0, row.uid.get(), row.message.0));
        }
        Ok(())
    })?;
    for (folder, uid, message) in std::mem::take(strays) {
        let (folder, message) = (FolderId(folder), MessageId(message));
        let here = Uid::new(uid).is_some_and(|uid| is_there_still(engine, folder, uid, message));
        if !here && engine.get(&Key::reference(message, folder, uid))?.is_some() {
            let what = format!("message {:x} is referred to as UID {uid}, where it is not", message.0);
            found.fault(Some(folder.account()), what);
        }
    }
    Ok(())
}

fn parse_reference(key: &Key) -> Option<(MessageId, FolderId, Uid)> {
    let (message, rest) = key.octets().split_first_chunk()?;
    let (folder, rest) = rest.split_first_chunk()?;
    let uid = u32::from_be_bytes(*rest.first_chunk()?);
    Some((MessageId(u64::from_be_bytes(*message)), FolderId(u64::from_be_bytes(*folder)), Uid::new(uid)?))
}
