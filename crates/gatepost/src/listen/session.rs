//! One connection from its first octet to its last, as a task.

use std::sync::Arc;

use tokio::net::TcpStream;

use super::Serve;
use super::limits::Place;
use crate::connection::{Connection, Drained, End, Opening, Peer, Terms};

/// What the task of a connection holds.
pub struct Session {
    pub opening: Opening,
    pub peer: Peer,
    pub number: u64,
    pub terms: Arc<Terms>,
    pub drain: Drained,
    pub serve: Arc<dyn Serve>,
    pub place: Place,
}

impl Session {
    pub async fn run(self, socket: TcpStream) {
        let Self { opening, peer, number, terms, drain, serve, place } = self;
        let protocol = terms.protocol.name();
        let started = tokio::time::Instant::now();
        // Boxed, so that a session does not carry the room of its handshake for the rest of its life.
        let open = Box::pin(Connection::open(socket, opening, peer, number, terms, drain.clone()));
        // A client that never begins TLS does not hold up the service's end.
        let mut drain = drain;
        let opened = tokio::select! {
            opened = open => opened,
            () = drain.wait() => Err(End::Drained),
        };
        let (end, (octets_in, octets_out)) = match opened {
            Ok(mut connection) => {
                tracing::info!(session = number, protocol, remote = %peer.remote, local = %peer.local,
                    tls = connection.agreed().map(|agreed| agreed.version), "session begins");
                let end = serve.serve(&mut connection).await;
                (end, connection.octets())
            }
            Err(end) => (end, (0, 0)),
        };
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match end {
            End::Finished | End::Closed | End::TimedOut | End::Drained | End::LogOnOver => {
                tracing::info!(session = number, protocol, remote = %peer.remote, octets_in, octets_out, milliseconds,
                    reason = end.to_string(), "session ends");
            }
            _ => {
                tracing::warn!(session = number, protocol, remote = %peer.remote, local = %peer.local, octets_in,
                    octets_out, milliseconds, reason = end.to_string(), "session ends");
            }
        }
        drop(place);
    }
}

/// Tells a client which limit it has met, in the protocol's words and under the TLS that it expects.
pub async fn refuse(
    socket: TcpStream,
    opening: Opening,
    peer: Peer,
    number: u64,
    terms: Arc<Terms>,
    drain: Drained,
    reason: &str,
) {
    // No probe: whoever met a limit does not get more time.
    let opening = match opening {
        Opening::Greeting { .. } => Opening::Greeting { probe: std::time::Duration::ZERO },
        Opening::Tls => Opening::Tls,
    };
    let refusal = terms.protocol.refusal(reason);
    let open = Box::pin(Connection::open(socket, opening, peer, number, terms, drain.clone()));
    let mut drain = drain;
    // As in a session: one that never begins TLS does not hold up the service's end.
    let opened = tokio::select! {
        opened = open => opened,
        () = drain.wait() => Err(End::Drained),
    };
    if let Ok(mut connection) = opened {
        connection.output().extend_from_slice(&refusal);
        connection.leave().await;
    }
}
