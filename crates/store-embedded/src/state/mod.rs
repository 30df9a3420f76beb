//! What the store knows, as rows: their keys, their values, and the newest of them in memory.

mod key;
mod memtable;
mod value;

pub(crate) use key::{Key, Table};
pub(crate) use memtable::{Memtable, Overlay, layered_range, overlay};
pub(crate) use value::{
    AccountState, BodyRow, Counters, DeliveryRow, Encoder, FolderKeywords, FolderMeta, MessageRow, Place, Progress,
    RetainedPage, SegmentRow, SnapshotPlace, StoredRow, decode, encode,
};
