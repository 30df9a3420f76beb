//! One exchange: base64 lines in, steps out.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{bearer, external, gssapi, login, ntlm, plain, scram};
use crate::logon::{BearerServer, Credentials, Finding, Lookup, Mechanism, Question, Secret, Verdict};

/// A log-on under way.
pub struct Exchange {
    /// `None` for the protocol's own password command.
    mechanism: Option<Mechanism>,
    state: State,
}

/// Named for what is awaited.
enum State {
    /// The client's next line.
    Line(Box<dyn Server>),
    /// What the driver finds out.
    Finding {
        server: Option<Box<dyn Server>>,
        judges: bool,
    },
    /// The client's answer to the last that was to be said to it; then the verdict holds.
    Farewell(Verdict),
    Over,
}

/// What the session is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this challenge, in base64 and perhaps empty, and give the client's next line to
    /// [`Exchange::step`]: `+ ` (POP3, IMAP) or `334 ` (SMTP) stands before it.
    Challenge(String),
    /// Ask the driver, and give what it finds to [`Exchange::told`].
    Ask(Question),
    /// The exchange has ended so.
    Done(Verdict),
    /// The client sent `*`.
    Cancelled,
    /// No base64, not what the mechanism allows, too long, or a line after the end.
    Malformed,
    /// The client gave up what was granted to it: the connection is to end, since it is nobody's now.
    Abandoned,
}

/// What a mechanism does with decoded responses.
pub(super) trait Server: Send {
    /// The client's first response, or `None` when it gave none with the command.
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome;

    fn respond(&mut self, response: &[u8]) -> Outcome;

    /// The challenge that follows from what was asked for by [`Outcome::Look`]; `None` if there is none to be made.
    fn told(&mut self, _: Finding) -> Option<Vec<u8>> {
        None
    }

    /// What the client is to be told, in words of the mechanism, before it learns the verdict on its credentials.
    fn farewell(&mut self, _: Verdict) -> Option<Vec<u8>> {
        None
    }

    /// The same for a token that is refused.
    fn token_refused(&mut self, _: &BearerServer) -> Option<Vec<u8>> {
        self.farewell(Verdict::Refused)
    }
}

pub(super) enum Outcome {
    /// Not in base64 yet.
    Challenge(Vec<u8>),
    Look(Lookup),
    Credentials(Credentials),
    Malformed,
}

impl Exchange {
    /// Octets of one line of an exchange at most, without its end (RFC 4954 §4: 12288 with it).
    pub const MAX_LINE: usize = 12288 - 2;

    /// Begins an exchange. `initial` is the initial response as the client wrote it: base64, or `=` for an
    /// empty one (RFC 4954 §4, RFC 5034 §4, RFC 4959 §3); `None` when there was none.
    pub fn begin(mechanism: Mechanism, initial: Option<&[u8]>) -> (Self, Step) {
        let mut exchange = Self { mechanism: Some(mechanism), state: State::Over };
        let decoded = match initial {
            None => None,
            Some(b"=") => Some(Zeroizing::default()),
            Some(text) => match decode(text) {
                // RFC 4422 §4.3.1: what is not there at all is no initial response.
                Some(decoded) if !text.is_empty() => Some(decoded),
                _ => return (exchange, Step::Malformed),
            },
        };
        let mut server = server(mechanism);
        let outcome = server.begin(decoded.as_ref().map(|decoded| decoded.as_slice()));
        let step = exchange.advance(server, outcome);
        (exchange, step)
    }

    /// The protocol's own password command, which is an exchange of nothing but a question.
    pub fn of_password(user: String, password: Secret) -> (Self, Question) {
        let credentials = Credentials::Password { authorization: None, user, password, mechanism: None };
        let exchange = Self { mechanism: None, state: State::Finding { server: None, judges: true } };
        (exchange, Question::Judge(credentials))
    }

    pub fn is_password_command(&self) -> bool {
        self.mechanism.is_none()
    }

