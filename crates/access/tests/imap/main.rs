//! IMAP commands against the store in memory: what a client sends and what it reads, line for line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod append;
mod client;
mod copy;
mod expunge;
mod failing;
mod fairness;
mod fetch;
mod flags;
mod folders;
mod idle;
mod list;
mod model;
mod search;
mod select;
mod status;
mod updates;
