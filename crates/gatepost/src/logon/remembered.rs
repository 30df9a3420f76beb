//! Passwords that were verified a short while ago, as keyed hashes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use proto::logon::Secret;
use store::{AccountId, PasswordHash};

/// Accounts remembered at most.
const CAPACITY: usize = 100_000;

/// Holds, for each account, a keyed hash over its stored hash and the password: a change of the stored hash
/// makes what is remembered worthless. The key is random and lives as long as the process.
pub struct Remembered {
    key: hmac::Key,
    lifetime: Duration,
    known: HashMap<AccountId, (hmac::Tag, Instant)>,
}

impl Remembered {
    /// Without randomness nothing is remembered.
    pub fn new(lifetime: Duration) -> Self {
        let mut key = [0; 32];
        let lifetime = aws_lc_rs::rand::fill(&mut key).map_or(Duration::ZERO, |()| lifetime);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), lifetime, known: HashMap::new() }
    }

    pub fn knows(&mut self, account: AccountId, hash: &PasswordHash, password: &Secret, now: Instant) -> bool {
        let Some((tag, since)) = self.known.get(&account) else { return false };
        if now.saturating_duration_since(*since) >= self.lifetime {
            self.known.remove(&account);
            return false;
        }
        hmac::verify(&self.key, &message(hash, password), tag.as_ref()).is_ok()
    }

    pub fn learn(&mut self, account: AccountId, hash: &PasswordHash, password: &Secret, now: Instant) {
        if self.lifetime.is_zero() {
            return;
        }
        if self.known.len() >= CAPACITY {
            let lifetime = self.lifetime;
            self.known.retain(|_, (_, since)| now.saturating_duration_since(*since) < lifetime);
            if self.known.len() >= CAPACITY {
                self.known.clear();
            }
        }
        self.known.insert(account, (hmac::sign(&self.key, &message(hash, password)), now));
    }

    pub fn forget(&mut self, account: AccountId) {
        self.known.remove(&account);
    }
}

/// A PHC string has no NUL in it, so the two cannot run into each other.
fn message(hash: &PasswordHash, password: &Secret) -> zeroize::Zeroizing<Vec<u8>> {
    [hash.0.as_bytes(), b"\0", password.expose().as_bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_until_its_time_is_over_or_anything_changes() {
        let (ann, bob) = (AccountId(1), AccountId(2));
        let (hash, other) = (PasswordHash("$argon2id$a".into()), PasswordHash("$argon2id$b".into()));
        let (right, wrong) = (Secret::new("right".into()), Secret::new("wrong".into()));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut remembered = Remembered::new(Duration::from_secs(600));
        assert!(!remembered.knows(ann, &hash, &right, start));
        remembered.learn(ann, &hash, &right, start);
        assert!(remembered.knows(ann, &hash, &right, at(599)));
        assert!(!remembered.knows(ann, &hash, &wrong, start));
        assert!(!remembered.knows(ann, &other, &right, start));
        assert!(!remembered.knows(bob, &hash, &right, start));
        assert!(!remembered.knows(ann, &hash, &right, at(600)));
        remembered.learn(ann, &hash, &right, start);
        remembered.forget(ann);
        assert!(!remembered.knows(ann, &hash, &right, start));
    }
}
