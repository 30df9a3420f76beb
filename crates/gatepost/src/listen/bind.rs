//! Binds addresses; an error says what to do about it.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Why nothing listens there; the text tells the cure.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error(
        "port {} on {} needs the right to bind ports below 1024: run as a service (dist/gatepost.service), give the program CAP_NET_BIND_SERVICE, or shift all ports with gatepost quickstart --port-offset 10000",
        .0.port(), .0.ip()
    )]
    Privileged(SocketAddr),
    #[error(
        "port {} on {} is in use by another program: stop that one (ss -ltnp shows it), or shift all ports with gatepost quickstart --port-offset 10000",
        .0.port(), .0.ip()
    )]
    InUse(SocketAddr),
    #[error("this machine has no address {}: give one that it has with --listen, or 0.0.0.0 for all", .0.ip())]
    NoSuchAddress(SocketAddr),
    #[error("{address} could not be bound: {error}")]
    Other { address: SocketAddr, error: io::Error },
}

impl BindError {
    fn new(address: SocketAddr, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Privileged(address),
            io::ErrorKind::AddrInUse => Self::InUse(address),
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress(address),
            _ => Self::Other { address, error },
        }
    }

    /// `[::]` on a machine without IPv6: nothing is missing there.
    fn is_for_want_of_ipv6(&self) -> bool {
        match self {
            Self::NoSuchAddress(address) => address.is_ipv6() && address.ip().is_unspecified(),
            Self::Other { address, error } => {
                // EAFNOSUPPORT has no kind of its own.
                address.is_ipv6() && address.ip().is_unspecified() && error.raw_os_error() == Some(97)
            }
            Self::Privileged(_) | Self::InUse(_) => false,
        }
    }
}

/// Binds one address; `None` for IPv6 as a whole on a machine that has none. Within a runtime only.
pub fn bind(address: SocketAddr) -> Result<Option<TcpListener>, BindError> {
    match try_bind(address).map_err(|error| BindError::new(address, error)) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.is_for_want_of_ipv6() => {
            tracing::warn!(%address, "not bound: this machine has no IPv6");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn try_bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // IPv4 has a binding of its own.
        socket.set_only_v6(true)?;
    }
    // A port is free again at once after a restart.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
