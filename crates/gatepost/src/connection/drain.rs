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
        Drained { one: self.0.subscribe(), other: None }
    }
}

/// The end that a connection holds.
#[derive(Clone, Debug)]
pub struct Drained {
    one: watch::Receiver<Phase>,
    /// Whichever comes first tells.
    other: Option<Box<watch::Receiver<Phase>>>,
}

impl Drained {
    /// Answers when the service is stopping.
    pub async fn wait(&mut self) {
        self.reach(Phase::Draining).await;
    }

    /// Answers when the time to end is over.
    pub async fn wait_for_end(&mut self) {
        self.reach(Phase::Over).await;
    }

    /// Told by both from now on; of the other, by its first alone.
    pub fn and(self, other: Self) -> Self {
        Self { other: Some(Box::new(other.one)), ..self }
    }

    async fn reach(&mut self, phase: Phase) {
        // An error says that the teller is gone: the same.
        let Some(other) = &mut self.other else {
            let _ = self.one.wait_for(|now| *now >= phase).await;
            return;
        };
        // Boxed, so that the many that wait for one teller have no room for two.
        let one = &mut self.one;
        Box::pin(async move {
            tokio::select! {
                _ = one.wait_for(|now| *now >= phase) => {}
                _ = other.wait_for(|now| *now >= phase) => {}
            }
        })
        .await;
    }
}
