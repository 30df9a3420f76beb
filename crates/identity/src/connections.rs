//! Connections counted per key: an origin, or a user.

use std::collections::HashMap;
use std::hash::Hash;

/// Counts what is open. Holds an entry only while there is something to count, so its memory is bounded by
/// the connections themselves.
#[derive(Debug)]
pub struct ConnectionCounter<K> {
    open: HashMap<K, u32>,
}

/// There are as many connections as there may be; the text for the peer names the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    pub limit: u32,
}

impl<K> Default for ConnectionCounter<K> {
    fn default() -> Self {
        Self { open: HashMap::new() }
    }
}

impl<K: Hash + Eq> ConnectionCounter<K> {
    /// Counts one more, unless `limit` are open. Each success is to be given back by one [`Self::release`].
    pub fn take(&mut self, key: K, limit: u32) -> Result<(), Full> {
        let open = self.open.get(&key).copied().unwrap_or(0);
        if open >= limit {
            return Err(Full { limit });
        }
        self.open.insert(key, open + 1);
        Ok(())
    }

    pub fn release(&mut self, key: &K) {
        match self.open.get_mut(key) {
            Some(open) if *open > 1 => *open -= 1,
            _ => {
                self.open.remove(key);
            }
        }
    }

    pub fn open(&self, key: &K) -> u32 {
        self.open.get(key).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_after_the_last_is_refused_until_one_is_given_back() {
        let mut counter = ConnectionCounter::default();
        for _ in 0..16 {
            assert_eq!(counter.take("ann", 16), Ok(()));
        }
        assert_eq!(counter.take("ann", 16), Err(Full { limit: 16 }));
        assert_eq!(counter.take("bob", 16), Ok(()));
        counter.release(&"ann");
        assert_eq!(counter.take("ann", 16), Ok(()));
        assert_eq!(counter.open(&"ann"), 16);
    }

    #[test]
    fn nothing_is_kept_of_what_was_closed() {
        let mut counter = ConnectionCounter::default();
        counter.take(1, 2).unwrap();
        counter.take(1, 2).unwrap();
        counter.release(&1);
        counter.release(&1);
        counter.release(&1);
        assert!(counter.open.is_empty());
        assert_eq!(counter.take(1, 0), Err(Full { limit: 0 }));
        assert!(counter.open.is_empty());
    }
}
