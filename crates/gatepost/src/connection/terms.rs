//! What all connections of a service have in common.

use std::time::Duration;

/// A protocol as far as the connection must know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Pop3,
    Imap,
    Smtp,
}

impl Protocol {
    /// For the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pop3 => "pop3",
            Self::Imap => "imap",
            Self::Smtp => "smtp",
        }
    }

    /// As administrators know it.
    pub const fn service(self) -> &'static str {
        match self {
            Self::Pop3 => "POP3",
            Self::Imap => "IMAP4",
            Self::Smtp => "SMTP",
        }
    }

    /// RFC 7301 §6 and the registry of ALPN protocol names; a client that names only others is refused.
    pub const fn alpn(self) -> &'static [u8] {
        self.name().as_bytes()
    }

    /// What a client reads that talks in clear to a port where TLS comes first.
    pub const fn needs_tls(self) -> &'static [u8] {
        match self {
            Self::Pop3 => b"-ERR This port needs TLS from the start (SSL/TLS, not STARTTLS).\r\n",
            Self::Imap => b"* BYE This port needs TLS from the start (SSL/TLS, not STARTTLS).\r\n",
            Self::Smtp => b"554 5.7.0 This port needs TLS from the start (SSL/TLS, not STARTTLS).\r\n",
        }
    }

    /// Refuses a connection before its session has begun.
    pub fn refusal(self, reason: &str) -> Vec<u8> {
        match self {
            Self::Pop3 => format!("-ERR [SYS/TEMP] {reason}\r\n"),
            Self::Imap => format!("* BYE {reason}\r\n"),
            Self::Smtp => format!("421 4.7.0 {reason}\r\n"),
        }
        .into_bytes()
    }
}

/// Shared by the connections of one service.
pub struct Terms {
    pub protocol: Protocol,
    /// `None` where a test needs no TLS; STARTTLS is then not to be offered.
    pub tls: Option<crate::tls::Tls>,
    /// From the first octet that TLS waits for to its end.
    pub handshake: Duration,
    /// How long the peer may take nothing of what is to be sent.
    pub stall: Duration,
}
