//! Listeners: bound addresses whose connections become sessions, and how they stop.

mod accept;
mod bind;
mod limits;
mod session;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::connection::{Connection, Drain, End, Opening, Terms};
use crate::logs::SessionNumbers;
pub use bind::{BindError, bind};
pub use limits::Limits;

/// A protocol's service function, for the connections of one binding.
pub trait Serve: Send + Sync {
    fn serve<'a>(&'a self, connection: &'a mut Connection<TcpStream>)
    -> Pin<Box<dyn Future<Output = End> + Send + 'a>>;
}

/// A bound address and what becomes of its connections.
pub struct Binding {
    pub listener: TcpListener,
    pub opening: Opening,
    pub serve: Arc<dyn Serve>,
}

/// A service that runs: its listeners and their sessions.
pub struct Listening {
    drain: Drain,
    addresses: Vec<(SocketAddr, Opening)>,
    listeners: Vec<JoinHandle<()>>,
}

impl Listening {
    /// `drain_timeout`: how long sessions may take to end once told to.
    pub fn start(
        bindings: Vec<Binding>,
        terms: &Arc<Terms>,
        limits: Limits,
        numbers: &Arc<SessionNumbers>,
        drain_timeout: Duration,
    ) -> Self {
        let drain = Drain::default();
        let limits = Arc::new(limits);
        let mut addresses = Vec::new();
        let listeners = bindings
            .into_iter()
            .map(|binding| {
                addresses.extend(binding.listener.local_addr().map(|address| (address, binding.opening)));
                let listener = accept::Listener {
                    binding,
                    terms: terms.clone(),
                    limits: limits.clone(),
                    numbers: numbers.clone(),
                    drain: drain.connection(),
                    drain_timeout,
                };
                tokio::spawn(listener.run())
            })
            .collect();
        Self { drain, addresses, listeners }
    }

    /// As bound: with the ports that the kernel gave where the binding had none.
    pub fn addresses(&self) -> &[(SocketAddr, Opening)] {
        &self.addresses
    }

    /// Accepts no more, lets sessions take leave, and ends those that do not in time.
    pub async fn stop(self) {
        self.drain.begin();
        for listener in self.listeners {
            if let Err(error) = listener.await {
                tracing::error!(%error, "a listener failed");
            }
        }
    }
}

#[cfg(test)]
mod tests;
