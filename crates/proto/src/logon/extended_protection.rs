//! Whether proofs are bound to the TLS connection that they are given in.

use std::fmt;

/// A service's setting, by the names that Exchange administrators know. A proof that is bound is of no use to whoever
/// relays it to another connection (RFC 5056; Microsoft calls it extended protection for authentication).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExtendedProtection {
    /// It is not offered. Some clients take the strongest that is offered and then cannot do it.
    #[default]
    None,
    /// It is offered, and what a client binds must be right.
    Allow,
    /// A proof that is not bound is not taken.
    Require,
}

impl ExtendedProtection {
    pub const ALL: [Self; 3] = [Self::None, Self::Allow, Self::Require];

    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Allow => "Allow",
            Self::Require => "Require",
        }
    }

    /// By name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for ExtendedProtection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
