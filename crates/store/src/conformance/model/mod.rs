//! Random sequences of verbs, run on an engine and on a naive model; after each verb all that can be seen is compared,
//! also the wake-ups, and now and then the engine is closed or killed and opened again.

mod accept;
mod accounts;
mod apply;
mod compare;
mod reading;
mod state;
mod tree;
mod verb;

use std::collections::BTreeMap;

use proptest::test_runner::{Config, RngSeed, TestRunner};

use self::state::Model;
use self::verb::{FOLDERS, LOCALS, Place, Verb};
use super::harness::Open;
use super::trial::{Trial, folder_name, wait};
use crate::{AccountId, FolderId, Lease, Watch};

pub fn any_sequence_of_verbs_does_what_the_model_does(open: Open) {
    // An engine that does not answer is waited for; one minute of that while shrinking is enough.
    let mut config = Config { failure_persistence: None, max_shrink_time: 60_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 64;
    }
    if config.rng_seed == RngSeed::Random {
        use std::hash::{BuildHasher, RandomState};
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(0));
    }
    eprintln!("repeat with {:?} as PROPTEST_RNG_SEED", config.rng_seed);
    let outcome = TestRunner::new(config).run(&verb::verbs(), |verbs| {
        let mut run = Run::new(open);
        for verb in &verbs {
            run.step(verb);
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

struct Run {
    model: Model,
    watches: BTreeMap<AccountId, Box<dyn Watch>>,
    leases: BTreeMap<u8, Lease>,
    trial: Trial,
    /// Whether the engine was opened again since the last comparison: it may then have raised its marks.
    reopened: bool,
}

impl Run {
    /// With two accounts, so that short sequences have something to work on.
    fn new(open: Open) -> Self {
        let mut run = Self {
            model: Model::default(),
            watches: BTreeMap::new(),
            leases: BTreeMap::new(),
            trial: Trial::new(open),
            reopened: false,
        };
        run.step(&Verb::AddDomain { name: "example.test" });
        run.step(&Verb::CreateAccount { who: 0, alias: None, quota: None });
        run.step(&Verb::CreateAccount { who: 1, alias: None, quota: Some(20_000) });
        run
    }

    fn step(&mut self, verb: &Verb) {
        match verb {
            Verb::CreateAccount { who, alias, quota } => self.create_account(*who, *alias, *quota),
            Verb::ChangeAccount { who, alias, quota, password } => self.change_account(*who, *alias, *quota, password),
            Verb::RemoveAccount { who } => self.remove_account(*who),
            Verb::AddDomain { name } => self.add_domain(name),
            Verb::Set { changes } => self.set(changes),
            Verb::Accept { seed, size, piece, targets } => self.accept(*seed, *size, *piece, targets),
            Verb::Apply { place, uids, edit, unless } => self.apply(*place, uids, edit, *unless),
            Verb::Tree { who, edit } => self.edit_tree(*who, edit),
            Verb::Read { nth, start, length } => self.read(*nth, *start, *length),
            Verb::ClaimRecent { place } => self.claim_recent(*place),
            Verb::Lease { name } => self.lease(*name),
            Verb::EndRetention => self.end_retention(),
            Verb::Reopen { end } => {
                self.watches.clear();
                self.leases.clear();
                self.trial.reopen(*end);
                self.reopened = true;
            }
        }
        self.compare();
        self.hear();
    }

    /// Every account that the verb changed wakes its watch.
    fn hear(&mut self) {
        for (id, mailbox) in &mut self.model.accounts {
            if std::mem::take(&mut mailbox.changed) {
                wait(self.watches.get_mut(id).unwrap().changed());
            }
        }
        for id in self.model.accounts.keys() {
            self.watches.entry(*id).or_insert_with(|| self.trial.watch(*id));
        }
    }

    /// The folder of a place, or one that is not there: deleted, or never made.
    fn folder_id(&mut self, place: Place) -> FolderId {
        let nowhere = 4_000_000;
        match self.model.account_of(LOCALS[place.who]) {
            None => FolderId::new(AccountId(nowhere), 1),
            Some((id, mailbox)) => {
                let there = mailbox.folders.get(&folder_name(FOLDERS[place.folder])).and_then(|folder| folder.id);
                there.or(mailbox.deleted).unwrap_or(FolderId::new(id, nowhere))
            }
        }
    }
}
