//! A few threads for what would block a caller: cold reads and syncs of large bodies.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use store::Result;
use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::fault::stopped;

type Job = Box<dyn FnOnce() + Send>;

const THREADS: usize = 4;

/// Dropped with the engine's last handle; then the threads end.
pub(crate) struct Blocking(mpsc::Sender<Job>);

impl Blocking {
    pub fn start() -> std::io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        let mut threads = Vec::new();
        for number in 0..THREADS {
            let jobs = jobs.clone();
            let run = move || {
                loop {
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    // A job that panics drops its answer, which tells its caller.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                }
            };
            threads.push(std::thread::Builder::new().name(format!("store-blocking-{number}")).spawn(run)?);
        }
        Ok((Self(sender), threads))
    }
}

impl Engine {
    /// Runs `job` where it may block.
    pub async fn blocking<T: Send + 'static>(&self, job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            let _ = sender.send(job());
        });
        let _ = self.blocking.0.send(job);
        receiver.await.unwrap_or_else(|_| Err(stopped()))
    }
}
