//! What an administrator may set for POP3 sessions.

use std::time::Duration;

/// Shared by all sessions of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The text of the greeting.
    pub banner: String,
    /// Octets of a command with its line end. RFC 2449 §4: clients may send 255.
    pub max_command: usize,
    /// How long a client has to log on: from its connection, from TLS and from each failure on.
    pub authorization_timeout: Duration,
    /// How long a client that is logged on may be silent. RFC 1939 §3: at least 10 minutes.
    pub idle_timeout: Duration,
    /// The failed log-on that ends the session.
    pub max_failures: u32,
    /// The command that was unknown, malformed or out of place and ends the session.
    pub max_bad_commands: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            banner: "The Gatepost POP3 service is ready.".to_owned(),
            max_command: 512,
            authorization_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(30 * 60),
            max_failures: 3,
            max_bad_commands: 10,
        }
    }
}
