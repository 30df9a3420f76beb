//! Every checksum is read, references are counted anew, index and log are held against each other; under load.

mod accounts;
mod bodies;
mod folders;
mod references;
mod segments;

use std::path::Path;

use store::{AccountId, Error, Result};

use crate::Embedded;
use crate::options::Options;
use crate::state::Table;

/// Faults named in a report; beyond, they are counted only.
const NAMED: usize = 1000;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose mail it touches, if one account's alone.
    pub account: Option<AccountId>,
    pub what: String,
}

/// What a verification looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub segments: u64,
    pub accounts: u64,
    pub folders: u64,
    /// Messages in folders; a copy counts for itself.
    pub messages: u64,
    /// Octets of bodies read.
    pub octets: u64,
    pub faults: u64,
    /// The first of them.
    pub named: Vec<Fault>,
}

impl Verified {
    pub fn is_sound(&self) -> bool {
        self.faults == 0
    }

    /// Damage is a fault like others: what it does not touch is looked at all the same.
    fn go_on(&mut self, part: Result<()>) -> Result<()> {
        match part {
            Err(Error::Corrupt(what)) => self.fault(None, what),
            other => return other,
        }
        Ok(())
    }

    fn fault(&mut self, account: Option<AccountId>, what: String) {
        self.faults += 1;
        if self.named.len() < NAMED {
            self.named.push(Fault { account, what });
        }
    }
}

/// Verifies a store that no process has open.
pub fn verify(dir: &Path, options: Options) -> Result<Verified> {
    let store = Embedded::open(dir, Options { compaction: false, ..options })?;
    let verified = store.verify();
    store.close()?;
    verified
}

impl Embedded {
    /// Verifies the store while it is used. Reads everything: takes as long as the disk needs for that.
    pub fn verify(&self) -> Result<Verified> {
        let engine = &*self.engine;
        let mut found = Verified::default();
        for (id, range) in &self.opened().damaged {
            found.fault(None, format!("segment {id:x}: octets {range:?} were damaged when the store was opened"));
        }
        let parts = [segments::verify, accounts::verify, folders::verify, bodies::verify, references::verify];
        for part in parts {
            let verified = part(engine, &mut found);
            found.go_on(verified)?;
        }
        for (table, name) in Table::ALL {
            let walked = engine.each_row(table, |_, _| Ok(()));
            found.go_on(walked.map_err(|error| match error {
                Error::Corrupt(what) => Error::Corrupt(format!("{what} (its rows of kind {name})")),
                error => error,
            }))?;
        }
        Ok(found)
    }
}
