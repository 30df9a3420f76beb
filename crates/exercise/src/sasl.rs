//! SASL exchanges, a target for each mechanism.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::logon::{
    BearerServer, Credentials, ExtendedProtection, Finding, Lookup, Mechanism, NtlmServer, Question, Verdict,
};
use proto::ntlm::{Binding, NtHash};
use proto::sasl::scram::{self, ChannelBindings, Verifier};
use proto::sasl::{Exchange, Step};

use crate::drive::accept;
use crate::ntlm::{CHALLENGE, NOW, target};

pub fn sasl(mechanism: Mechanism, data: &[u8]) {
    let _ = verdict(mechanism, data);
}

/// The first octet says, by being odd, that there is an initial response. Each line after it is said in base64, unless it
/// begins with `!`: then as it is. Answers the verdict, where there was one.
pub fn verdict(mechanism: Mechanism, data: &[u8]) -> Option<Verdict> {
    let (choice, said) = data.split_first()?;
    let mut lines = said.split(|&octet| octet == b'\n').map(|line| match line {
        [b'!', raw @ ..] => raw.to_vec(),
        line => STANDARD.encode(line).into_bytes(),
    });
    let initial = if choice % 2 == 0 { None } else { lines.next() };
    let (mut exchange, mut step) = Exchange::begin(mechanism, initial.as_deref());
    let mut judged = None;
    let verdict = loop {
        step = match step {
            Step::Challenge(challenge) => {
                assert!(challenge.len() <= Exchange::MAX_LINE, "a challenge is no longer than a line may be");
                exchange.step(&lines.next()?)
            }
            Step::Ask(Question::Look(lookup)) => exchange.told(look(mechanism, &lookup)),
            Step::Ask(Question::Judge(credentials)) => {
                assert_eq!(credentials.mechanism(), Some(mechanism), "what is judged came by what was begun");
                assert!(judged.is_none(), "credentials are judged once");
                let finding = judge(&credentials);
                judged = Some(finding == Finding::Verdict(Verdict::Granted));
                exchange.told(finding)
            }
            Step::Done(verdict) => {
                assert_eq!(
                    judged,
                    Some(verdict == Verdict::Granted),
                    "who was judged right is granted, and nobody else"
                );
                break Some(verdict);
            }
            Step::Cancelled | Step::Malformed | Step::Abandoned => break None,
        };
    };
    assert_eq!(exchange.step(b"YW5u"), Step::Malformed, "nothing comes after the end");
    verdict
}

/// What the answers in the corpora were made for.
fn look(mechanism: Mechanism, lookup: &Lookup) -> Finding {
    match lookup {
        Lookup::Scram { hash, .. } => {
            let verifier = Verifier::of_salted(*hash, b"salt", Verifier::LEAST_ITERATIONS, b"salted");
            let plus = matches!(mechanism, Mechanism::ScramSha256Plus | Mechanism::ScramSha1Plus);
            let bindings = plus.then(|| ChannelBindings {
                exporter: Some(b"exporter".to_vec()),
                server_end_point: Some(b"end point".to_vec()),
            });
            Finding::Scram(Box::new(scram::Finding { verifier, nonce: "nonce".to_owned(), bindings }))
        }
        Lookup::Gss(token) => accept(token),
        Lookup::Ntlm => Finding::Ntlm(Box::new(NtlmServer { challenge: CHALLENGE, now: NOW, target: target() })),
    }
}

/// Whoever shows or proves `secret` is right.
fn judge(credentials: &Credentials) -> Finding {
    let right = match credentials {
        Credentials::Password { password, .. } => password.expose() == "secret",
        Credentials::Token { token, .. } if token.expose() == "secret" => true,
        Credentials::Token { .. } => {
            let (scope, configuration) = ("mail".to_owned(), "https://id.example.test".to_owned());
            return Finding::TokenRefused(Box::new(BearerServer { scope, configuration }));
        }
        Credentials::Scram { proved, .. } => proved.is_some(),
        Credentials::Ntlm(Ok(proof)) => {
            let binding = Binding { policy: ExtendedProtection::None, end_point: None };
            proof.verify(Some(&NtHash::of_password("secret")), &binding).is_ok()
        }
        Credentials::Ntlm(Err(_)) => false,
        Credentials::Kerberos { principal, authorization, .. } => {
            principal == "ann@EXAMPLE.TEST" && authorization.as_deref().is_none_or(|name| name == "ann")
        }
        Credentials::Certificate { authorization } => {
            authorization.as_deref().is_none_or(|name| name == "ann@example.test")
        }
    };
    Finding::Verdict(if right { Verdict::Granted } else { Verdict::Refused })
}
