//! What all three protocols share about logging on: what may be offered, what a client gives.

use std::fmt;

use zeroize::Zeroizing;

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

/// SASL mechanisms that exist here. Adding one is a row here and a file in `sasl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    Plain,
    Login,
}

impl Mechanism {
    pub const ALL: [Self; 2] = [Self::Plain, Self::Login];

    /// As registered with IANA.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// RFC 4422 §3.1: names are compared without case here, as clients send them so.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().as_bytes().eq_ignore_ascii_case(name))
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

/// A text that does not print and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for whoever verifies it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a client gave to prove who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    Password {
        /// RFC 4616 §2: whom the client wants to act as, when it named one.
        authorization: Option<String>,
        user: String,
        password: Secret,
        /// The mechanism, or `None` for the protocol's own password command.
        mechanism: Option<Mechanism>,
    },
}

/// What a client reads that is throttled, whatever it speaks.
pub(crate) fn throttled(limit: u32) -> String {
    format!("Too many failed log-ons from your address; {limit} a minute are allowed. Try again in a minute.")
}

/// The outcome of a log-on, as the session is told it. The reason for a refusal stands in the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Granted,
    /// Unknown user, wrong password, switched off: one and the same answer.
    Refused,
    /// Too many failures from this address (RFC 3206: SYS/TEMP; RFC 5530: LIMIT).
    Throttled {
        /// Failures that an address may have in a minute.
        limit: u32,
    },
    /// RFC 3206 §4: the account cannot be checked now, a later try may succeed.
    Unavailable,
    /// The account has as many connections as it may.
    TooManyConnections {
        limit: u32,
    },
}
