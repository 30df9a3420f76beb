//! Bodies: their octets match their checksums, their outlines can be read, their files are known.

use store::{BodyId, Result};

use super::Verified;
use crate::engine::Engine;
use crate::log::body_is_whole;
use crate::state::{BodyRow, Key, Place, Table, decode};

pub(super) fn verify(engine: &Engine, found: &mut Verified) -> Result<()> {
    engine.each_row(Table::Body, |key, octets| {
        let body: BodyRow = decode(octets)?;
        let id = BodyId(key.leading_u64().unwrap_or_default());
        found.octets += body.size;
        let faults = [octets_fault(engine, &body), outline_fault(engine, id)?, file_fault(engine, id, &body)?];
        for what in faults.into_iter().flatten() {
            // Moved or gone since?
            if engine.row::<BodyRow>(key)?.is_some_and(|now| now.place == body.place) {
                found.fault(None, format!("body {:x}: {what}", id.0));
            }
        }
        Ok(())
    })?;
    engine.each_row(Table::File, |key, octets| {
        let (number, id): (_, BodyId) = (key.leading_u64().unwrap_or_default(), decode(octets)?);
        let body: Option<BodyRow> = engine.row(&Key::body(id))?;
        let is_named = body.is_some_and(|body| body.place == Place::File(number));
        if !is_named && engine.get(key)?.is_some() {
            found.fault(None, format!("file {number:x} is kept for body {:x}, which does not lie there", id.0));
        }
        Ok(())
    })
}

fn octets_fault(engine: &Engine, body: &BodyRow) -> Option<String> {
    let place = engine.files.of(body.place);
    match place.and_then(|(file, at)| body_is_whole(&*file, at, body.size, &body.checksums)) {
        Ok(true) => None,
        Ok(false) => Some("it does not match its checksums".into()),
        Err(error) => Some(error.to_string()),
    }
}

fn outline_fault(engine: &Engine, id: BodyId) -> Result<Option<String>> {
    let Some(encoded) = engine.get(&Key::outline(id))? else { return Ok(Some("its outline is missing".into())) };
    Ok(mime::Outline::decode(&encoded).err().map(|error| format!("its outline: {error}")))
}

/// Without its row the next start would take the file for one that nothing needs.
fn file_fault(engine: &Engine, id: BodyId, body: &BodyRow) -> Result<Option<String>> {
    let Place::File(number) = body.place else { return Ok(None) };
    let known: Option<BodyId> = engine.row(&Key::file(number))?;
    Ok((known != Some(id)).then(|| format!("its file {number:x} is not known as such")))
}
