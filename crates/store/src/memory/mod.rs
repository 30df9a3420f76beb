//! An engine that keeps everything in memory: the reference that disk engines are measured against, and what
//! protocol tests use in place of a disk.
//!
//! One mutex around plain state; every verb is a function of that state. Nothing waits, so any executor
//! will do, and a verb's future is ready when it is first polled.

mod body;
mod directory;
mod mailboxes;
mod settings;
mod state;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::state::State;

/// The handles [`crate::Mailboxes`], [`crate::Directory`] and [`crate::Settings`] in one; clones share the same store.
#[derive(Clone, Default)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

impl Memory {
    /// A store without domains and accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops the bodies that no folder holds any more, as the end of their retention would: reading them is
    /// answered with [`crate::Error::Gone`] from now on. Until called, they stay readable.
    pub fn end_retention(&self) {
        self.lock().drop_unreferenced();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A verb changes the state only after its last point of failure, so a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
