//! Where owners of names have logged on from: guesses from elsewhere do not keep them waiting.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use identity::{NameKey, Origin};

/// Pairs remembered at most.
const CAPACITY: usize = 200_000;
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Pairs of a name and an address that its owner proved to be at.
#[derive(Debug, Default)]
pub struct Familiar(HashMap<(NameKey, Origin), Instant>);

impl Familiar {
    pub fn knows(&self, name: NameKey, origin: Origin, now: Instant) -> bool {
        self.0.get(&(name, origin)).is_some_and(|last| now.saturating_duration_since(*last) < LIFETIME)
    }

    pub fn learn(&mut self, name: NameKey, origin: Origin, now: Instant) {
        if self.0.len() >= CAPACITY && !self.0.contains_key(&(name, origin)) {
            self.0.retain(|_, last| now.saturating_duration_since(*last) < LIFETIME);
            if self.0.len() >= CAPACITY {
                // The half that was seen last stays.
                let mut times: Vec<Instant> = self.0.values().copied().collect();
                let middle = times.len() / 2;
                let (_, &mut median, _) = times.select_nth_unstable(middle);
                self.0.retain(|_, last| *last > median);
            }
        }
        let last = self.0.entry((name, origin)).or_insert(now);
        *last = now.max(*last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_where_it_was_for_a_month() {
        let (mut familiar, start) = (Familiar::default(), Instant::now());
        let (home, away) = (Origin::of([192, 0, 2, 1].into()), Origin::of([192, 0, 2, 2].into()));
        familiar.learn(NameKey(1), home, start);
        assert!(familiar.knows(NameKey(1), home, start + LIFETIME - Duration::from_secs(1)));
        assert!(!familiar.knows(NameKey(1), away, start));
        assert!(!familiar.knows(NameKey(2), home, start));
        assert!(!familiar.knows(NameKey(1), home, start + LIFETIME));
    }
}
