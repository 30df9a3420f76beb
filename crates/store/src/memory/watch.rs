//! Wake-ups: each watch has one flag of its own, so that none is lost between two waits.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use super::Memory;
use crate::{AccountId, Future, Watch};

/// All watches, by account and number.
#[derive(Default)]
pub(super) struct Watches {
    waiting: BTreeMap<(AccountId, u64), Pending>,
    last: u64,
}

#[derive(Default)]
struct Pending {
    changed: bool,
    waker: Option<Waker>,
}

impl Watches {
    pub fn wake(&mut self, account: AccountId) {
        for pending in self.waiting.range_mut((account, 0)..=(account, u64::MAX)).map(|(_, pending)| pending) {
            pending.changed = true;
            if let Some(waker) = pending.waker.take() {
                waker.wake();
            }
        }
    }
}

struct MemoryWatch {
    memory: Memory,
    key: (AccountId, u64),
}

impl Memory {
    pub(super) fn watch_account(&self, account: AccountId) -> Box<dyn Watch> {
        let watches = &mut self.lock().watches;
        watches.last += 1;
        let key = (account, watches.last);
        watches.waiting.insert(key, Pending::default());
        Box::new(MemoryWatch { memory: self.clone(), key })
    }
}

impl Watch for MemoryWatch {
    fn changed(&mut self) -> Future<'_, ()> {
        Box::pin(poll_fn(|context| {
            let mut state = self.memory.lock();
            let Some(pending) = state.watches.waiting.get_mut(&self.key) else { return Poll::Pending };
            if std::mem::take(&mut pending.changed) {
                return Poll::Ready(());
            }
            pending.waker = Some(context.waker().clone());
            Poll::Pending
        }))
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.memory.lock().watches.waiting.remove(&self.key);
    }
}
