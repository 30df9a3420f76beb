//! SCRAM (RFC 5802, RFC 7677): the client proves that it knows the password without showing it, and the server
//! that it knows what the password left behind.

#[cfg(test)]
pub(crate) mod known;
mod message;
mod server;
mod verifier;

use std::fmt;

pub(super) use message::name as saslname;
pub(super) use server::Scram;
pub use server::hash_of;
pub use verifier::{Hash, StoredKey, Verifier, prepared};

/// What an exchange goes on with once it knows who the client says it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// The account's; where there is none, one that no password has and that is the same each time.
    pub verifier: Verifier,
    /// Random, printable, without a comma (RFC 5802 §5.1); new for each exchange.
    pub nonce: String,
    /// Of the TLS connection that the exchange runs in; `None` where -PLUS is not offered.
    pub bindings: Option<ChannelBindings>,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scram::Finding(..)")
    }
}

/// RFC 5056: what tells this TLS connection from every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelBindings {
    /// `tls-exporter` (RFC 9266); TLS 1.2 may have none.
    pub exporter: Option<Vec<u8>>,
    /// `tls-server-end-point` (RFC 5929 §4): the hash of the certificate that the server showed.
    pub server_end_point: Option<Vec<u8>>,
}