    /// The client's next line.
    pub fn step(&mut self, line: &[u8]) -> Step {
        match std::mem::replace(&mut self.state, State::Over) {
            // RFC 4954 §4, RFC 5034 §4, RFC 3501 §6.2.2: a lone asterisk cancels.
            State::Line(_) if line == b"*" => Step::Cancelled,
            State::Line(mut server) => match decode(line) {
                Some(response) => {
                    let outcome = server.respond(&response);
                    self.advance(server, outcome)
                }
                None => Step::Malformed,
            },
            // RFC 5802 §3: the client has nothing left to say, or does not believe the server.
            State::Farewell(Verdict::Granted) if !line.is_empty() => Step::Abandoned,
            // RFC 7628 §3.2.3: what the client answers to an error has no meaning, and `*` is as good.
            State::Farewell(verdict) => Step::Done(verdict),
            State::Finding { .. } | State::Over => Step::Malformed,
        }
    }

    /// Whether the log-on is granted and only the client's last word is awaited. A line that cannot be read ends
    /// the connection then.
    pub fn is_granted(&self) -> bool {
        matches!(self.state, State::Farewell(Verdict::Granted))
    }

    /// What the driver found out; asks nothing more before the client has spoken. An answer to what was not asked
    /// grants nothing.
    pub fn told(&mut self, finding: Finding) -> Step {
        let State::Finding { server, judges } = std::mem::replace(&mut self.state, State::Over) else {
            return Step::Malformed;
        };
        match (finding, server) {
            (Finding::Verdict(Verdict::Granted), _) if !judges => Step::Malformed,
            (Finding::Verdict(verdict), Some(mut server)) if judges => self.end(server.farewell(verdict), verdict),
            (Finding::TokenRefused(told), Some(mut server)) if judges => {
                self.end(server.token_refused(&told), Verdict::Refused)
            }
            (Finding::Verdict(verdict), _) => Step::Done(verdict),
            (finding, Some(mut server)) if !judges => {
                let outcome = server.told(finding).map_or(Outcome::Malformed, Outcome::Challenge);
                self.advance(server, outcome)
            }
            _ => Step::Malformed,
        }
    }

    fn end(&mut self, farewell: Option<Vec<u8>>, verdict: Verdict) -> Step {
        let Some(last) = farewell else { return Step::Done(verdict) };
        self.state = State::Farewell(verdict);
        Step::Challenge(STANDARD.encode(last))
    }

