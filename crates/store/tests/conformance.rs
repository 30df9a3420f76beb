//! The in-memory engine keeps every claim; it is the reference for engines with a disk.
#![allow(clippy::unwrap_used)]

use store::conformance::{End, Harness};
use store::memory::Memory;
use store::{Directory, Mailboxes, Settings};

struct InMemory(Memory);

impl Harness for InMemory {
    fn mailboxes(&self) -> &dyn Mailboxes {
        &self.0
    }

    fn directory(&self) -> &dyn Directory {
        &self.0
    }

    fn settings(&self) -> &dyn Settings {
        &self.0
    }

    fn reopen(&mut self, _end: End) {}

    fn end_retention(&mut self) -> bool {
        self.0.end_retention();
        true
    }
}

store::conformance!(|| Box::new(InMemory(Memory::new())) as Box<dyn Harness>);
