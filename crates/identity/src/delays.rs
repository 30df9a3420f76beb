//! Who guesses waits: the longer, the more was guessed before, wherever the guesses come from.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::{Network, Origin};

/// A user name, as far as it is told from others: nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NameKey(pub u64);

/// One attempt that could be a guess.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub address: IpAddr,
    /// Whether anybody has the name or not: both wait alike.
    pub name: NameKey,
    /// The name's owner has logged on from this address before.
    pub is_known: bool,
}

/// What failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(Origin),
    Network(Network),
    Name(NameKey),
    Known(NameKey, Origin),
}

impl Key {
    /// Failures that cost nothing yet.
    const fn free(self) -> f64 {
        match self {
            Self::Name(_) => 10.0,
            Self::Address(_) | Self::Known(..) => 20.0,
            Self::Network(_) => 200.0,
        }
    }
}

impl Key {
    /// Counted when an attempt is let in, and taken back if it was right: many at once are as many as they are. Others
    /// share an address and a network, and may all be right.
    const fn is_counted_at_once(self) -> bool {
        matches!(self, Self::Name(_) | Self::Known(..))
    }
}

impl Attempt {
    /// An owner at a known address waits for what was guessed from there at its own name, and for nothing else.
    fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        let origin = Origin::of(self.address);
        let (known, strange) = if self.is_known {
            (Some(Key::Known(self.name, origin)), None)
        } else {
            let network = Key::Network(Network::of(self.address));
            (None, Some([Key::Address(origin), network, Key::Name(self.name)]))
        };
        known.into_iter().chain(strange.into_iter().flatten())
    }
}

#[derive(Clone, Copy, Debug)]
struct Level {
    /// Failures, less one for every [`Delays::FORGIVES`] that has passed.
    failures: f64,
    counted: Instant,
    /// When the next attempt is taken.
    ready: Instant,
}

impl Level {
    fn at(self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.counted);
        (self.failures - passed.as_secs_f64() / Delays::FORGIVES.as_secs_f64()).max(0.0)
    }
}

/// Delays guesses by address, by network and by name. Attempts that are made at once wait one behind the other.
#[derive(Debug)]
pub struct Delays {
    capacity: usize,
    levels: HashMap<Key, Level>,
}

impl Delays {
    /// One failure is forgotten in this time.
    pub const FORGIVES: Duration = Duration::from_secs(30);
    /// After the first failure that is not free; twice as long after each that follows.
    pub const FIRST: Duration = Duration::from_millis(250);
    pub const LONGEST: Duration = Duration::from_secs(16);
    /// Whoever would wait for longer than this is not judged.
    pub const MOST: Duration = Duration::from_secs(30);

    /// `capacity`: addresses, networks and names remembered; beyond it, those that failed last stay.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(8), levels: HashMap::new() }
    }

    /// How long the attempt is to wait before it is judged, and takes its place there; `None` when it is too long.
    pub fn place(&mut self, attempt: &Attempt, now: Instant) -> Option<Duration> {
        let mut ready = now;
        for key in attempt.keys() {
            if let Some(level) = self.levels.get(&key) {
                ready = ready.max(level.ready);
            }
        }
        let wait = ready.saturating_duration_since(now);
        if wait > Self::MOST {
            return None;
        }
        for key in attempt.keys() {
            if key.is_counted_at_once() {
                self.count(key, now);
            }
            if let Some(level) = self.levels.get_mut(&key) {
                level.ready = level.ready.max(ready + delay(level.at(now) - key.free()));
            }
        }
        Some(wait)
    }

    /// The attempt, which has its place, was wrong.
    pub fn failed(&mut self, attempt: &Attempt, now: Instant) {
        for key in attempt.keys().filter(|key| !key.is_counted_at_once()) {
            let level = self.count(key, now);
            level.ready = level.ready.max(now + delay(level.failures - key.free()));
        }
    }

    /// It was right, or says nothing: what was counted when it was let in is taken back.
    pub fn passed(&mut self, attempt: &Attempt, now: Instant) {
        for key in attempt.keys().filter(|key| key.is_counted_at_once()) {
            if let Some(level) = self.levels.get_mut(&key) {
                level.failures = (level.at(now) - 1.0).max(0.0);
                level.counted = now;
            }
        }
    }

    fn count(&mut self, key: Key, now: Instant) -> &mut Level {
        if !self.levels.contains_key(&key) {
            self.make_room(now);
        }
        let level = self.levels.entry(key).or_insert(Level { failures: 0.0, counted: now, ready: now });
        level.failures = level.at(now) + 1.0;
        level.counted = now;
        level
    }

    /// How many failures from there are not forgotten.
    pub fn failures(&self, address: IpAddr, now: Instant) -> u32 {
        let level = self.levels.get(&Key::Address(Origin::of(address)));
        // Rounded up, and never above the number of failures.
        level.map_or(0, |level| level.at(now).ceil() as u32)
    }

    /// Walks all, but only when there are as many as may be.
    fn make_room(&mut self, now: Instant) {
        if self.levels.len() < self.capacity {
            return;
        }
        self.levels.retain(|_, level| level.at(now) > 0.0);
        if self.levels.len() >= self.capacity {
            let mut times: Vec<Instant> = self.levels.values().map(|level| level.counted).collect();
            let middle = times.len() / 2;
            let (_, &mut median, _) = times.select_nth_unstable(middle);
            self.levels.retain(|_, level| level.counted > median);
        }
    }
}

