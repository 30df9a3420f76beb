//! Folders: each row has its message, its body and its reference.

use store::{Error, Folder, FolderId, MessageId, Result, Row, Uid};

use super::Verified;
use crate::engine::Engine;
use crate::state::{BodyRow, Key, MessageRow, Table, decode};

pub(super) fn verify(engine: &Engine, found: &mut Verified) -> Result<()> {
    engine.each_row(Table::Folder, |key, octets| {
        let folder: Folder = decode(octets)?;
        let state = match engine.folder(folder.id) {
            Ok(state) => state,
            Err(Error::NotFound(_)) => {
                // Gone since?
                if engine.get(key)?.is_some() {
                    found.fault(
                        Some(folder.id.account()),
                        format!("folder {:?}: its contents are missing", folder.name.as_str()),
                    );
                }
                return Ok(());
            }
            Err(error) => {
                found.fault(Some(folder.id.account()), format!("folder {:?}: {error}", folder.name.as_str()));
                return Ok(());
            }
        };
        found.folders += 1;
        for row in state.listing.rows() {
            found.messages += 1;
            let fault = match row_fault(engine, folder.id, row) {
                Err(Error::Corrupt(what)) => Some(what),
                fault => fault?,
            };
            if let Some(what) = fault
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
    Ok((size != row.size.octets()).then(|| format!("it has {size} octets, listed with {}", row.size.octets())))
}

/// Mail goes on meanwhile: what was expunged since is no fault.
pub(super) fn is_there_still(engine: &Engine, folder: FolderId, uid: Uid, message: MessageId) -> bool {
    engine.folder(folder).is_ok_and(|state| state.listing.get(uid).is_some_and(|row| row.message == message))
}
