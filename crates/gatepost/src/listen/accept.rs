//! Accepts connections of one binding and looks after their tasks.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use super::session::{Session, refuse};
use super::{Binding, LAST_WORDS, Limits};
use crate::connection::{Drained, Opening, Peer, Terms};
use crate::logs::SessionNumbers;

/// Connections that are being told of a limit under TLS at the same time; beyond them they are closed without a word.
const REFUSALS: usize = 16;

/// How long sessions that are ended by force may take to be gone.
const FORCE: Duration = Duration::from_secs(1);

/// How long accepting rests when the system has no descriptors or memory left.
const REST: Duration = Duration::from_millis(250);

/// One bound address at work.
pub struct Listener {
    pub binding: Binding,
    pub terms: Arc<Terms>,
    pub limits: Arc<Limits>,
    pub numbers: Arc<SessionNumbers>,
    pub drain: Drained,
}

impl Listener {
    /// Until the service stops and every session has ended.
    pub async fn run(self) {
        let Self { binding: Binding { listener, opening, serve }, terms, limits, numbers, drain } = self;
        let local = listener.local_addr();
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let mut sessions = JoinSet::new();
        let mut draining = std::pin::pin!({
            let mut drain = drain.clone();
            async move { drain.wait().await }
        });
        loop {
            let accepted = tokio::select! {
                () = &mut draining => break,
                Some(ended) = sessions.join_next() => {
                    report(ended);
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            let (socket, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    rest(&error).await;
                    continue;
                }
            };
            let peer = Peer { remote, local: local_address(&socket, &local, remote) };
            // Replies are written whole: waiting to fill a packet would only delay them.
            let _ = socket.set_nodelay(true);
            let number = numbers.next();
            let (terms, drain) = (terms.clone(), drain.clone());
            match Limits::take(&limits, remote.ip()) {
                Ok(place) => {
                    let serve = serve.clone();
                    sessions.spawn(Session { opening, peer, number, terms, drain, serve, place }.run(socket));
                }
                Err(reason) => {
                    tracing::warn!(session = number, protocol = terms.protocol.name(), %remote, local = %peer.local,
                        reason, "connection refused");
                    if matches!(opening, Opening::Greeting { .. }) {
                        tell(socket, &terms.protocol.refusal(&reason));
                    } else if let Ok(permit) = refusals.clone().try_acquire_owned() {
                        sessions.spawn(async move {
                            refuse(socket, opening, peer, number, terms, drain, &reason).await;
                            drop(permit);
                        });
                    }
                }
            }
        }
        drop(listener);
        let ended = async { while sessions.join_next().await.map(report).is_some() {} };
        let mut drain = drain;
        let late = async {
            drain.wait_for_end().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let is_late = tokio::select! {
            () = ended => false,
            () = late => true,
        };
        if is_late {
            tracing::warn!(protocol = terms.protocol.name(), sessions = sessions.len(), "sessions ended by force");
            sessions.abort_all();
            let ended = async { while sessions.join_next().await.map(report).is_some() {} };
            // Whoever does not even give its thread back is not waited for: the process ends without it.
            let _ = tokio::time::timeout(FORCE, ended).await;
        }
    }
}

/// One write that waits for nothing: however many come at once, each is told.
fn tell(socket: TcpStream, refusal: &[u8]) {
    // A client that has just connected has room for a line; whether it reads it is its own business.
    let _ = socket.into_std().and_then(|socket| (&socket).write(refusal));
}

/// The address that the client connected to.
fn local_address(socket: &TcpStream, bound: &io::Result<SocketAddr>, remote: SocketAddr) -> SocketAddr {
    // Without either, the peer is gone already: what stands here is never used for a session that lives.
    socket.local_addr().unwrap_or_else(|_| bound.as_ref().map_or(remote, |bound| *bound))
}

/// A panic costs its own connection; here it is told.
fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a session failed by a fault of this program; its connection is closed");
    }
}

async fn rest(error: &io::Error) {
    match error.kind() {
        // The client's own doing, and over.
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted => {}
        _ => {
            tracing::error!(%error, "no connection can be accepted now; is the limit of open files too low?");
            tokio::time::sleep(REST).await;
        }
    }
}
