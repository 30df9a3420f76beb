//! STARTTLS, LOGIN and AUTHENTICATE (RFC 3501 §6.2).

use super::commands::NOT_VALID;
use super::connection::Session;
use super::request::Request;
use super::state::{Standing, State};
use crate::imap::command::Tag;
use crate::imap::write::{self, Code, Condition};
use crate::logon::{Mechanism, Secret, Verdict};
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
        let (exchange, question) = Exchange::of_password(user, password);
        self.state = State::ExpectFinding { tag, exchange: Box::new(exchange) };
        Some(Request::LogOn(question))
    }

    pub(super) fn authenticate(&mut self, tag: Tag, mechanism: &str, initial: Option<&Secret>) -> Option<Request> {
        let Standing::NotAuthenticated(offer) = &self.standing else { return None };
        let reply = match Mechanism::parse(mechanism.as_bytes()) {
            Some(mechanism) if offer.has(mechanism) => {
                let (exchange, step) = Exchange::begin(mechanism, initial.map(|initial| initial.expose().as_bytes()));
                return self.exchange_step(tag, Box::new(exchange), step);
            }
            // What TLS would not bring either is not here at all.
            Some(_) if !offer.cure.is_empty() => self.not_offered(&tag),
            _ => {
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
        self.exchange_step(tag, exchange, step)
    }

    pub(super) fn exchange_step(&mut self, tag: Tag, exchange: Box<Exchange>, step: Step) -> Option<Request> {
        let reply = match step {
            Step::Challenge(challenge) => {
                write::continuation(&mut self.out, &challenge);
                self.state = State::Exchange { tag, exchange };
                return None;
            }
            Step::Ask(question) => {
                self.state = State::ExpectFinding { tag, exchange };
                return Some(Request::LogOn(question));
            }
            Step::Done(verdict) => {
                self.judged(&tag, if exchange.is_password_command() { "LOGIN" } else { "AUTHENTICATE" }, verdict);
                return None;
            }
            // RFC 3501 §6.2.2: a cancelled exchange is answered with BAD.
            Step::Cancelled => self.bad(Some(&tag), None, "AUTHENTICATE was cancelled."),
            Step::Malformed => {
                self.bad(Some(&tag), None, "AUTHENTICATE: The response is not what the mechanism allows.")
            }
            Step::Abandoned => {
                self.bye(ABANDONED);
                return None;
            }
        };
        self.refused(&reply);
        None
    }

    fn judged(&mut self, tag: &Tag, command: &str, verdict: Verdict) {
        let code = match verdict {
            Verdict::Granted => {
                self.ok(tag, &format!("{command} completed."));
                self.standing = Standing::Authenticated;
                self.bad_commands = 0;
                return;
            }
            // One and the same answer, whether there is such a user or not.
            Verdict::Refused => Code::AuthenticationFailed,
            Verdict::Expired => Code::Expired,
            Verdict::Throttled | Verdict::TooManyConnections { .. } => Code::Limit,
            Verdict::Unavailable => Code::Unavailable,
            Verdict::InUse => Code::InUse,
            Verdict::Damaged => Code::ContactAdmin,
        };
        let text = format!("{command} failed. {}", verdict.text());
        write::tagged(&mut self.out, tag, Condition::No, Some(code), text.trim_end());
        // What is no fault of the credentials is not held against the client.
        self.failures += u32::from(verdict == Verdict::Refused);
        if self.failures >= self.settings.max_failures {
            let count = self.failures;
            self.bye(&format!("Too many failed log-ons ({count}); closing the connection."));
        }
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

pub(super) const ABANDONED: &str = "The log-on was given up after it was granted; closing the connection.";
