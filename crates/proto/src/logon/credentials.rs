//! What a client gave to prove who it is.

use super::{Mechanism, Secret};
use crate::ntlm::{Fault, Proof};
use crate::sasl::scram::StoredKey;

/// To be judged: whose account, and whether the proof is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    Password {
        /// RFC 4616 §2: whom the client wants to act as, when it named one.
        authorization: Option<String>,
        user: String,
        password: Secret,
        /// The mechanism, or `None` for the protocol's own password command.
        mechanism: Option<Mechanism>,
    },
    /// RFC 5802: the client proved, or did not, that it knows the password.
    Scram {
        /// RFC 5802 §5.1: whom the client wants to act as, when it named one.
        authorization: Option<String>,
        user: String,
        mechanism: Mechanism,
        /// The key that the proof was right for; `None` when it was wrong.
        proved: Option<StoredKey>,
    },
    /// RFC 6750: whoever has the token is whom it was issued for.
    Token {
        /// RFC 7628 §3.1: the user, by OAUTHBEARER, when the client named one.
        authorization: Option<String>,
        /// The user, by XOAUTH2.
        user: Option<String>,
        /// Empty when the client has none yet and asks where to get one.
        token: Secret,
        mechanism: Mechanism,
    },
    /// RFC 4422 Appendix A: the client's certificate says who it is.
    Certificate {
        /// Whom the client wants to act as, when it named one.
        authorization: Option<String>,
    },
    /// MS-NLMP 2.2.1.3: a proof that is to be verified, or why what came is none.
    Ntlm(Result<Box<Proof>, Fault>),
    /// RFC 4120: the client has shown a ticket of this principal.
    Kerberos {
        /// RFC 4752 §3.1: whom the client wants to act as, when it named one.
        authorization: Option<String>,
        /// `ann@EXAMPLE.TEST`
        principal: String,
        mechanism: Mechanism,
    },
}

impl Credentials {
    /// The name that the client logs on with; empty when a token or a certificate alone says whom.
    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::Scram { user, .. } => user,
            Self::Token { authorization, user, .. } => user.as_ref().or(authorization.as_ref()).map_or("", |user| user),
            Self::Certificate { authorization } => authorization.as_deref().unwrap_or(""),
            Self::Ntlm(proof) => proof.as_ref().map_or("", |proof| proof.user()),
            Self::Kerberos { principal, .. } => principal,
        }
    }

    /// Whom the client wants to act as, when it named one.
    pub fn authorization(&self) -> Option<&str> {
        match self {
            Self::Password { authorization, .. }
            | Self::Scram { authorization, .. }
            | Self::Token { authorization, .. }
            | Self::Certificate { authorization }
            | Self::Kerberos { authorization, .. } => authorization.as_deref(),
            Self::Ntlm(_) => None,
        }
    }

    /// `None` for the protocol's own password command.
    pub fn mechanism(&self) -> Option<Mechanism> {
        match self {
            Self::Password { mechanism, .. } => *mechanism,
            Self::Scram { mechanism, .. } | Self::Token { mechanism, .. } | Self::Kerberos { mechanism, .. } => {
                Some(*mechanism)
            }
            Self::Certificate { .. } => Some(Mechanism::External),
            Self::Ntlm(_) => Some(Mechanism::Ntlm),
        }
    }
}
