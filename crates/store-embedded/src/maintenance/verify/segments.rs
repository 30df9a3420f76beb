//! The log, frame by frame.

use store::Result;

use super::Verified;
use crate::disk::Open;
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{segment_file, segments_dir};
use crate::log::{Finding, Position, Scan, SegmentId, parse_file_name};

pub(super) fn verify(engine: &Engine, found: &mut Verified) -> Result<()> {
    let _held = engine.keep_segments();
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
