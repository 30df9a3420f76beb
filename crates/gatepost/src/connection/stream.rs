//! A byte stream in clear or under TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::{CipherSuite, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::Agreed;

/// What the connection reads and writes.
pub enum Stream<S> {
    Plain(FirstOctet<S>),
    Tls(Box<TlsStream<FirstOctet<S>>>),
    /// While a handshake owns the socket, and for good when it failed.
    Gone,
}

impl<S> Stream<S> {
    pub fn plain(socket: S) -> Self {
        Self::Plain(FirstOctet { octet: None, socket })
    }

    pub fn agreed(&self) -> Option<Agreed> {
        let Self::Tls(tls) = self else { return None };
        let session = tls.get_ref().1;
        let version = match session.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "TLS1.2",
            ProtocolVersion::TLSv1_3 => "TLS1.3",
            other => other.as_str()?,
        };
        let cipher = match session.negotiated_cipher_suite()?.suite() {
            // RFC 8446 §B.4; rustls has names of its own for these, and the registry's for those of TLS 1.2.
            CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
            CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
            other => other.as_str()?,
        };
        Some(Agreed { version, cipher })
    }

    /// The mail addresses of the certificate that the client showed, which was verified then.
    pub fn client_addresses(&self) -> Vec<String> {
        let Self::Tls(tls) = self else { return Vec::new() };
        let certificate = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        certificate.map(|certificate| crate::tls::addresses(certificate)).unwrap_or_default()
    }

    /// RFC 9266 §2: `tls-exporter`. TLS 1.2 has it only with an extension that cannot be asked about.
    pub fn exporter(&self) -> Option<Vec<u8>> {
        let Self::Tls(tls) = self else { return None };
        let session = tls.get_ref().1;
        if session.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return None;
        }
        session.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(&[])).ok()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S>
where
    S: AsyncWrite,
{
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, octets),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, octets),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

/// A socket whose first octet may have been looked at: it is read again.
pub struct FirstOctet<S> {
    pub octet: Option<u8>,
    pub socket: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstOctet<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0
            && let Some(octet) = self.octet.take()
        {
            buffer.put_slice(&[octet]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstOctet<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
