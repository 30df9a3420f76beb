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

    fn told(&mut self, finding: Finding) -> Option<Vec<u8>> {
        let State::Finding(negotiate) = std::mem::replace(&mut self.state, State::Over) else { return None };
        let Finding::Ntlm(server) = finding else { return None };
        let challenge = Challenge::new(negotiate, server.challenge, server.now, &server.target);
        let octets = challenge.octets().to_vec();
        self.state = State::Authenticate(Box::new(challenge));
        Some(octets)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use crate::logon::{Credentials, Finding, Lookup, Mechanism, Question, Verdict, testing};
    use crate::ntlm::Fault;
    use crate::ntlm::client::{CURL, Client, Mic, negotiate};
    use crate::sasl::{Exchange, Step};

    /// An exchange whose challenge is out, and the messages so far.
    fn challenged() -> (Exchange, Vec<u8>, Vec<u8>) {
        let negotiate = negotiate(CURL);
        let (mut exchange, step) = Exchange::begin(Mechanism::Ntlm, Some(STANDARD.encode(&negotiate).as_bytes()));
        assert_eq!(step, Step::Ask(Question::Look(Lookup::Ntlm)));
        let Step::Challenge(challenge) = exchange.told(testing::look(&Lookup::Ntlm)) else { panic!() };
        (exchange, negotiate, STANDARD.decode(challenge).unwrap())
    }

    fn answer(client: &Client) -> Step {
        let (mut exchange, negotiate, challenge) = challenged();
        let step = exchange.step(STANDARD.encode(client.authenticate(&negotiate, &challenge)).as_bytes());
        let Step::Ask(Question::Judge(credentials)) = step else { return step };
        assert_eq!(credentials.mechanism(), Some(Mechanism::Ntlm));
        exchange.told(Finding::Verdict(testing::judge(&credentials)))
    }

    #[test]
    fn the_right_password_is_granted_and_another_is_not() {
        assert_eq!(answer(&Client::ann()), Step::Done(Verdict::Granted));
        assert_eq!(answer(&Client { mic: Mic::None, ..Client::ann() }), Step::Done(Verdict::Granted));
        assert_eq!(answer(&Client { password: "Secret", ..Client::ann() }), Step::Done(Verdict::Refused));
        assert_eq!(answer(&Client { mic: Mic::Wrong, ..Client::ann() }), Step::Done(Verdict::Refused));
    }

    #[test]
    fn a_garbage_proof_without_a_mic_is_a_failed_log_on() {
        let garbage = [&[0xab; 16][..], &[1, 1], &[0; 40]].concat();
        let step = answer(&Client { mic: Mic::None, nt: Some(garbage), ..Client::ann() });
        assert_eq!(step, Step::Done(Verdict::Refused));
    }

    #[test]
    fn version_1_is_a_failed_log_on_that_says_so() {
        let (mut exchange, negotiate, challenge) = challenged();
        let old = Client { mic: Mic::None, nt: Some(vec![7; 24]), ..Client::ann() };
        let step = exchange.step(STANDARD.encode(old.authenticate(&negotiate, &challenge)).as_bytes());
        assert_eq!(step, Step::Ask(Question::Judge(Credentials::Ntlm(Err(Fault::Version1)))));
        assert_eq!(exchange.told(Finding::Verdict(Verdict::Refused)), Step::Done(Verdict::Refused));
    }

    #[test]
    fn an_answer_to_another_challenge_and_messages_out_of_their_order_are_refused() {
        let (_, negotiate, challenge) = challenged();
        let answer = STANDARD.encode(Client::ann().authenticate(&negotiate, &challenge));
        // The last first.
        assert_eq!(Exchange::begin(Mechanism::Ntlm, Some(answer.as_bytes())).1, Step::Malformed);
        // The first twice.
        let (mut exchange, negotiate, _) = challenged();
        let step = exchange.step(STANDARD.encode(negotiate).as_bytes());
        assert!(matches!(step, Step::Ask(Question::Judge(Credentials::Ntlm(Err(_))))), "{step:?}");
        // A replay: the challenge of the next exchange is another one.
        let (mut exchange, step) =
            Exchange::begin(Mechanism::Ntlm, Some(STANDARD.encode(crate::ntlm::client::negotiate(CURL)).as_bytes()));
        assert_eq!(step, Step::Ask(Question::Look(Lookup::Ntlm)));
        let Finding::Ntlm(mut other) = testing::look(&Lookup::Ntlm) else { panic!() };
        other.challenge = [8; 8];
        exchange.told(Finding::Ntlm(other));
        let Step::Ask(Question::Judge(credentials)) = exchange.step(answer.as_bytes()) else { panic!() };
        assert_eq!(testing::judge(&credentials), Verdict::Refused);
    }

    #[test]
    fn every_truncation_of_the_answer_logs_nobody_on() {
        let (_, negotiate, challenge) = challenged();
        let answer = Client::ann().authenticate(&negotiate, &challenge);
        for end in 0..answer.len() {
            let (mut exchange, ..) = challenged();
            let step = exchange.step(STANDARD.encode(&answer[..end]).as_bytes());
            if let Step::Ask(Question::Judge(credentials)) = step {
                assert_eq!(testing::judge(&credentials), Verdict::Refused, "{end}");
            }
        }
    }
}
