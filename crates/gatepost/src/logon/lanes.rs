//! Lets each address have a few passwords verified at a time, and no more.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use identity::Origin;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::lock;

/// The addresses whose passwords are being verified now.
pub struct Lanes {
    /// Passwords of one address in verification at a time.
    width: usize,
    busy: Mutex<HashMap<Origin, Arc<Semaphore>>>,
}

impl Lanes {
    pub fn new(width: usize) -> Self {
        Self { width, busy: Mutex::default() }
    }

    /// Waits for the address's turn.
    pub async fn wait(&self, address: IpAddr) -> Turn<'_> {
        let origin = Origin::of(address);
        let lane = lock(&self.busy).entry(origin).or_insert_with(|| Arc::new(Semaphore::new(self.width))).clone();
        // Made before waiting: a client that goes away while it waits leaves nothing behind.
        let mut turn = Turn { lanes: self, origin, lane: Some(lane.clone()), permit: None };
        turn.permit = lane.acquire_owned().await.ok();
        turn
    }
}

/// Held while a password is verified.
pub struct Turn<'a> {
    lanes: &'a Lanes,
    origin: Origin,
    lane: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut lanes = lock(&self.lanes.busy);
        // Both hold the lane alive.
        drop((self.permit.take(), self.lane.take()));
        if lanes.get(&self.origin).is_some_and(|lane| Arc::strong_count(lane) == 1) {
            lanes.remove(&self.origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_waits_for_itself_alone_and_leaves_nothing_behind() {
        let lanes = Lanes::new(2);
        let (busy, other) = ([127, 0, 0, 2].into(), [127, 0, 0, 3].into());
        let held = [lanes.wait(busy).await, lanes.wait(busy).await];
        {
            let mut third = std::pin::pin!(lanes.wait(busy));
            tokio::select! {
                biased;
                _ = &mut third => panic!("a third turn at a time"),
                _ = lanes.wait(other) => {}
            }
            drop(held);
            drop(third.await);
        }
        assert!(lock(&lanes.busy).is_empty());
    }
}
