//! How long a message is.

use serde::{Deserialize, Serialize};

/// Octets of a message, and whether its last line has an end: what IMAP appends is kept as it is, and may lack that.
///
/// As stored: twice the octets, and one more when the end is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessageSize(u64);

impl MessageSize {
    pub const fn new(octets: u64, is_ended: bool) -> Self {
        Self(octets << 1 | !is_ended as u64)
    }

    pub fn of(octets: &[u8]) -> Self {
        Self::new(octets.len() as u64, octets.is_empty() || octets.ends_with(b"\r\n"))
    }

    /// Of a message that begins with so many octets more.
    pub const fn after(self, prefix: usize) -> Self {
        Self(self.0 + ((prefix as u64) << 1))
    }

    /// The octets that are kept (RFC822.SIZE).
    pub const fn octets(self) -> u64 {
        self.0 >> 1
    }

    /// The octets where every line ends in CRLF: RFC 1939 §3 has POP3 send lines.
    pub const fn octets_in_lines(self) -> u64 {
        self.octets() + 2 * (self.0 & 1)
    }
}

impl From<u64> for MessageSize {
    /// Of a message whose last line has an end.
    fn from(octets: u64) -> Self {
        Self::new(octets, true)
    }
}
