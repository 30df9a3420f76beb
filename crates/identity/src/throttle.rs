//! Failed log-ons, counted per origin over all protocols.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use proto::logon::Verdict;

use crate::Origin;

/// Lets an origin fail so many times within any [`Throttle::WINDOW`], and answers nothing more until then:
/// no password is judged, right or wrong. Other origins notice nothing.
///
/// Ask [`admits`](Self::admits) before a password is verified, and [`settles`](Self::settles) before the verdict is told:
/// that holds the limit also when many are verified at once.
#[derive(Debug)]
pub struct Throttle {
    limit: u32,
    capacity: usize,
    /// The last failures of each origin, oldest first; never none.
    failures: HashMap<Origin, VecDeque<Instant>>,
}

impl Throttle {
    pub const WINDOW: Duration = Duration::from_secs(60);

    /// `limit`: failures per window (0: every first failure is already one too many, so nothing is judged);
    /// `capacity`: origins remembered; beyond it the half whose last failures are oldest is forgotten.
    pub fn new(limit: u32, capacity: usize) -> Self {
        Self { limit, capacity, failures: HashMap::new() }
    }

    /// Whether a log-on from there is to be judged at all.
    pub fn admits(&mut self, address: IpAddr, now: Instant) -> bool {
        self.recent(Origin::of(address), now) < self.limit as usize
    }

    /// Counts a verdict and says whether the client may be told of it: once the limit was reached meanwhile, not.
    pub fn settles(&mut self, address: IpAddr, now: Instant, verdict: Verdict) -> bool {
        if !self.admits(address, now) {
            return false;
        }
        if verdict == Verdict::Refused {
            let origin = Origin::of(address);
            if !self.failures.contains_key(&origin) {
                self.make_room(now);
            }
            self.failures.entry(origin).or_default().push_back(now);
        }
        true
    }

    /// How many failures of the origin lie within the window; forgets those that do not.
    fn recent(&mut self, origin: Origin, now: Instant) -> usize {
        let Some(times) = self.failures.get_mut(&origin) else { return 0 };
        while times.front().is_some_and(|&time| has_left(time, now)) {
            times.pop_front();
        }
        let count = times.len();
        if count == 0 {
            self.failures.remove(&origin);
        }
        count
    }

    /// Walks all origins, but only when there are as many as may be.
    fn make_room(&mut self, now: Instant) {
        if self.failures.len() < self.capacity {
            return;
        }
        self.failures.retain(|_, times| times.back().is_some_and(|&time| !has_left(time, now)));
        if self.failures.len() >= self.capacity {
            // The half that failed last stays, so that the next ones find room without a walk.
            let mut times: Vec<Instant> = self.failures.values().filter_map(|times| times.back().copied()).collect();
            let middle = times.len() / 2;
            if let Some((_, &mut median, _)) = (!times.is_empty()).then(|| times.select_nth_unstable(middle)) {
                self.failures.retain(|_, times| times.back().is_some_and(|&last| last > median));
            }
        }
    }
}

fn has_left(time: Instant, now: Instant) -> bool {
    now.saturating_duration_since(time) >= Throttle::WINDOW
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x7f00_0000 + n).into()
    }

    #[test]
    fn the_failure_after_the_last_allowed_one_is_not_told() {
        let (mut throttle, now) = (Throttle::new(60, 100), Instant::now());
        for _ in 0..60 {
            assert!(throttle.admits(address(2), now));
            assert!(throttle.settles(address(2), now, Verdict::Refused));
        }
        assert!(!throttle.admits(address(2), now));
        assert!(throttle.admits(address(3), now));
        assert!(throttle.settles(address(3), now, Verdict::Granted));
    }

    #[test]
    fn the_window_slides() {
        let (mut throttle, start) = (Throttle::new(2, 100), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        throttle.settles(address(2), at(0), Verdict::Refused);
        throttle.settles(address(2), at(59), Verdict::Refused);
        assert!(!throttle.admits(address(2), at(59)));
        // The first has left, so one more may fail; then the second and this one fill the window again.
        assert!(throttle.admits(address(2), at(60)));
        throttle.settles(address(2), at(60), Verdict::Refused);
        assert!(!throttle.admits(address(2), at(118)));
        assert!(throttle.admits(address(2), at(119)));
    }

    #[test]
    fn passwords_verified_at_once_do_not_pass_the_limit() {
        let (mut throttle, now) = (Throttle::new(60, 100), Instant::now());
        let admitted = (0..200).filter(|_| throttle.admits(address(2), now)).count();
        assert_eq!(admitted, 200);
        let told = (0..200).filter(|_| throttle.settles(address(2), now, Verdict::Refused)).count();
        assert_eq!(told, 60);
        // Neither is a right one told among them.
        assert!(!throttle.settles(address(2), now, Verdict::Granted));
    }

    #[test]
    fn only_refusals_count() {
        let (mut throttle, now) = (Throttle::new(1, 100), Instant::now());
        for verdict in [Verdict::Granted, Verdict::Unavailable, Verdict::TooManyConnections { limit: 1 }] {
            assert!(throttle.settles(address(2), now, verdict));
        }
        assert!(throttle.admits(address(2), now));
    }

    #[test]
    fn memory_is_bounded_by_the_origins_remembered() {
        let (mut throttle, start) = (Throttle::new(60, 10), Instant::now());
        for n in 0..1000 {
            throttle.settles(address(n), start + Duration::from_millis(n.into()), Verdict::Refused);
            assert!(throttle.failures.len() <= 10);
        }
        // The latest are those kept.
        assert!(throttle.failures.contains_key(&Origin::of(address(999))));
        assert!(!throttle.failures.contains_key(&Origin::of(address(979))));
        // What has left the window leaves memory when asked about.
        assert!(throttle.admits(address(999), start + Duration::from_secs(62)));
        assert!(!throttle.failures.contains_key(&Origin::of(address(999))));
    }
}
