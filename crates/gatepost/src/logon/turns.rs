//! So many hashes at a time, and who is next: the one with the least against it, and of those the first that came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::lock;

/// How urgent a hash is: the smaller, the sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency(u32);

impl Urgency {
    /// An administrator waits, or a user who has logged on from there before.
    pub const KNOWN: Self = Self(0);

    /// An address with so many failures of late.
    pub fn after_failures(failures: u32) -> Self {
        Self(failures.saturating_add(1))
    }
}

/// Clones share the turns.
#[derive(Clone)]
pub struct Turns(Arc<Mutex<State>>);

struct State {
    free: usize,
    next: u64,
    waiting: BTreeMap<(Urgency, u64), oneshot::Sender<Turn>>,
}

/// Held while a hash is computed. Dropping it lets the next one begin.
pub struct Turn(Turns);

impl Turns {
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: at_once.max(1), next: 0, waiting: BTreeMap::new() })))
    }

    pub async fn wait(&self, urgency: Urgency) -> Turn {
        loop {
            let (_place, turn) = {
                let mut state = lock(&self.0);
                if state.free > 0 {
                    state.free -= 1;
                    return Turn(self.clone());
                }
                let (sender, receiver) = oneshot::channel();
                let key = (urgency, state.next);
                state.next += 1;
                state.waiting.insert(key, sender);
                (Place { turns: self.clone(), key }, receiver)
            };
            // Only its owner takes a place away, so there is one turn in each channel; if not, it queues again.
            if let Ok(turn) = turn.await {
                return turn;
            }
        }
    }

    fn release(&self) {
        let next = {
            let mut state = lock(&self.0);
            let next = state.waiting.pop_first();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some((_, next)) = next {
            // Whoever has gone away meanwhile gives its turn back by dropping it.
            let _ = next.send(Turn(self.clone()));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A place among those that wait; given up when its owner goes away.
struct Place {
    turns: Turns,
    key: (Urgency, u64),
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.turns.0).waiting.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_the_least_against_it_is_next_and_among_equals_the_first() {
        let turns = Turns::new(1);
        let held = turns.wait(Urgency::KNOWN).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (name, urgency) in [
            ("guesser", Urgency::after_failures(5)),
            ("stranger", Urgency::after_failures(0)),
            ("second stranger", Urgency::after_failures(0)),
            ("owner", Urgency::KNOWN),
        ] {
            let (turns, order) = (turns.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let _turn = turns.wait(urgency).await;
                lock(&order).push(name);
            }));
            while lock(&turns_of(&held).0).waiting.len() < tasks.len() {
                tokio::task::yield_now().await;
            }
        }
        drop(held);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*lock(&order), ["owner", "stranger", "second stranger", "guesser"]);
        assert_eq!(lock(&turns.0).free, 1);
    }

    fn turns_of(turn: &Turn) -> Turns {
        turn.0.clone()
    }

    #[tokio::test]
    async fn there_are_so_many_turns_however_many_go_away_while_they_wait() {
        let turns = Turns::new(2);
        let held = [turns.wait(Urgency::KNOWN).await, turns.wait(Urgency::KNOWN).await];
        for _ in 0..10 {
            let mut waiting = std::pin::pin!(turns.wait(Urgency::KNOWN));
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("a third turn"),
                () = std::future::ready(()) => {}
            }
        }
        assert!(lock(&turns.0).waiting.is_empty(), "who went away has no place");
        drop(held);
        assert_eq!(lock(&turns.0).free, 2);
    }

    #[tokio::test]
    async fn a_turn_that_was_given_to_somebody_who_left_goes_on() {
        let turns = Turns::new(1);
        let held = turns.wait(Urgency::KNOWN).await;
        {
            let mut waiting = std::pin::pin!(turns.wait(Urgency::KNOWN));
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("a second turn"),
                () = std::future::ready(()) => {}
            }
            // Given, and never looked at.
            drop(held);
        }
        assert_eq!(lock(&turns.0).free, 1);
    }
}
