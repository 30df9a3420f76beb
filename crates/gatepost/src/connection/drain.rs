//! Tells all connections of a service at once that it is stopping.

use tokio::sync::watch;

/// The end that tells. Dropping it tells as well.
pub struct Drain(watch::Sender<bool>);

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Drain {
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    pub fn connection(&self) -> Drained {
        Drained(self.0.subscribe())
    }
}

/// The end that a connection holds.
#[derive(Clone)]
pub struct Drained(watch::Receiver<bool>);

impl Drained {
    /// Answers when the service is stopping.
    pub async fn wait(&mut self) {
        // An error says that the teller is gone: the same.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}
