//! Who is judged at once, who later, and who not now: over all protocols, by address, by network and by name.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use identity::{Attempt, Delays, NameKey, Origin, Throttle};
use proto::logon::Verdict;

use super::familiar::Familiar;
use super::turns::Urgency;
use super::{lock, now};

/// Addresses whose failures are remembered, and those, networks and names with delays.
const CAPACITY: usize = 100_000;

pub struct Guard {
    throttle: Mutex<Throttle>,
    delays: Mutex<Delays>,
    familiar: Mutex<Familiar>,
    /// Random, so that nobody can tell which names are one to it.
    names: RandomState,
}

impl Guard {
    /// `failures`: those an address may have in a minute.
    pub fn new(failures: u32) -> Self {
        Self {
            throttle: Mutex::new(Throttle::new(failures, CAPACITY)),
            delays: Mutex::new(Delays::new(CAPACITY)),
            familiar: Mutex::default(),
            names: RandomState::new(),
        }
    }

    /// `name`: the address that is logged on with, in lower case; empty when only the proof says it.
    pub fn attempt(&self, address: IpAddr, name: &str) -> Attempt {
        let name = self.key(name);
        let is_known = lock(&self.familiar).knows(name, Origin::of(address), now());
        Attempt { address, name, is_known }
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

    /// What the client is told of the verdict.
    pub fn settle(&self, attempt: &Attempt, verdict: Verdict) -> Verdict {
        let now = now();
        if !attempt.is_known && !lock(&self.throttle).settles(attempt.address, now, verdict) {
            return Verdict::Throttled;
        }
        match verdict {
            Verdict::Refused => lock(&self.delays).failed(attempt, now),
            Verdict::Granted => self.learn(attempt.name, attempt.address, now),
            _ => {}
        }
        verdict
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
