//! What a POP3 or IMAP service takes before TLS.

use std::fmt;

/// A service's setting, by the names and numbers that Exchange administrators know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LoginType {
    /// Everything, passwords in clear too.
    PlainTextLogin = 1,
    /// Only what does not show the password to whoever reads the line.
    PlainTextAuthentication = 2,
    /// Nothing: TLS comes first.
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

    /// The number that stands for it in scripts.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// By name, in any case, or by number.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(text) || one.number().to_string() == text)
    }

    /// What an administrator is to know before setting it.
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::PlainTextLogin => Some(
                "Passwords and mail may now travel without encryption: whoever can read the network can read both. \
                 SecureLogin is recommended.",
            ),
            Self::PlainTextAuthentication => Some(
                "Mail may now travel without encryption: whoever can read the network can read it. \
                 SecureLogin is recommended.",
            ),
            Self::SecureLogin => None,
        }
    }
}

impl fmt::Display for LoginType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_back() {
        for one in LoginType::ALL {
            assert_eq!(LoginType::parse(one.name()), Some(one));
            assert_eq!(LoginType::parse(&one.name().to_uppercase()), Some(one));
            assert_eq!(LoginType::parse(&one.number().to_string()), Some(one));
        }
        for text in ["", "0", "4", "03", "Secure", "SecureLogin "] {
            assert_eq!(LoginType::parse(text), None, "{text:?}");
        }
        assert_eq!(LoginType::default(), LoginType::SecureLogin);
    }
}
