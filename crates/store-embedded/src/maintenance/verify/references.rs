//! References: each is a row of a folder or of what is retained, and each message has one.

use std::collections::BTreeSet;

use store::{FolderId, MessageId, Result, Uid};

use super::Verified;
use super::folders::is_there_still;
use crate::engine::Engine;
use crate::state::{Key, RetainedPage, Table, decode};

/// Each reference must be a row of a folder, or of an expunged page; and each message must be referred to.
pub(super) fn verify(engine: &Engine, found: &mut Verified) -> Result<()> {
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
        for row in decode::<RetainedPage>(octets)?.rows {
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
