//! The default engine: an append-only log that is at once the write-ahead log and the place where bodies lie, and
//! a redb index that follows it.
//!
//! One sequencer decides every change against the state before it; a writer makes what has gathered durable with one
//! write and one sync, publishes it, and only then answers. Nothing is answered before it is durable. Everything on
//! disk carries a version and a checksum. The engine owns its threads and files; it knows no protocol, no socket and
//! no clock ([`Options::clock`] tells the time).
//!
//! Read first: [`Embedded`] (the open store), `sequencer::Pending` (what verbs are decided against), `log::Record`
//! (what is on disk). `docs/decisions/0002-embedded-store.md` says why it is made so.

mod blocking;
#[cfg(test)]
mod bounds_tests;
mod compaction;
#[cfg(test)]
mod crash_tests;
mod disk;
mod embedded;
mod engine;
mod fault;
#[cfg(test)]
mod fault_tests;
mod files;
mod first_frame;
#[cfg(test)]
mod fixture_tests;
mod folder_cache;
mod follow;
mod handles;
mod index;
#[cfg(test)]
mod index_tests;
mod keeper;
mod log;
mod maintenance;
#[cfg(test)]
mod maintenance_tests;
mod marks;
mod open;
mod options;
mod read;
#[cfg(test)]
mod repair_tests;
mod retention;
mod segments;
mod sequencer;
mod stage;
mod state;
mod visible;
mod waiting;
mod walk;
mod writer;

pub use embedded::Embedded;
pub use log::verify_records;
pub use maintenance::{Backup, Fault, Harmed, Repaired, RestoredMailbox, Verified, repair, restore, verify};
pub use open::Opened;
pub use options::{Clock, Options};
