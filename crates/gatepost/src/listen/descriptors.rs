//! Descriptors: a connection takes one, and the store, the management socket and new connections need some too.

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Kept for the store, which holds up to 256 files open, the log, the management socket and connections that are
/// told of a limit: so many, but no more than half of what there is.
const RESERVE: u64 = 320;

/// What connections of all services may use together.
#[derive(Clone, Debug)]
pub struct Descriptors {
    free: Arc<Semaphore>,
    all: u32,
}

impl Descriptors {
    /// Raises the soft limit of open files to the hard one, and shares it out.
    pub fn raise() -> Self {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // What may not be raised is lived with.
        let now = setrlimit(Resource::Nofile, raised).map_or(limit.current, |()| limit.maximum);
        Self::of(now.unwrap_or(u64::MAX))
    }

    /// With so many open files.
    pub fn of(limit: u64) -> Self {
        let all = limit - RESERVE.min(limit / 2);
        let all = all.min(u64::from(u32::MAX / 8)) as u32;
        Self { free: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Connections that can be open at a time.
    pub fn connections(&self) -> u32 {
        self.all
    }

    /// Says so where there are fewer than the settings allow; who is refused for it is told, and logged, too.
    pub fn compare(&self, max_connections: u32) {
        if self.all < max_connections {
            tracing::info!(
                max_connections,
                "the limit of open files leaves room for {} connections of all services together; raise it for more (systemd: LimitNOFILE, a shell: ulimit -Hn)",
                self.all
            );
        }
    }

    pub(super) fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_everything_else() {
        assert_eq!(Descriptors::of(256).connections(), 128);
        assert_eq!(Descriptors::of(20_000).connections(), 19_680);
        let few = Descriptors::of(2);
        let held = few.take();
        assert!(held.is_some() && few.take().is_none());
        drop(held);
        assert!(few.take().is_some());
    }
}
