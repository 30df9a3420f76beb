//! What an engine's test file provides.

use crate::{Directory, Mailboxes, Settings};

/// One open store under test. Handles are borrowed, so that none is held over [`Harness::reopen`].
pub trait Harness {
    fn mailboxes(&self) -> &dyn Mailboxes;

    fn directory(&self) -> &dyn Directory;

    fn settings(&self) -> &dyn Settings;

    /// Ends the engine as `end` says and opens what it left. An engine without a disk has nothing to do.
    fn reopen(&mut self, end: End);

    /// Makes the retention of bodies that no folder holds end now; whether that can be done.
    fn end_retention(&mut self) -> bool;
}

/// How an engine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As at the end of the process.
    Closed,
    /// As by SIGKILL: what was answered must be there, nothing else may be tidied up.
    Killed,
}

/// Opens an empty store.
pub type Open<'a> = &'a dyn Fn() -> Box<dyn Harness>;