    fn advance(&mut self, server: Box<dyn Server>, outcome: Outcome) -> Step {
        let (state, step) = match outcome {
            Outcome::Challenge(challenge) => (State::Line(server), Step::Challenge(STANDARD.encode(challenge))),
            Outcome::Look(lookup) => {
                (State::Finding { server: Some(server), judges: false }, Step::Ask(Question::Look(lookup)))
            }
            Outcome::Credentials(credentials) => {
                (State::Finding { server: Some(server), judges: true }, Step::Ask(Question::Judge(credentials)))
            }
            Outcome::Malformed => (State::Over, Step::Malformed),
        };
        self.state = state;
        step
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

fn server(mechanism: Mechanism) -> Box<dyn Server> {
    match mechanism {
        Mechanism::External => Box::new(external::External),
        Mechanism::ScramSha256Plus | Mechanism::ScramSha256 | Mechanism::ScramSha1Plus | Mechanism::ScramSha1 => {
            Box::new(scram::Scram::new(mechanism))
        }
        Mechanism::OAuthBearer | Mechanism::XOAuth2 => Box::new(bearer::Bearer::new(mechanism)),
        Mechanism::Gssapi | Mechanism::GssSpnego => Box::new(gssapi::Gssapi::new(mechanism)),
        Mechanism::Ntlm => Box::new(ntlm::Ntlm::new()),
        Mechanism::Plain => Box::new(plain::Plain),
        Mechanism::Login => Box::new(login::Login::new()),
    }
}

/// RFC 4648 §4 to the letter: padding is there, unused bits are zero, nothing else stands between.
fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() > Exchange::MAX_LINE {
        return None;
    }
    // Decoded in place of one allocation that is wiped, instead of one that grows and leaves copies behind.
    let mut decoded = Zeroizing::new(vec![0; text.len() / 4 * 3 + 3]);
    let length = STANDARD.decode_slice(text, &mut decoded).ok()?;
    decoded.truncate(length);
    Some(decoded)
}

/// A name or a password as a mechanism takes it: UTF-8 without NUL, and not empty.
pub(super) fn text(octets: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(octets).ok()?;
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERNAME: &str = "VXNlcm5hbWU6";

    fn is_password_of_ann(step: Step) -> bool {
        let Step::Ask(Question::Judge(Credentials::Password { authorization, user, password, .. })) = step else {
            return false;
        };
        (authorization, user.as_str(), password.expose()) == (None, "ann", "secret")
    }

    #[test]
    fn plain_works_with_and_without_an_initial_response() {
        let message = STANDARD.encode("\0ann\0secret");
        assert!(is_password_of_ann(Exchange::begin(Mechanism::Plain, Some(message.as_bytes())).1));
        let (mut exchange, step) = Exchange::begin(Mechanism::Plain, None);
        assert_eq!(step, Step::Challenge(String::new()));
        assert!(is_password_of_ann(exchange.step(message.as_bytes())));
    }

    #[test]
    fn an_equals_sign_is_an_empty_initial_response_and_nothing_else() {
        // PLAIN needs a message, so an empty one is a wrong one rather than a missing one.
        assert_eq!(Exchange::begin(Mechanism::Plain, Some(b"=")).1, Step::Malformed);
        assert_eq!(Exchange::begin(Mechanism::Plain, Some(b"")).1, Step::Malformed);
        let (mut exchange, _) = Exchange::begin(Mechanism::Login, None);
        assert_eq!(exchange.step(b"="), Step::Malformed);
    }

    #[test]
    fn an_asterisk_cancels_at_every_step_and_ends_the_exchange() {
        for mechanism in Mechanism::ALL {
            let (mut exchange, _) = Exchange::begin(mechanism, None);
            assert_eq!(exchange.step(b"*"), Step::Cancelled);
            assert_eq!(exchange.step(b"*"), Step::Malformed);
            assert_eq!(exchange.step(b"YW5u"), Step::Malformed);
        }
        let (mut exchange, _) = Exchange::begin(Mechanism::Login, None);
        exchange.step(b"YW5u");
        assert_eq!(exchange.step(b"*"), Step::Cancelled);
        // Only as a line of its own (RFC 5034 §4).
        assert_eq!(Exchange::begin(Mechanism::Plain, Some(b"*")).1, Step::Malformed);
    }

    #[test]
    fn a_line_after_the_end_is_malformed() {
        let (mut exchange, step) = Exchange::begin(Mechanism::Plain, Some(STANDARD.encode("\0ann\0secret").as_bytes()));
        assert!(is_password_of_ann(step));
        assert_eq!(exchange.step(STANDARD.encode("\0ann\0secret").as_bytes()), Step::Malformed);
    }

    #[test]
    fn every_mechanism_takes_what_is_not_its_own_alike() {
        let too_long = vec![b'A'; Exchange::MAX_LINE + 2];
        for mechanism in Mechanism::ALL {
            // An empty response is a whole one for EXTERNAL alone.
            let empty = if mechanism == Mechanism::External { b"!".as_slice() } else { b"" };
            let none = if mechanism == Mechanism::External { b"!".as_slice() } else { b"=" };
            for initial in [none, b"", b"*", b"!", &too_long] {
                let (mut exchange, step) = Exchange::begin(mechanism, Some(initial));
                assert_eq!(step, Step::Malformed, "{mechanism:?} {initial:?}");
                assert_eq!(exchange.step(b""), Step::Malformed, "{mechanism:?}");
            }
            for line in [empty, b"=", b"!", &too_long] {
                let (mut exchange, step) = Exchange::begin(mechanism, None);
                assert!(matches!(step, Step::Challenge(_)), "{mechanism:?}");
                assert_eq!(exchange.step(line), Step::Malformed, "{mechanism:?} {line:?}");
                assert_eq!(exchange.step(b"*"), Step::Malformed, "{mechanism:?}");
            }
            let (mut exchange, _) = Exchange::begin(mechanism, None);
            assert_eq!(exchange.told(Finding::Verdict(Verdict::Granted)), Step::Malformed, "{mechanism:?}");
        }
    }

    #[test]
    fn base64_is_taken_to_the_letter() {
        let bad: [&[u8]; 9] = [
            b"AGFubgBz ",
            b"AGFu bgBz",
            b"AGFubgBzZQ",
            b"AGFubgBzZR==",
            b"AGF=bgBz",
            b"A",
            b"====",
            b"AGFubgB-",
            b"\xff\xff\xff\xff",
        ];
        for line in bad {
            assert_eq!(Exchange::begin(Mechanism::Plain, Some(line)).1, Step::Malformed, "{line:?}");
            let (mut exchange, _) = Exchange::begin(Mechanism::Login, None);
            assert_eq!(exchange.step(line), Step::Malformed, "{line:?}");
            assert_eq!(exchange.step(b"YW5u"), Step::Malformed, "{line:?}");
        }
    }

    #[test]
    fn the_longest_line_passes_and_one_octet_more_does_not() {
        // 12286 is no multiple of four: the longest base64 has 12284 octets.
        let name = STANDARD.encode(vec![b'a'; 12284 / 4 * 3]);
        assert_eq!(name.len(), 12284);
        let (mut exchange, _) = Exchange::begin(Mechanism::Login, None);
        assert!(matches!(exchange.step(name.as_bytes()), Step::Challenge(_)));
        let (mut exchange, _) = Exchange::begin(Mechanism::Login, None);
        assert_eq!(exchange.step(format!("{name}YWFh").as_bytes()), Step::Malformed);
    }

    #[test]
    fn no_truncation_of_an_exchange_passes_for_another_log_on() {
        let message = STANDARD.encode("\0ann\0secret");
        for end in 0..message.len() {
            let step = Exchange::begin(Mechanism::Plain, message.as_bytes().get(..end)).1;
            let Step::Ask(Question::Judge(Credentials::Password { user, password, .. })) = step else { continue };
            // A shorter base64 text that is whole is a shorter password, never another user.
            assert_eq!(user, "ann");
            assert!("secret".starts_with(password.expose()) && password.expose().len() < 6);
        }
    }

    #[test]
    fn only_an_answer_to_credentials_grants_anything() {
        let granted = || Finding::Verdict(Verdict::Granted);
        let (mut exchange, _) = Exchange::begin(Mechanism::Plain, None);
        assert_eq!(exchange.told(granted()), Step::Malformed);
        let client_first = STANDARD.encode("n,,n=ann,r=abc");
        let (mut exchange, step) = Exchange::begin(Mechanism::ScramSha256, Some(client_first.as_bytes()));
        assert!(matches!(step, Step::Ask(Question::Look(Lookup::Scram { .. }))));
        assert_eq!(exchange.told(granted()), Step::Malformed);
        let (mut exchange, _) = Exchange::of_password("ann".into(), Secret::new("secret".into()));
        assert_eq!(exchange.step(b"YW5u"), Step::Malformed);
        let (mut exchange, _) = Exchange::of_password("ann".into(), Secret::new("secret".into()));
        assert_eq!(exchange.told(granted()), Step::Done(Verdict::Granted));
        assert_eq!(exchange.told(granted()), Step::Malformed);
    }

    #[test]
    fn a_verdict_in_place_of_a_finding_ends_the_exchange_with_it() {
        let client_first = STANDARD.encode("n,,n=ann,r=abc");
        let (mut exchange, _) = Exchange::begin(Mechanism::ScramSha256, Some(client_first.as_bytes()));
        let throttled = Verdict::Throttled;
        assert_eq!(exchange.told(Finding::Verdict(throttled)), Step::Done(throttled));
    }

    #[test]
    fn debugging_shows_no_secret() {
        let (exchange, step) = Exchange::begin(Mechanism::Plain, Some(STANDARD.encode("\0ann\0secret").as_bytes()));
        assert!(!format!("{exchange:?}{step:?}").contains("secret"));
        assert_eq!(Exchange::begin(Mechanism::Login, None).1, Step::Challenge(USERNAME.to_owned()));
    }
}
