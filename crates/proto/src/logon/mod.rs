//! What all three protocols share about logging on: what may be offered, what a client gives, what is to be found
//! out about it, and how it ends. The exchanges themselves are in [`crate::sasl`].

mod credentials;
mod extended_protection;
mod mechanism;
mod question;
mod secret;
mod security_context;
#[cfg(test)]
pub(crate) mod testing;
mod verdict;

pub use credentials::Credentials;
pub use extended_protection::ExtendedProtection;
pub use mechanism::{Kind, Mechanism};
pub use question::{BearerServer, Finding, Lookup, NtlmServer, Question};
pub use secret::Secret;
pub use security_context::{Accepted, ClientToken, Context, SecurityContext};
pub use verdict::Verdict;

/// How the octets of a connection travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// In clear.
    Clear,
    /// TLS since STLS or STARTTLS.
    Upgraded,
    /// TLS from the first octet.
    Implicit,
}

impl Channel {
    pub const fn is_private(self) -> bool {
        !matches!(self, Self::Clear)
    }
}

/// What a session may offer and accept for log-on on its channel as it is now. Policy makes it; the session
/// gets a new one after each change of channel. What is advertised is what is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// STLS or STARTTLS can be had.
    pub starttls: bool,
    /// The protocol's own password command: USER and PASS, or LOGIN.
    pub password_command: bool,
    pub mechanisms: Vec<Mechanism>,
    /// How to get to a log-on when it is refused here: `Use STLS, or connect with TLS on port 995.`
    pub cure: String,
}

impl Offer {
    pub fn has(&self, mechanism: Mechanism) -> bool {
        self.mechanisms.contains(&mechanism)
    }
}
