//! The log, frame by frame.

use store::Result;

use super::Verified;
use crate::disk::Open;
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::files::{segment_file, segments_dir};
use crate::log::{Finding, Position, Scan, SegmentHeader, SegmentId, parse_file_name};

pub(super) fn verify(engine: &Engine, found: &mut Verified) -> Result<()> {
    let _held = engine.keep_segments();
    let names = engine.disk.list(&segments_dir(&engine.dir));
    let mut ids: Vec<SegmentId> = names
        .map_err(|error| disk_error("listing segments", &error))?
        .iter()
        .filter_map(|name| parse_file_name(name))
        .collect();
    ids.sort_unstable();
    let (position, rows) = {
        let visible = engine.visible();
        (visible.position, visible.segments.clone())
    };
    // What lies behind the end that a successor names was never acknowledged, and is no fault.
    let mut ends: Vec<Position> = vec![position];
    for &id in &ids {
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        ends.extend(Scan::header(&*file)?.map(|header| header.predecessor.0));
    }
    for id in ids {
        let file = engine.disk.open(&segment_file(&engine.dir, id), Open::Existing);
        let file = file.map_err(|error| disk_error("opening a segment", &error))?;
        let is_live = rows.get(&id).is_some_and(|row| row.live > 0);
        let Some(header) = Scan::header(&*file)? else {
            if is_live || id <= position.segment && file.len().is_ok_and(|length| length > SegmentHeader::LENGTH as u64)
            {
                found.segments += 1;
                found.fault(None, format!("segment {:x}: its header is damaged", id.0));
            }
            continue;
        };
        let named = ends.iter().find(|end| end.segment == id).map(|end| end.offset);
        let end = match named {
            // Its copies were synced before anything said that they are where to look. One with nothing live in it
            // was never finished, or is about to go.
            None if header.generation > 0 && is_live => None,
            // Nobody names an abandoned segment; then its tail may be torn.
            None => continue,
            named => named,
        };
        found.segments += 1;
        let mut scan = Scan::new(file, id, engine.epoch, 0, end)?;
        while let Some(finding) = scan.next()? {
            if let Finding::Broken { from, to } = finding {
                found.fault(None, format!("segment {:x}: octets {from} to {to} are no record", id.0));
            }
        }
    }
    Ok(())
}
