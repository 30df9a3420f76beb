//! Tells all connections of a service at once that it is stopping.

use tokio::sync::watch;

/// The end that tells. Dropping it tells as well.
#[derive(Debug)]
pub struct Drain(watch::Sender<Phase>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// What is under way may finish.
    Draining,
    /// It took too long.
    Over,
}

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }
}

impl Drain {
    pub fn begin(&self) {
        self.0.send_replace(Phase::Draining);
    }

    /// Nothing may finish any more.
    pub fn end(&self) {
        self.0.send_replace(Phase::Over);
    }

    pub fn connection(&self) -> Drained {
        Drained(self.0.subscribe())
    }
}

/// The end that a connection holds.
#[derive(Clone, Debug)]
pub struct Drained(watch::Receiver<Phase>);

impl Drained {
    /// Answers when the service is stopping.
    pub async fn wait(&mut self) {
        self.reach(Phase::Draining).await;
    }

    /// Answers when the time to end is over.
    pub async fn wait_for_end(&mut self) {
        self.reach(Phase::Over).await;
    }

    async fn reach(&mut self, phase: Phase) {
        // An error says that the teller is gone: the same.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}
