//! Where owners of accounts have logged on from: guesses from elsewhere do not go before them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use identity::Origin;
use store::AccountId;

/// Pairs remembered at most.
const CAPACITY: usize = 200_000;
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Pairs of an account and an address that its owner proved to be at. In memory only: after a restart everybody is a
/// stranger once.
#[derive(Debug, Default)]
pub struct Familiar(HashMap<(AccountId, Origin), Instant>);

impl Familiar {
    pub fn knows(&self, account: AccountId, origin: Origin, now: Instant) -> bool {
        self.0.get(&(account, origin)).is_some_and(|last| now.saturating_duration_since(*last) < LIFETIME)
    }

    pub fn learn(&mut self, account: AccountId, origin: Origin, now: Instant) {
        if self.0.len() >= CAPACITY && !self.0.contains_key(&(account, origin)) {
            self.0.retain(|_, last| now.saturating_duration_since(*last) < LIFETIME);
            if self.0.len() >= CAPACITY {
                // The half that was seen last stays.
                let mut times: Vec<Instant> = self.0.values().copied().collect();
                let middle = times.len() / 2;
                let (_, &mut median, _) = times.select_nth_unstable(middle);
                self.0.retain(|_, last| *last > median);
            }
        }
        self.0.insert((account, origin), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_where_it_was_for_a_month() {
        let (mut familiar, start) = (Familiar::default(), Instant::now());
        let (home, away) = (Origin::of([192, 0, 2, 1].into()), Origin::of([192, 0, 2, 2].into()));
        familiar.learn(AccountId(1), home, start);
        assert!(familiar.knows(AccountId(1), home, start + LIFETIME - Duration::from_secs(1)));
        assert!(!familiar.knows(AccountId(1), away, start));
        assert!(!familiar.knows(AccountId(2), home, start));
        assert!(!familiar.knows(AccountId(1), home, start + LIFETIME));
    }
}
