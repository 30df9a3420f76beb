//! STARTTLS, LOGIN and AUTHENTICATE (RFC 3501 §6.2).

use super::commands::NOT_VALID;
use super::connection::Session;
use super::request::Request;
use super::state::{Standing, State};
use crate::imap::command::Tag;
use crate::imap::write::{self, Code, Condition};
use crate::logon::{Credentials, Mechanism, Secret, Verdict, throttled};
use crate::sasl::{Exchange, Step};

impl Session {
    pub(super) fn start_tls(&mut self, tag: &Tag) -> Option<Request> {
        if !matches!(&self.standing, Standing::NotAuthenticated(offer) if offer.starttls) {
            let reply = self.bad(Some(tag), None, NOT_VALID);
            self.refused(&reply);
            return None;
        }
        self.ok(tag, "Begin TLS negotiation now.");
        self.state = State::ExpectChannel;
        Some(Request::StartTls)
    }

    pub(super) fn login(&mut self, tag: Tag, user: String, password: Secret) -> Option<Request> {
        self.log_on(tag, "LOGIN", Credentials::Password { authorization: None, user, password, mechanism: None })
    }

    pub(super) fn authenticate(&mut self, tag: Tag, mechanism: &str, initial: Option<&Secret>) -> Option<Request> {
        let Standing::NotAuthenticated(offer) = &self.standing else { return None };
        let reply = match Mechanism::parse(mechanism.as_bytes()) {
            Some(mechanism) if offer.has(mechanism) => {
                let (exchange, step) = Exchange::begin(mechanism, initial.map(|initial| initial.expose().as_bytes()));
                return self.step(tag, Box::new(exchange), step);
            }
            Some(_) => self.not_offered(&tag),
            None => {
                self.bad_commands += 1;
                self.no(&tag, Some(Code::Cannot), "AUTHENTICATE failed. There is no such mechanism here.")
            }
        };
        self.refused(&reply);
        None
    }

    /// The client's next line of an exchange, without its end.
    pub(super) fn exchange_line(&mut self, line: &[u8]) -> Option<Request> {
        let State::Exchange { tag, mut exchange } = std::mem::replace(&mut self.state, State::Command) else {
            return None;
        };
        let step = exchange.step(line);
        self.step(tag, exchange, step)
    }

    fn step(&mut self, tag: Tag, exchange: Box<Exchange>, step: Step) -> Option<Request> {
        let reply = match step {
            Step::Challenge(challenge) => {
                write::continuation(&mut self.out, &challenge);
                self.state = State::Exchange { tag, exchange };
                return None;
            }
            Step::Credentials(credentials) => return self.log_on(tag, "AUTHENTICATE", credentials),
            // RFC 3501 §6.2.2: a cancelled exchange is answered with BAD.
            Step::Cancelled => self.bad(Some(&tag), None, "AUTHENTICATE was cancelled."),
            Step::Malformed => {
                self.bad(Some(&tag), None, "AUTHENTICATE: The response is not what the mechanism allows.")
            }
        };
        self.refused(&reply);
        None
    }

    fn log_on(&mut self, tag: Tag, command: &'static str, credentials: Credentials) -> Option<Request> {
        self.state = State::ExpectVerdict { tag, command };
        Some(Request::LogOn(credentials))
    }

    /// The state after a log-on was judged.
    pub(super) fn judged(&mut self, tag: &Tag, command: &str, verdict: Verdict) -> State {
        let (code, text) = match verdict {
            Verdict::Granted => {
                self.ok(tag, &format!("{command} completed."));
                self.standing = Standing::Authenticated;
                self.bad_commands = 0;
                return State::Command;
            }
            // One and the same answer, whether there is such a user or not.
            Verdict::Refused => (Code::AuthenticationFailed, String::new()),
            Verdict::Throttled { limit } => (Code::Limit, format!(" {}", throttled(limit))),
            Verdict::Unavailable => {
                (Code::Unavailable, " The mailbox cannot be opened now. Try again later.".to_owned())
            }
            Verdict::TooManyConnections { limit } => (
                Code::Limit,
                format!(" This user has {limit} connections open, which is the limit. Close one, then try again."),
            ),
        };
        write::tagged(&mut self.out, tag, Condition::No, Some(code), &format!("{command} failed.{text}"));
        // What is no fault of the credentials is not held against the client.
        self.failures += u32::from(verdict == Verdict::Refused);
        if self.failures >= self.settings.max_failures {
            let count = self.failures;
            self.bye(&format!("Too many failed log-ons ({count}); closing the connection."));
            return State::Closed;
        }
        State::Command
    }

    /// A log-on that the channel does not allow: the known words, and what to do instead (RFC 5530).
    pub(super) fn not_offered(&mut self, tag: &Tag) -> Vec<u8> {
        self.bad_commands += 1;
        let cure = match &self.standing {
            Standing::NotAuthenticated(offer) => offer.cure.clone(),
            Standing::Authenticated | Standing::Selected => String::new(),
        };
        if cure.is_empty() {
            return self.no(tag, Some(Code::Cannot), NOT_VALID);
        }
        self.no(tag, Some(Code::PrivacyRequired), &format!("{NOT_VALID} {cure}"))
    }
}
