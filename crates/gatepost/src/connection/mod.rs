//! The driver of every protocol session: one connection, in clear or under TLS, over any byte stream.
//!
//! A connection holds memory for octets only while there are some: a read goes through a buffer on the
//! stack, and what is left of the receive and send buffers is given back whenever the peer is waited for.
//! It never reads while a request is unanswered and never makes more output while the peer does not take
//! what there is: that bounds what one peer can make it hold.

mod alarm;
mod attend;
mod drain;
mod end;
mod next;
mod open;
mod pause;
mod received;
mod send;
mod stream;
mod terms;
#[cfg(test)]
mod tests;
mod write;

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use proto::logon::{Channel, ExtendedProtection};
use proto::sasl::scram::ChannelBindings;
use tokio::io::{AsyncRead, AsyncWrite};

use alarm::Alarm;
pub use attend::Work;
pub use drain::{Drain, Drained};
pub use end::End;
pub use next::Wake;
pub use open::Opening;
use received::Received;
use stream::Stream;

pub use terms::{Protocol, Terms};

use crate::tls::EndPoint;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub remote: SocketAddr,
    pub local: SocketAddr,
}

/// Who tries to log on, as far as the connection tells.
#[derive(Clone)]
pub struct Client {
    pub remote: IpAddr,
    pub protocol: Protocol,
    /// The session's number in the log.
    pub session: u64,
    /// Connections that one user may have over this protocol.
    pub max_connections: u32,
    /// The version of TLS; `None` in clear.
    pub tls: Option<&'static str>,
    pub protection: ExtendedProtection,
    /// What a channel binding knows the certificate by that was shown (RFC 5929 §4); `None` in clear.
    pub end_point: Option<Arc<EndPoint>>,
    /// Those of the certificate that the client showed.
    pub addresses: Vec<String>,
}

/// What was agreed when TLS began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// `TLS1.3`
    pub version: &'static str,
    /// As IANA's registry has it: `TLS_AES_256_GCM_SHA384`
    pub cipher: &'static str,
}

/// What a protocol's service function drives its session with.
pub struct Connection<S> {
    stream: Stream<S>,
    received: Received,
    /// What is to be sent.
    out: Vec<u8>,
    alarm: Alarm,
    drain: Drained,
    /// Says when the log-on of the session holds no more.
    log_on: Option<Drained>,
    terms: Arc<Terms>,
    peer: Peer,
    number: u64,
    channel: Channel,
    /// What a channel binding knows the certificate by that was shown (RFC 5929 §4).
    end_point: Option<Arc<EndPoint>>,
    told_to_leave: bool,
    timed_out: bool,
    octets_in: u64,
    octets_out: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection over a stream as it is. `channel` says how far it can be trusted: a stream in memory
    /// may stand for one under TLS. `number` names the session in the log.
    pub fn over(socket: S, channel: Channel, peer: Peer, number: u64, terms: Arc<Terms>, drain: Drained) -> Self {
        Self {
            stream: Stream::plain(socket),
            received: Received::default(),
            out: Vec::new(),
            alarm: Alarm::default(),
            drain,
            log_on: None,
            terms,
            peer,
            number,
            channel,
            end_point: None,
            told_to_leave: false,
            timed_out: false,
            octets_in: 0,
            octets_out: 0,
        }
    }

    /// The time that sessions are told. Virtual where tokio's is.
    pub fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Names this session in the log.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// What TLS agreed on; `None` in clear.
    pub fn agreed(&self) -> Option<Agreed> {
        self.stream.agreed()
    }

    /// Who is there, for a log-on. `max_connections`: those that one user may have.
    pub fn client(&self, max_connections: u32, protection: ExtendedProtection) -> Client {
        Client {
            remote: self.peer.remote.ip(),
            protocol: self.terms.protocol,
            session: self.number,
            max_connections,
            tls: self.agreed().map(|agreed| agreed.version),
            protection,
            end_point: self.end_point.clone(),
            addresses: self.stream.client_addresses(),
        }
    }

    /// Whether the client showed a certificate that names a mail address.
    pub fn has_client_certificate(&self) -> bool {
        !self.stream.client_addresses().is_empty()
    }

    /// What an exchange can be bound to; `None` where there is nothing, or it is not offered.
    pub fn bindings(&self, protection: ExtendedProtection) -> Option<ChannelBindings> {
        if protection == ExtendedProtection::None {
            return None;
        }
        let bindings = ChannelBindings {
            exporter: self.stream.exporter(),
            server_end_point: self.end_point.as_ref().map(|end_point| end_point.0.to_vec()),
        };
        (bindings.exporter.is_some() || bindings.server_end_point.is_some()).then_some(bindings)
    }

    /// The session takes leave when `log_on` is over.
    pub fn ends_with(&mut self, log_on: Drained) {
        self.log_on = Some(log_on);
    }

    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// Octets of the input that led to the last request: `range` as the session gave it, counted from the
    /// start of the slice it was called with. They are there until the next call of [`next`](Self::next).
    pub fn received(&self, range: Range<usize>) -> &[u8] {
        self.received.since_input(range)
    }

    /// Where to append octets to be sent.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Octets received and sent so far, as the protocol sees them.
    pub fn octets(&self) -> (u64, u64) {
        (self.octets_in, self.octets_out)
    }
}
