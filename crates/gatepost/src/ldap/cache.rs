//! What the directory said a short while ago, and what it is being asked now.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use store::{Account, AccountId};
use tokio::sync::OnceCell;

use super::client::Asked;

/// Names and addresses remembered at most: of users, and of nobody.
const USERS: usize = 200_000;
const NOBODIES: usize = 20_000;

/// How long it is remembered at most that there is nobody: a new user is not kept waiting.
const NOBODY: Duration = Duration::from_secs(60);

pub type Answer = store::Result<Option<Arc<Account>>>;

pub struct Cache {
    users: Mutex<Recent<Asked, AccountId>>,
    nobodies: Mutex<Recent<Asked, ()>>,
    /// Asked once for all who want to know it meanwhile.
    under_way: Mutex<HashMap<Asked, Arc<OnceCell<Answer>>>>,
}

impl Cache {
    /// `life`: how long what was said holds.
    pub fn new(life: Duration) -> Self {
        Self {
            users: Mutex::new(Recent::new(life, USERS)),
            nobodies: Mutex::new(Recent::new(life.min(NOBODY), NOBODIES)),
            under_way: Mutex::default(),
        }
    }

    /// Whose it is, if that holds still; `None` inside: nobody's.
    pub fn get(&self, asked: &Asked, now: Instant) -> Option<Option<AccountId>> {
        if let Some(account) = lock(&self.users).get(asked, now) {
            return Some(Some(account));
        }
        lock(&self.nobodies).get(asked, now).map(|()| None)
    }

    /// Whose it was when it was last asked.
    pub fn last(&self, asked: &Asked) -> Option<AccountId> {
        lock(&self.users).last(asked)
    }

    pub fn put(&self, asked: &Asked, found: Option<AccountId>, now: Instant) {
        match found {
            Some(account) => {
                lock(&self.nobodies).remove(asked);
                lock(&self.users).put(asked.clone(), account, now);
            }
            None => {
                lock(&self.users).remove(asked);
                lock(&self.nobodies).put(asked.clone(), (), now);
            }
        }
    }

    /// The answer of whoever asks this now; `look` asks if nobody does.
    pub async fn shared(&self, asked: &Asked, look: impl Future<Output = Answer>) -> Answer {
        let cell = lock(&self.under_way).entry(asked.clone()).or_default().clone();
        let asking = Asking { cache: self, asked, cell };
        asking.cell.get_or_init(|| look).await.clone()
    }
}

/// Somebody waits for an answer, or has it.
struct Asking<'a> {
    cache: &'a Cache,
    asked: &'a Asked,
    cell: Arc<OnceCell<Answer>>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut under_way = lock(&self.cache.under_way);
        // The map holds one as well.
        let is_over = self.cell.initialized() || Arc::strong_count(&self.cell) == 2;
        if is_over && under_way.get(self.asked).is_some_and(|there| Arc::ptr_eq(there, &self.cell)) {
            under_way.remove(self.asked);
        }
    }
}

/// What holds for a while.
struct Recent<K, V> {
    life: Duration,
    most: usize,
    kept: HashMap<K, (V, Instant)>,
}

impl<K: Eq + Hash, V: Copy> Recent<K, V> {
    fn new(life: Duration, most: usize) -> Self {
        Self { life, most, kept: HashMap::new() }
    }

    fn get(&self, key: &K, now: Instant) -> Option<V> {
        let (value, since) = self.kept.get(key)?;
        (now.saturating_duration_since(*since) < self.life).then_some(*value)
    }

    fn last(&self, key: &K) -> Option<V> {
        self.kept.get(key).map(|(value, _)| *value)
    }

    fn put(&mut self, key: K, value: V, now: Instant) {
        if self.kept.len() >= self.most {
            let life = self.life;
            self.kept.retain(|_, (_, since)| now.saturating_duration_since(*since) < life);
            if self.kept.len() >= self.most {
                self.kept.clear();
            }
        }
        self.kept.insert(key, (value, now));
    }

    fn remove(&mut self, key: &K) {
        self.kept.remove(key);
    }
}

/// None of what is locked here is left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn name(name: impl ToString) -> Asked {
        Asked::Name(name.to_string())
    }

    #[test]
    fn what_was_said_holds_until_its_time_is_over_and_that_of_nobody_a_minute_at_most() {
        let (start, life) = (Instant::now(), Duration::from_secs(600));
        let (ann, nobody) = (name("ann"), name("nobody"));
        let at = |seconds| start + Duration::from_secs(seconds);
        let cache = Cache::new(life);
        cache.put(&ann, Some(AccountId(1)), start);
        cache.put(&nobody, None, start);
        assert_eq!((cache.get(&ann, at(599)), cache.get(&ann, at(600))), (Some(Some(AccountId(1))), None));
        assert_eq!((cache.get(&nobody, at(59)), cache.get(&nobody, at(60))), (Some(None), None));
        assert_eq!((cache.last(&ann), cache.last(&nobody)), (Some(AccountId(1)), None));
        cache.put(&ann, None, start);
        assert_eq!((cache.get(&ann, start), cache.last(&ann)), (Some(None), None));
        cache.put(&ann, Some(AccountId(2)), start);
        assert_eq!(cache.get(&ann, start), Some(Some(AccountId(2))));
        let none = Cache::new(Duration::ZERO);
        none.put(&ann, Some(AccountId(1)), start);
        none.put(&nobody, None, start);
        assert_eq!((none.get(&ann, start), none.get(&nobody, start)), (None, None));
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let start = Instant::now();
        let cache = Cache::new(Duration::from_secs(600));
        for number in 0..=NOBODIES {
            cache.put(&name(number), None, start);
        }
        assert_eq!(lock(&cache.nobodies).kept.len(), 1);
        let later = start + NOBODY;
        for number in 1..NOBODIES {
            cache.put(&name(format!("old {number}")), None, start);
        }
        cache.put(&name("new"), None, later);
        assert_eq!(lock(&cache.nobodies).kept.len(), 1, "the old ones go first");
    }

    #[tokio::test]
    async fn what_many_want_to_know_is_asked_once_and_goes_on_if_the_first_leaves() {
        let cache = Cache::new(Duration::ZERO);
        let (asked, count) = (name("ann"), AtomicU32::new(0));
        let look = async || {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err(store::Error::Busy)
        };
        let (one, two) = tokio::join!(cache.shared(&asked, look()), cache.shared(&asked, look()));
        assert_eq!((one, two, count.load(Ordering::Relaxed)), (Err(store::Error::Busy), Err(store::Error::Busy), 1));
        assert!(lock(&cache.under_way).is_empty());
        let mut second = Box::pin(cache.shared(&asked, look()));
        tokio::select! {
            biased;
            _ = cache.shared(&asked, look()) => panic!("nothing is answered so soon"),
            _ = &mut second => panic!("nothing is answered so soon"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(second.await, Err(store::Error::Busy));
        assert!(lock(&cache.under_way).is_empty());
        drop(Box::pin(cache.shared(&asked, look())));
        assert!(lock(&cache.under_way).is_empty());
    }
}
