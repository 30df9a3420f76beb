//! The SASL mechanisms that exist here.

/// A mechanism. Adding one is a row here and a file in [`crate::sasl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    External,
    ScramSha256Plus,
    ScramSha256,
    ScramSha1Plus,
    ScramSha1,
    OAuthBearer,
    XOAuth2,
    Gssapi,
    GssSpnego,
    Ntlm,
    Plain,
    Login,
}

/// What an exchange shows to whoever reads the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The password itself.
    Password,
    /// A proof that is good for once.
    Proof,
    /// The same, and it may be bound to the TLS connection that it runs in.
    Bindable,
    /// Nothing, since it is bound to the TLS connection that it runs in and has no meaning without.
    Bound,
    /// What means nothing without TLS: a bearer token or certificate that whoever reads it can use.
    Private,
}

impl Mechanism {
    /// In the order in which they are advertised: some clients take the first that they know.
    pub const ALL: [Self; 12] = [
        Self::External,
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::ScramSha1Plus,
        Self::ScramSha1,
        Self::OAuthBearer,
        Self::XOAuth2,
        Self::Gssapi,
        Self::GssSpnego,
        Self::Ntlm,
        Self::Plain,
        Self::Login,
    ];

    const fn row(self) -> (&'static str, Kind) {
        match self {
            Self::External => ("EXTERNAL", Kind::Private),
            Self::ScramSha256Plus => ("SCRAM-SHA-256-PLUS", Kind::Bound),
            Self::ScramSha256 => ("SCRAM-SHA-256", Kind::Proof),
            Self::ScramSha1Plus => ("SCRAM-SHA-1-PLUS", Kind::Bound),
            Self::ScramSha1 => ("SCRAM-SHA-1", Kind::Proof),
            // RFC 7628, and what Google had before it.
            Self::OAuthBearer => ("OAUTHBEARER", Kind::Private),
            Self::XOAuth2 => ("XOAUTH2", Kind::Private),
            // RFC 4752, and Microsoft's (MS-SPNG), which IANA lists too.
            Self::Gssapi => ("GSSAPI", Kind::Bindable),
            Self::GssSpnego => ("GSS-SPNEGO", Kind::Bindable),
            Self::Ntlm => ("NTLM", Kind::Bindable),
            Self::Plain => ("PLAIN", Kind::Password),
            Self::Login => ("LOGIN", Kind::Password),
        }
    }

    /// As registered with IANA, where it is.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    pub const fn kind(self) -> Kind {
        self.row().1
    }

    /// RFC 4422 §3.1: names are compared without case here, as clients send them so.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_is_found_by_its_name_in_any_case() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::parse(mechanism.name().to_lowercase().as_bytes()), Some(mechanism));
        }
        for name in [b"".as_slice(), b"SCRAM", b"PLAIN ", b"SCRAM-SHA-256-PLU"] {
            assert_eq!(Mechanism::parse(name), None);
        }
    }
}
