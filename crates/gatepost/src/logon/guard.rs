//! Who is judged at once, who later, and who not now: over all protocols, by address, by network and by name.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use identity::{Attempt, Delays, NameKey, Origin, Throttle};
use proto::logon::{Secret, Verdict};

use super::familiar::Familiar;
use super::turns::Urgency;
use super::{lock, now};

/// Addresses whose failures are remembered, and those, networks and names with delays.
const CAPACITY: usize = 100_000;

pub struct Guard {
    throttle: Mutex<Throttle>,
    delays: Mutex<Delays>,
    familiar: Mutex<Familiar>,
    shown: Mutex<Shown>,
    /// Random, so that nobody can tell which names are one to it.
    names: RandomState,
}

/// Wrong passwords that were shown last, as hashes with a random key.
#[derive(Default)]
struct Shown(HashMap<(NameKey, Origin), [u64; 2]>);

impl Shown {
    /// Also takes it down.
    fn is_repeated(&mut self, at: (NameKey, Origin), shown: u64) -> bool {
        if self.0.len() >= CAPACITY && !self.0.contains_key(&at) {
            self.0.clear();
        }
        let last = self.0.entry(at).or_default();
        if last.contains(&shown) {
            return true;
        }
        *last = [shown, last[0]];
        false
    }
}

impl Guard {
    /// `failures`: those an address may have in a minute.
    pub fn new(failures: u32) -> Self {
        Self {
            throttle: Mutex::new(Throttle::new(failures, CAPACITY)),
            delays: Mutex::new(Delays::new(CAPACITY)),
            familiar: Mutex::default(),
            shown: Mutex::default(),
            names: RandomState::new(),
        }
    }

    /// `name`: the address that is logged on with, in lower case.
    pub fn attempt(&self, address: IpAddr, name: &str) -> Attempt {
        let name = self.key(name);
        let is_known = lock(&self.familiar).knows(name, Origin::of(address), now());
        Attempt { address, name, is_known }
    }

    /// One by what nobody guesses: it is counted by address alone.
    pub fn without_name(&self, address: IpAddr) -> Attempt {
        Attempt { address, name: self.key(""), is_known: false }
    }

    /// The same attempt, now that it is known whose name it is: one user's names count as one.
    pub fn at(&self, attempt: &Attempt, user: &str) -> Attempt {
        let at = self.attempt(attempt.address, user);
        Attempt { is_known: attempt.is_known || at.is_known, ..at }
    }

    /// Whether it is judged at all. What is guessed by others at a known address does not keep the owner out.
    pub fn admit(&self, attempt: &Attempt) -> Result<(), Verdict> {
        let mut throttle = lock(&self.throttle);
        if attempt.is_known || throttle.admits(attempt.address, now()) { Ok(()) } else { Err(Verdict::Throttled) }
    }

    /// Waits for as long as what could be a guess has to.
    pub async fn wait(&self, attempt: &Attempt) -> Result<(), Verdict> {
        let wait = lock(&self.delays).place(attempt, now()).ok_or(Verdict::Throttled)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
            self.admit(attempt)?;
        }
        Ok(())
    }

    /// What the client is told of the verdict. `is_new`: what was wrong was not wrong there before.
    pub fn settle(&self, attempt: &Attempt, verdict: Verdict, is_new: bool) -> Verdict {
        let now = now();
        if !attempt.is_known && !lock(&self.throttle).settles(attempt.address, now, verdict) {
            return Verdict::Throttled;
        }
        match verdict {
            Verdict::Refused if is_new => lock(&self.delays).failed(attempt, now),
            _ => self.withdraw(attempt),
        }
        verdict
    }

    /// An attempt that has waited says nothing about who made it.
    pub fn withdraw(&self, attempt: &Attempt) {
        lock(&self.delays).passed(attempt, now());
    }

    /// Whether the same wrong password was shown at the same name from the same address of late: a device that was not
    /// told of a new one, which guesses nothing.
    pub fn is_repeated(&self, attempt: &Attempt, password: &Secret) -> bool {
        let shown = self.names.hash_one((attempt.name, password.expose()));
        lock(&self.shown).is_repeated((attempt.name, Origin::of(attempt.address)), shown)
    }

    /// The owner logged on from there just now: by this name, which is typed, and as this user.
    pub fn learn_both(&self, typed: &Attempt, user: &str) {
        let now = now();
        if typed.name != self.key("") {
            self.learn(typed.name, typed.address, now);
        }
        self.learn(self.key(user), typed.address, now);
    }

    /// The owner of the name logged on from there, so long ago.
    pub fn was_there(&self, name: &str, address: IpAddr, ago: Duration) {
        if let Some(then) = now().checked_sub(ago) {
            self.learn(self.key(name), address, then);
        }
    }

    /// Who has logged on from there before waits for nobody who has not, and who failed of late waits for the others.
    pub fn urgency(&self, attempt: &Attempt) -> Urgency {
        if attempt.is_known {
            return Urgency::KNOWN;
        }
        Urgency::after_failures(lock(&self.delays).failures(attempt.address, now()))
    }

    fn learn(&self, name: NameKey, address: IpAddr, at: Instant) {
        lock(&self.familiar).learn(name, Origin::of(address), at);
    }

    fn key(&self, name: &str) -> NameKey {
        NameKey(self.names.hash_one(name))
    }
}
