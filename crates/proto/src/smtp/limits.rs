//! What one SMTP connection may use. Every refusal that comes of them names the limit.

use std::time::Duration;

/// Limits of a session; a receive connector sets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a message as it is stored; announced with SIZE (RFC 1870).
    pub message_octets: u64,
    /// Accepted recipients of one message; RFC 5321 §4.5.3.1.8 asks for at least 100.
    pub recipients: usize,
    /// Commands that made no sense before the connection is closed; counted anew after a log-on and after each
    /// message that was taken.
    pub bad_commands: u32,
    /// Failed log-ons before the connection is closed.
    pub logon_failures: u32,
    /// RFC 5321 §4.5.3.2.7: at least 5 minutes for a command to arrive whole.
    pub command_time: Duration,
    /// For each [`Limits::BODY_STEP`] octets of a message to arrive.
    pub body_time: Duration,
}

impl Limits {
    /// RFC 5321 §4.5.3.1.4: a command line with its CRLF.
    pub const COMMAND_LINE: usize = 512;
    /// RFC 1870 §3 adds 26 octets to MAIL, RFC 6152 §2 adds 17, RFC 4954 §3 adds 500.
    pub const MAIL_LINE: usize = Self::COMMAND_LINE + 26 + 17 + 500;
    /// RFC 4954 §4.
    pub const AUTH_LINE: usize = 12288;
    /// Octets of a refused message that are read over, so that its reply is still read, before the connection is
    /// closed.
    pub const REFUSED_OCTETS: u64 = 1 << 30;
    /// A message has to move on by this much within [`Self::body_time`].
    pub const BODY_STEP: u64 = 4096;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_octets: 36 * 1024 * 1024,
            recipients: 200,
            bad_commands: 5,
            logon_failures: 3,
            command_time: Duration::from_secs(300),
            body_time: Duration::from_secs(300),
        }
    }
}
