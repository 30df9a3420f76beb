//! What an operator does with a store as a whole.

mod backup;
mod mailbox;
mod repair;
mod settle;
mod verify;

pub use backup::{Backup, restore};
pub use mailbox::RestoredMailbox;
pub use repair::{Harmed, Repaired, repair};
pub use verify::{Fault, Verified, verify};

#[cfg(test)]
pub(crate) use {backup::restore_on, repair::repair_on};
