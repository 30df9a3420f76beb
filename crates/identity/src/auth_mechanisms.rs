//! What a receive connector takes for log-on: the part of its `AuthMechanism` that exists here.

use std::fmt;

/// A set of a receive connector's log-on mechanisms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AuthMechanisms(u8);

impl AuthMechanisms {
    pub const NONE: Self = Self(0);
    /// STARTTLS is offered.
    pub const TLS: Self = Self(1);
    /// Passwords are taken: AUTH PLAIN and LOGIN.
    pub const BASIC_AUTH: Self = Self(2);
    /// Passwords are taken after TLS only. Needs the other two.
    pub const BASIC_AUTH_REQUIRE_TLS: Self = Self(4);

    /// Proofs that show no password are taken: Integrated Windows authentication, and SCRAM.
    pub const INTEGRATED: Self = Self(8);

    /// Whoever comes is believed to be a server of the organisation: the network vouches for it. Stands alone, or with Tls.
    pub const EXTERNAL_AUTHORITATIVE: Self = Self(16);

    const NAMED: [(&'static str, Self); 5] = [
        ("Tls", Self::TLS),
        ("Integrated", Self::INTEGRATED),
        ("BasicAuth", Self::BASIC_AUTH),
        ("BasicAuthRequireTLS", Self::BASIC_AUTH_REQUIRE_TLS),
        ("ExternalAuthoritative", Self::EXTERNAL_AUTHORITATIVE),
    ];

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// By name, in any case, parted by commas; `None` stands alone. The error tells the cure.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().eq_ignore_ascii_case("None") {
            return Ok(Self::NONE);
        }
        let mut set = Self::NONE;
        for name in text.split(',').map(str::trim) {
            let known = Self::NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((_, flag)) = known else {
                return Err(format!(
                    "{name:?} is not one of None, Tls, Integrated, BasicAuth, BasicAuthRequireTLS, ExternalAuthoritative"
                ));
            };
            set = set.with(*flag);
        }
        if set.contains(Self::BASIC_AUTH_REQUIRE_TLS) && !set.contains(Self::TLS.with(Self::BASIC_AUTH)) {
            return Err("BasicAuthRequireTLS needs Tls and BasicAuth beside it".to_owned());
        }
        if set.contains(Self::EXTERNAL_AUTHORITATIVE) && set.0 & !(Self::EXTERNAL_AUTHORITATIVE.0 | Self::TLS.0) != 0 {
            return Err("ExternalAuthoritative stands alone or with Tls: who is believed does not log on".to_owned());
        }
        Ok(set)
    }
}

impl fmt::Display for AuthMechanisms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("None");
        }
        let mut parted = "";
        for (name, flag) in Self::NAMED {
            if self.contains(flag) {
                write!(f, "{parted}{name}")?;
                parted = ", ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_valid_set_is_read_back_from_its_text() {
        for bits in 0..32 {
            let set = AuthMechanisms(bits);
            let valid = (bits & 4 == 0 || bits & 7 == 7) && (bits & 16 == 0 || bits & 14 == 0);
            assert_eq!(AuthMechanisms::parse(&set.to_string()).ok(), valid.then_some(set), "{set}");
        }
        assert!(AuthMechanisms::parse("tls,basicauth").is_ok());
        assert!(AuthMechanisms::parse("None, Tls").is_err());
        assert!(AuthMechanisms::parse("").is_err());
    }
}
