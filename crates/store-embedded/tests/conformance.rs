//! The embedded engine keeps every claim of the conformance suite, also over a close and over a kill.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::{SystemTime, UNIX_EPOCH};

use store::conformance::{End, Harness};
use store::{Directory, Mailboxes, Settings};
use store_embedded::{Embedded, Options};
use tempfile::TempDir;

struct OnDisk {
    dir: TempDir,
    store: Option<Embedded>,
}

fn options() -> Options {
    Options::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64)
}

impl OnDisk {
    fn open() -> Box<dyn Harness> {
        let dir = TempDir::new().unwrap();
        let store = Some(Embedded::open(dir.path(), options()).unwrap());
        Box::new(Self { dir, store })
    }

    fn store(&self) -> &Embedded {
        self.store.as_ref().unwrap()
    }
}

impl Harness for OnDisk {
    fn mailboxes(&self) -> &dyn Mailboxes {
        self.store()
    }

    fn directory(&self) -> &dyn Directory {
        self.store()
    }

    fn settings(&self) -> &dyn Settings {
        self.store()
    }

    fn reopen(&mut self, end: End) {
        let store = self.store.take().unwrap();
        match end {
            End::Closed => store.close().unwrap(),
            End::Killed => drop(store),
        }
        self.store = Some(Embedded::open(self.dir.path(), options()).unwrap());
    }

    fn end_retention(&mut self) -> bool {
        self.store().purge_expunged().unwrap();
        true
    }
}

store::conformance!(OnDisk::open);
