//! Exchange's `LoginType`: how far a service lets clients log on without TLS.

/// A setting of POP3 and IMAP4 each; the numbers are Exchange's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LoginType {
    /// Everything is accepted in clear.
    PlainTextLogin = 1,
    /// Only mechanisms that do not show the password are accepted in clear.
    PlainTextAuthentication = 2,
    /// Nothing is accepted before TLS.
    #[default]
    SecureLogin = 3,
}

impl LoginType {
    pub const ALL: [Self; 3] = [Self::PlainTextLogin, Self::PlainTextAuthentication, Self::SecureLogin];

    pub const fn name(self) -> &'static str {
        match self {
            Self::PlainTextLogin => "PlainTextLogin",
            Self::PlainTextAuthentication => "PlainTextAuthentication",
            Self::SecureLogin => "SecureLogin",
        }
    }
}
