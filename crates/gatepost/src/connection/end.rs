//! Why a connection is over.

use std::io;

/// Ends a service function. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum End {
    #[error("the session was finished")]
    Finished,
    #[error("the client closed the connection")]
    Closed,
    #[error("the client was silent for too long")]
    TimedOut,
    #[error("the service is stopping")]
    Drained,
    #[error("the password was changed or the mailbox removed")]
    LogOnOver,
    #[error("the client did not take what was sent to it for too long")]
    Stalled,
    #[error("the session held {0} octets without making anything of them")]
    Overrun(usize),
    #[error("the client spoke in clear on a port where TLS comes first; set it to SSL/TLS or use the STARTTLS port")]
    ClearOnTlsPort,
    #[error("the client began TLS on a port where a greeting comes first; set it to STARTTLS or use the TLS port")]
    TlsOnClearPort,
    #[error("TLS failed: {0}")]
    Tls(io::Error),
    #[error("TLS failed: {0}; an old program or printer? TLS 1.2 is the least that this server speaks")]
    TlsTooOld(io::Error),
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The announced octets of a message could not all be sent.
    #[error("a message could not be read to its end: {0}")]
    Message(store::Error),
    /// Nothing went wrong on the wire: the service function gives up for a reason of its own.
    #[error("{0}")]
    GaveUp(String),
}

impl End {
    /// A handshake that failed; one that no setting of this server could have saved is told apart.
    pub(super) fn handshake(error: io::Error) -> Self {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(rustls::Error::PeerIncompatible(_)) => Self::TlsTooOld(error),
            _ => Self::Tls(error),
        }
    }
}
