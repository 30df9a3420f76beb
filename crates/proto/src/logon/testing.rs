//! A server with one password, for the tests of sessions.

use std::sync::Arc;

use super::{Accepted, Context, Credentials, Finding, Lookup, NtlmServer, SecurityContext, Verdict};
use crate::ntlm::{Binding, FileTime, NtHash, Target};
use crate::sasl::scram::known::RFC_7677;

pub const PASSWORD: &str = "secret";

/// Whose ticket is `ticket`.
pub const PRINCIPAL: &str = "ann@EXAMPLE.TEST";

/// Understands four tokens, and wraps between `<` and `>`.
struct Tickets;

impl SecurityContext for Tickets {
    fn accept(&self, token: &[u8]) -> Result<Accepted, String> {
        let (reply, principal): (&[u8], _) = match token {
            b"offer" => (b"go on", None),
            b"ticket" => (b"reply", Some(PRINCIPAL.to_owned())),
            b"one-way ticket" => (b"", Some(PRINCIPAL.to_owned())),
            _ => return Err("forged".to_owned()),
        };
        Ok(Accepted { token: reply.to_vec(), principal })
    }

    fn wrap(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some([b"<", message, b">"].concat())
    }

    fn unwrap(&self, token: &[u8]) -> Option<Vec<u8>> {
        Some(token.strip_prefix(b"<")?.strip_suffix(b">")?.to_vec())
    }
}

/// What the driver finds: for SCRAM what RFC 7677 shows.
pub fn look(lookup: &Lookup) -> Finding {
    match lookup {
        Lookup::Scram { .. } => Finding::Scram(Box::new(RFC_7677.finding())),
        Lookup::Ntlm => {
            let target = Target::of_host("mail.example.test").unwrap();
            Finding::Ntlm(Box::new(NtlmServer { challenge: [7; 8], now: FileTime(1 << 56), target }))
        }
        Lookup::Gss(token) => {
            let context = token.context.clone().unwrap_or_else(|| Context(Arc::new(Tickets)));
            match context.0.accept(&token.octets) {
                Ok(accepted) => Finding::Gss(context, accepted),
                Err(_) => Finding::Verdict(Verdict::Refused),
            }
        }
    }
}

pub fn judge(credentials: &Credentials) -> Verdict {
    let right = match credentials {
        Credentials::Password { password, .. } => password.expose() == PASSWORD,
        Credentials::Scram { proved, .. } => proved.is_some(),
        Credentials::Certificate { .. } => true,
        Credentials::Kerberos { principal, .. } => principal == PRINCIPAL,
        Credentials::Token { token, .. } => token.expose() == PASSWORD,
        Credentials::Ntlm(proof) => proof.as_ref().is_ok_and(|proof| {
            let binding = Binding { policy: super::ExtendedProtection::None, end_point: None };
            proof.verify(Some(&NtHash::of_password(PASSWORD)), &binding).is_ok()
        }),
    };
    if right { Verdict::Granted } else { Verdict::Refused }
}
