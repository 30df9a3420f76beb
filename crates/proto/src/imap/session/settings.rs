//! What an administrator may set for IMAP sessions.

use std::time::Duration;

use crate::imap::parse::Limits;

/// Shared by all sessions of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The text of the greeting.
    pub banner: String,
    /// Octets of a command with its literals, a message being appended apart. Before log-on no more than
    /// [`Settings::MAX_BEFORE_LOGON`] in any case.
    pub max_command: usize,
    /// Octets of a message to be appended.
    pub max_message: u64,
    pub parse: Limits,
    /// How long a client has to log on: from its connection, from TLS and from each failure on.
    pub authentication_timeout: Duration,
    /// How long a client that is logged on may be silent, in IDLE too. RFC 3501 §5.4: at least 30 minutes.
    pub idle_timeout: Duration,
    /// The failed log-on that ends the session.
    pub max_failures: u32,
    /// The command that was unknown, malformed or out of place and ends the session; counted anew after each
    /// good one of a client that is logged on.
    pub max_bad_commands: u32,
}

impl Settings {
    /// Octets that a client which nobody knows can make the server hold.
    pub const MAX_BEFORE_LOGON: usize = 64 * 1024;

    /// Octets that come unasked and are consumed only to be refused, at most.
    pub const MAX_REFUSED: u64 = 1 << 30;

    /// The same for a client that nobody knows.
    pub const MAX_REFUSED_BEFORE_LOGON: u64 = 1 << 20;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            banner: "The Gatepost IMAP4 service is ready.".to_owned(),
            max_command: 64 * 1024,
            max_message: 36 * 1024 * 1024,
            parse: Limits::default(),
            authentication_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(30 * 60),
            max_failures: 3,
            max_bad_commands: 10,
        }
    }
}
