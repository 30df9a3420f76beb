//! Listeners: bound addresses whose connections become sessions, and how they stop.

mod accept;
mod bind;
mod descriptors;
mod limits;
mod session;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::connection::{Connection, Drain, End, Opening, Protocol, Terms};
use crate::logs::SessionNumbers;
pub use bind::{BindError, bind};
pub use descriptors::Descriptors;
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

/// What all services of the server share.
#[derive(Clone)]
pub struct Shared {
    pub numbers: Arc<SessionNumbers>,
    pub descriptors: Descriptors,
    /// How long sessions may take to end once told to.
    pub drain_timeout: Duration,
    pub handshake: Duration,
    pub stall: Duration,
}

impl Shared {
    pub fn terms(&self, protocol: Protocol, tls: crate::tls::Tls) -> Arc<Terms> {
        Arc::new(Terms { protocol, tls: Some(tls), handshake: self.handshake, stall: self.stall })
    }
}

/// How long the last words to sessions that did not end in time may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A service that runs: its listeners and their sessions.
pub struct Listening {
    drain: Drain,
    drain_timeout: Duration,
    addresses: Vec<(SocketAddr, Opening)>,
    listeners: Vec<JoinHandle<()>>,
}

impl Listening {
    pub fn start(bindings: Vec<Binding>, terms: &Arc<Terms>, limits: &Arc<Limits>, shared: &Shared) -> Self {
        let drain = Drain::default();
        let mut addresses = Vec::new();
        let listeners = bindings
            .into_iter()
            .map(|binding| {
                addresses.extend(binding.listener.local_addr().map(|address| (address, binding.opening)));
                let listener = accept::Listener {
                    binding,
                    terms: terms.clone(),
                    limits: limits.clone(),
                    numbers: shared.numbers.clone(),
                    drain: drain.connection(),
                };
                tokio::spawn(listener.run())
            })
            .collect();
        Self { drain, drain_timeout: shared.drain_timeout, addresses, listeners }
    }

    /// As bound: with the ports that the kernel gave where the binding had none.
    pub fn addresses(&self) -> &[(SocketAddr, Opening)] {
        &self.addresses
    }

    /// Accepts no more, lets sessions take leave, and ends those that do not in time.
    pub async fn stop(self) {
        let Self { drain, drain_timeout, listeners, .. } = self;
        drain.begin();
        let mut ended = std::pin::pin!(async {
            for listener in listeners {
                if let Err(error) = listener.await {
                    tracing::error!(%error, "a listener failed");
                }
            }
        });
        if tokio::time::timeout(drain_timeout, &mut ended).await.is_err() {
            drain.end();
            ended.await;
        }
    }
}

#[cfg(test)]
mod tests;
