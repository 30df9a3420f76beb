//! NTLM as a SASL mechanism (MS-POP3, MS-OXIMAP4, MS-SMTPNTLM): three messages of [`crate::ntlm`].

use super::exchange::{Outcome, Server};
use crate::logon::{Credentials, Finding, Lookup};
use crate::ntlm::{Challenge, Negotiate};

pub(super) struct Ntlm {
    state: State,
}

/// Named for what is awaited.
enum State {
    Negotiate,
    Finding(Negotiate),
    Authenticate(Box<Challenge>),
    Over,
}

impl Ntlm {
    pub fn new() -> Self {
        Self { state: State::Negotiate }
    }
}

impl Server for Ntlm {
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome {
        match initial {
            // MS-SMTPNTLM 3.2.5.1: the client speaks first; the text of the invitation says nothing.
            None => Outcome::Challenge(Vec::new()),
            Some(message) => self.respond(message),
        }
    }

    fn respond(&mut self, message: &[u8]) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Negotiate => match Negotiate::parse(message) {
                Ok(negotiate) => {
                    self.state = State::Finding(negotiate);
                    Outcome::Look(Lookup::Ntlm)
                }
                Err(_) => Outcome::Malformed,
            },
            // What is no proof is a failed log-on too, and the log says why.
            State::Authenticate(challenge) => {
                Outcome::Credentials(Credentials::Ntlm(challenge.authenticate(message).map(Box::new)))
            }
            State::Finding(_) | State::Over => Outcome::Malformed,
        }
    }

    fn told(&mut self, finding: Finding) -> Outcome {
        let State::Finding(negotiate) = std::mem::replace(&mut self.state, State::Over) else {
            return Outcome::Malformed;
        };
        let Finding::Ntlm(server) = finding else { return Outcome::Malformed };
        let challenge = Challenge::new(negotiate, server.challenge, server.now, &server.target);
        let octets = challenge.octets().to_vec();
        self.state = State::Authenticate(Box::new(challenge));
        Outcome::Challenge(octets)
    }
}
