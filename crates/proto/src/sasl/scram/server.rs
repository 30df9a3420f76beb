//! The server's side of the exchange (RFC 5802 §5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::message::{Binding, ClientFinal, ClientFirst};
use super::{Finding, Hash, Verifier};
use crate::logon::{self, Credentials, Lookup, Mechanism, Verdict};
use crate::sasl::exchange::{Outcome, Server};

pub struct Scram {
    mechanism: Mechanism,
    hash: Hash,
    /// The client has to bind the exchange to its channel.
    plus: bool,
    state: State,
}

/// Named for what is awaited.
enum State {
    ClientFirst,
    Finding(ClientFirst),
    ClientFinal(Box<Challenged>),
    Verdict {
        /// `v=` and the server's signature, for a client that is let in.
        signature: Option<Vec<u8>>,
    },
    Over,
}

/// An exchange whose challenge is out.
struct Challenged {
    first: ClientFirst,
    verifier: Verifier,
    /// The client's nonce and the server's.
    nonce: String,
    server_first: String,
    /// What `c=` has to hold.
    binding: Vec<u8>,
}

impl Scram {
    pub fn new(mechanism: Mechanism) -> Self {
        let plus = matches!(mechanism, Mechanism::ScramSha256Plus | Mechanism::ScramSha1Plus);
        Self { mechanism, hash: hash_of(mechanism), plus, state: State::ClientFirst }
    }

    /// What the client has to bind the exchange to; `None` when it may not go on.
    fn binding(&self, first: &ClientFirst, finding: &Finding) -> Option<Vec<u8>> {
        let mut binding = first.header.clone().into_bytes();
        match (&first.binding, &finding.bindings) {
            (Binding::No, _) if !self.plus => {}
            // RFC 5802 §6: -PLUS is offered, so somebody between the two took it out of the list.
            (Binding::NotThere, Some(_)) => return None,
            (Binding::NotThere, None) if !self.plus => {}
            (Binding::Used(name), Some(bindings)) if self.plus => {
                let data = match name.as_str() {
                    "tls-exporter" => bindings.exporter.as_ref(),
                    "tls-server-end-point" => bindings.server_end_point.as_ref(),
                    _ => None,
                };
                binding.extend_from_slice(data?);
            }
            _ => return None,
        }
        Some(binding)
    }

    fn finish(&mut self, challenged: Challenged, message: &[u8]) -> Outcome {
        let Challenged { first, verifier, nonce, server_first, binding } = challenged;
        let Some(last) = ClientFinal::parse(message) else { return Outcome::Malformed };
        // RFC 5802 §5.1: the server checks that the nonce is the one that it sent.
        if last.nonce != nonce {
            return Outcome::Malformed;
        }
        let auth_message = format!("{},{},{}", first.bare, server_first, last.without_proof).into_bytes();
        let bound: bool = last.binding.ct_eq(&binding).into();
        let proved = bound & verifier.proves(&auth_message, &last.proof);
        let signature =
            proved.then(|| format!("v={}", STANDARD.encode(verifier.server_signature(&auth_message))).into_bytes());
        self.state = State::Verdict { signature };
        Outcome::Credentials(Credentials::Scram {
            authorization: first.authorization,
            user: first.user,
            mechanism: self.mechanism,
            proved: proved.then(|| verifier.stored_key().clone()),
        })
    }
}

/// The hash in the name of one of SCRAM's mechanisms.
pub fn hash_of(mechanism: Mechanism) -> Hash {
    match mechanism {
        Mechanism::ScramSha1Plus | Mechanism::ScramSha1 => Hash::Sha1,
        _ => Hash::Sha256,
    }
}

impl Server for Scram {
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome {
        match initial {
            // The client speaks first, so the challenge is empty.
            None => Outcome::Challenge(Vec::new()),
            Some(message) => self.respond(message),
        }
    }

    fn respond(&mut self, response: &[u8]) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::ClientFirst => match ClientFirst::parse(response) {
                Some(first) => {
                    let user = first.user.clone();
                    self.state = State::Finding(first);
                    Outcome::Look(Lookup::Scram { hash: self.hash, user })
                }
                None => Outcome::Malformed,
            },
            State::ClientFinal(challenged) => self.finish(*challenged, response),
            State::Finding(_) | State::Verdict { .. } | State::Over => Outcome::Malformed,
        }
    }

    fn told(&mut self, finding: logon::Finding) -> Option<Vec<u8>> {
        let State::Finding(first) = std::mem::replace(&mut self.state, State::Over) else { return None };
        let logon::Finding::Scram(finding) = finding else { return None };
        let binding = self.binding(&first, &finding).filter(|_| finding.verifier.hash() == self.hash)?;
        let Finding { verifier, nonce, .. } = *finding;
        let nonce = format!("{}{nonce}", first.nonce);
        let salt = STANDARD.encode(verifier.salt());
        let server_first = format!("r={nonce},s={salt},i={}", verifier.iterations());
        let challenge = server_first.clone().into_bytes();
        self.state = State::ClientFinal(Box::new(Challenged { first, verifier, nonce, server_first, binding }));
        Some(challenge)
    }

    /// RFC 5802 §5.1: `v=`. What went wrong is not told: it would be the same for every refusal.
    fn farewell(&mut self, verdict: Verdict) -> Option<Vec<u8>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Verdict { signature } if verdict == Verdict::Granted => signature,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
