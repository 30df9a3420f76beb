//! A server with one password, for the tests of sessions.

use super::{Credentials, Finding, Lookup, NtlmServer, Verdict};
use crate::ntlm::{Binding, FileTime, NtHash, Target};
use crate::sasl::scram::known::RFC_7677;

pub const PASSWORD: &str = "secret";

/// What the driver finds: for SCRAM what RFC 7677 shows.
pub fn look(lookup: &Lookup) -> Finding {
    match lookup {
        Lookup::Scram { .. } => Finding::Scram(Box::new(RFC_7677.finding())),
        Lookup::Ntlm => {
            let target = Target::of_host("mail.example.test").unwrap();
            Finding::Ntlm(Box::new(NtlmServer { challenge: [7; 8], now: FileTime(1 << 56), target }))
        }
    }
}

pub fn judge(credentials: &Credentials) -> Verdict {
    let right = match credentials {
        Credentials::Password { password, .. } => password.expose() == PASSWORD,
        Credentials::Scram { proved, .. } => proved.is_some(),
        Credentials::Certificate { .. } => true,
        Credentials::Token { token, .. } => token.expose() == PASSWORD,
        Credentials::Ntlm(proof) => proof.as_ref().is_ok_and(|proof| {
            let binding = Binding { policy: super::ExtendedProtection::None, end_point: None };
            proof.verify(Some(&NtHash::of_password(PASSWORD)), &binding).is_ok()
        }),
    };
    if right { Verdict::Granted } else { Verdict::Refused }
}