/// After so many failures more than are free.
fn delay(beyond: f64) -> Duration {
    if beyond <= 0.0 {
        return Duration::ZERO;
    }
    let times = (beyond - 1.0).clamp(0.0, 16.0).exp2();
    Delays::FIRST.mul_f64(times).min(Delays::LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: NameKey = NameKey(1);

    fn from(n: u32, is_known: bool) -> Attempt {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into();
        Attempt { address, name: ANN, is_known }
    }

    /// Fails as soon as it is let; returns how long each attempt waited.
    fn guess(delays: &mut Delays, attempts: impl Iterator<Item = Attempt>, now: &mut Instant) -> Vec<Option<Duration>> {
        let mut waited = Vec::new();
        for attempt in attempts {
            let wait = delays.place(&attempt, *now);
            *now += wait.unwrap_or_default();
            if wait.is_some() {
                delays.failed(&attempt, *now);
            }
            waited.push(wait);
        }
        waited
    }

    #[test]
    fn a_name_that_is_guessed_at_from_everywhere_is_guessed_at_ever_more_slowly() {
        let (mut delays, mut now) = (Delays::new(1000), Instant::now());
        // Each from a network of its own.
        let waited = guess(&mut delays, (0..40).map(|n| from(n << 8, false)), &mut now);
        assert!(waited[..11].iter().all(|wait| *wait == Some(Duration::ZERO)), "{waited:?}");
        assert_eq!(waited[11].unwrap().as_millis(), 250);
        assert!(waited[12..16].windows(2).all(|pair| pair[0] < pair[1]), "{waited:?}");
        assert!(waited.iter().flatten().all(|wait| *wait <= Delays::LONGEST));
        assert!(waited[30] > Some(Duration::from_secs(10)), "{waited:?}");
    }

    #[test]
    fn the_owner_at_a_known_address_does_not_wait_for_it() {
        let (mut delays, mut now) = (Delays::new(1000), Instant::now());
        guess(&mut delays, (0..400).map(|n| from(n << 8, false)), &mut now);
        guess(&mut delays, (0..40).map(|_| from(7, false)), &mut now);
        assert_eq!(delays.place(&from(7, true), now), Some(Duration::ZERO));
        delays.passed(&from(7, true), now);
        // Guesses from that very address at that very name it waits for: they are not told apart.
        let waited = guess(&mut delays, (0..40).map(|_| from(7, true)), &mut now);
        assert_eq!(waited[20], Some(Duration::ZERO));
        assert!(waited[39] > Some(Duration::from_secs(10)), "{waited:?}");
    }

    #[test]
    fn attempts_at_once_wait_one_behind_the_other_and_the_last_ones_are_turned_away() {
        let (mut delays, mut now) = (Delays::new(1000), Instant::now());
        guess(&mut delays, (0..30).map(|n| from(n << 8, false)), &mut now);
        let waited: Vec<_> = (0..10).map(|n| delays.place(&from(n << 8, false), now)).collect();
        assert!(waited.iter().flatten().count() <= 3, "{waited:?}");
        assert!(waited.windows(2).all(|pair| pair[1].is_none() || pair[0] < pair[1]), "{waited:?}");
        assert_eq!(waited[9], None);
    }

    #[test]
    fn attempts_at_once_at_one_name_are_counted_before_they_are_judged_and_right_ones_cost_nothing() {
        let (mut delays, now) = (Delays::new(1000), Instant::now());
        let placed: Vec<_> = (0..200).map(|n| delays.place(&from(n << 8, false), now)).collect();
        let at_once = placed.iter().filter(|wait| **wait == Some(Duration::ZERO)).count();
        assert!(at_once <= 11 && placed.iter().flatten().count() < 20, "{placed:?}");
        let (mut delays, now) = (Delays::new(1000), Instant::now());
        for n in 0..200 {
            assert_eq!(delays.place(&from(n << 8, false), now), Some(Duration::ZERO));
            delays.passed(&from(n << 8, false), now);
        }
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let (mut delays, now) = (Delays::new(1000), Instant::now());
        for n in 0..220 {
            delays.failed(&Attempt { name: NameKey(n.into()), ..from(n, false) }, now);
        }
        assert_eq!(delays.place(&Attempt { name: NameKey(999), ..from(1 << 8, false) }, now), Some(Duration::ZERO));
        assert_eq!(delays.place(&Attempt { name: NameKey(999), ..from(250, false) }, now), Some(Delays::LONGEST));
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        let (mut delays, start) = (Delays::new(1000), Instant::now());
        for _ in 0..12 {
            delays.failed(&from(7, false), start);
        }
        assert_eq!(delays.failures(from(7, false).address, start), 12);
        let later = start + Delays::FORGIVES * 3;
        assert_eq!(delays.failures(from(7, false).address, later), 9);
        assert_eq!(delays.place(&from(7, false), later), Some(Duration::ZERO));
        assert_eq!(delays.place(&from(7, false), later), Some(Duration::ZERO));
        assert_eq!(delays.failures(from(7, false).address, start + Delays::FORGIVES * 20), 0);
    }

    #[test]
    fn memory_is_bounded_and_the_latest_stay() {
        let (mut delays, start) = (Delays::new(30), Instant::now());
        for n in 0..1000 {
            let attempt = Attempt { name: NameKey(n.into()), ..from(n << 8, false) };
            delays.failed(&attempt, start + Duration::from_millis(n.into()));
            assert!(delays.levels.len() <= 30);
        }
        assert!(delays.failures(from(999 << 8, false).address, start + Duration::from_secs(1)) > 0);
    }
}
