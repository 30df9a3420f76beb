//! What an exchange has to be told from outside: by accounts, clocks, randomness and TLS.

use super::{Accepted, ClientToken, Context, Credentials, Verdict};
use crate::ntlm::{FileTime, Target};
use crate::sasl::scram;

/// Asked by a session, answered once by its driver with a [`Finding`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// May these log on? [`Finding::Verdict`], or [`Finding::TokenRefused`] with more to say.
    Judge(Credentials),
    /// What the exchange goes on with; a [`Finding::Verdict`] ends it instead.
    Look(Lookup),
}

/// What an exchange needs to know before its credentials are complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// [`Finding::Scram`].
    Scram { hash: scram::Hash, user: String },
    /// [`Finding::Ntlm`].
    Ntlm,
    /// [`Finding::Gss`].
    Gss(ClientToken),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Verdict(Verdict),
    Scram(Box<scram::Finding>),
    /// The verdict on a token, and where to get a better one.
    TokenRefused(Box<BearerServer>),
    Ntlm(Box<NtlmServer>),
    /// The context that took the token, and what became of it.
    Gss(Context, Accepted),
}

/// What a client is told whose token is refused (RFC 7628 §3.2.2), so that it may get another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BearerServer {
    /// What a token has to be good for; empty when it does not matter.
    pub scope: String,
    /// The URL of the provider's configuration.
    pub configuration: String,
}

/// What a server's challenge is made of (MS-NLMP 2.2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtlmServer {
    /// Random, and new for each exchange.
    pub challenge: [u8; 8],
    pub now: FileTime,
    pub target: Target,
}
