//! The keeper's thread: retention, delivery ids and compaction, while nobody waits for them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::compaction::Compaction;
use crate::engine::Engine;

/// How often it looks by itself; an expunge without retention wakes it at once.
const INTERVAL: Duration = Duration::from_secs(30);

pub(crate) fn keep(engine: &Arc<Engine>) {
    let mut compaction = Compaction::default();
    loop {
        {
            let follow = &engine.follow;
            let mut state = follow.lock();
            if !state.keep && !state.closing && !engine.is_poisoned() {
                let woken = follow.changed.wait_timeout_while(state, INTERVAL, |state| !state.keep && !state.closing);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
            if state.closing || engine.is_poisoned() {
                return;
            }
            state.keep = false;
        }
        let kept = engine.end_retention().map(|_| ()).and_then(|()| engine.forget_deliveries());
        if let Err(error) = kept
            && !engine.is_ending()
        {
            tracing::warn!(%error, "expunged messages could not be purged; it will be tried again");
        }
        compact(engine, &mut compaction);
        // On a full disk retention ends early, a day of it at a time.
        while engine.is_disk_full() && matches!(engine.end_oldest_day(), Ok(true)) {
            compact(engine, &mut compaction);
        }
    }
}

fn compact(engine: &Engine, compaction: &mut Compaction) {
    while engine.options.compaction && !engine.is_ending() {
        match compaction.round(engine) {
            // Who waits for the segments to stay has its turn.
            Ok(true) => std::thread::sleep(Duration::from_millis(10)),
            Ok(false) => return,
            // The next start goes on with it.
            Err(_) if engine.is_ending() => return,
            Err(error) => return tracing::warn!(%error, "segments could not be compacted; it will be tried again"),
        }
    }
}

impl Engine {
    /// Something may be purged now.
    pub fn ask_keeper(&self) {
        self.follow.lock().keep = true;
        self.follow.changed.notify_all();
    }
}
