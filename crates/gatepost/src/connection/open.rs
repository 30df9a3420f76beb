//! How a connection begins: who speaks first, and whether TLS does.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use proto::logon::Channel;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::next::TLS_HANDSHAKE;
use super::stream::Stream;
use super::{Connection, Drained, End, Peer, Terms};

/// What a binding expects of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The server greets in clear. It waits so long (`ImplicitTlsProbe`) for a client that begins TLS
    /// unasked, as some do on every port but 25.
    Greeting { probe: Duration },
    /// TLS from the first octet.
    Tls,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Opens a connection that was accepted.
    pub async fn open(
        socket: S,
        opening: Opening,
        peer: Peer,
        number: u64,
        terms: Arc<Terms>,
        drain: Drained,
    ) -> Result<Self, End> {
        let mut connection = Self::over(socket, Channel::Clear, peer, number, terms, drain);
        match opening {
            Opening::Tls => {
                let wait = connection.terms.handshake;
                let Ok(first) = timeout(wait, connection.first_octet()).await else {
                    // It may wait for a greeting.
                    connection.out.extend_from_slice(connection.terms.protocol.needs_tls());
                    connection.finish().await;
                    return Err(End::TimedOut);
                };
                let first = first?;
                if first != TLS_HANDSHAKE {
                    connection.out.extend_from_slice(connection.terms.protocol.needs_tls());
                    connection.finish().await;
                    return Err(End::ClearOnTlsPort);
                }
                connection.begin_tls(Some(first), Channel::Implicit).await?;
            }
            Opening::Greeting { probe } if !probe.is_zero() => match timeout(probe, connection.first_octet()).await {
                Err(_) => {}
                Ok(Ok(TLS_HANDSHAKE)) => {
                    tracing::info!(session = number, remote = %peer.remote, local = %peer.local,
                        "TLS from the first octet on a STARTTLS port: taken as implicit TLS");
                    connection.begin_tls(Some(TLS_HANDSHAKE), Channel::Implicit).await?;
                }
                Ok(Ok(first)) => {
                    connection.octets_in += 1;
                    connection.received.push(first);
                }
                Ok(Err(end)) => return Err(end),
            },
            Opening::Greeting { .. } => {}
        }
        Ok(connection)
    }

    /// STLS or STARTTLS: writes what is left in clear, then begins TLS. What was received before is dropped
    /// here, so it can never run after it (RFC 3207 §4.2, RFC 2595 §2.4).
    pub async fn upgrade(&mut self) -> Result<(), End> {
        self.flush().await?;
        self.begin_tls(None, Channel::Upgraded).await
    }

    async fn begin_tls(&mut self, first: Option<u8>, channel: Channel) -> Result<(), End> {
        self.received.clear();
        let Some(tls) = self.terms.tls.clone() else { return Err(End::GaveUp("there is no certificate".into())) };
        let Stream::Plain(mut socket) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(End::GaveUp("TLS is already there".into()));
        };
        socket.octet = first;
        let accepted = timeout(self.terms.handshake, Box::pin(TlsAcceptor::from(tls.config).accept(socket)));
        match accepted.await {
            Ok(Ok(stream)) => {
                self.stream = Stream::Tls(Box::new(stream));
                self.end_point = tls.certificate.end_point();
                self.channel = channel;
                Ok(())
            }
            Ok(Err(error)) => Err(End::handshake(error)),
            Err(_) => Err(End::Tls(io::ErrorKind::TimedOut.into())),
        }
    }

    async fn first_octet(&mut self) -> Result<u8, End> {
        let mut first = [0];
        let mut buffer = ReadBuf::new(&mut first);
        poll_fn(|cx| Pin::new(&mut self.stream).poll_read(cx, &mut buffer)).await?;
        buffer.filled().first().copied().ok_or(End::Closed)
    }
}
