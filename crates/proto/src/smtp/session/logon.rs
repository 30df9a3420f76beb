//! AUTH (RFC 4954).

use std::time::Instant;

use super::commands::BAD_SEQUENCE;
use super::{Asked, Request, Session, State, Step};
use crate::logon::{Mechanism, Secret, Verdict};
use crate::sasl;
use crate::smtp::Reply;

impl Session {
    pub(super) fn auth(&mut self, now: Instant, mechanism: &[u8], initial: Option<&Secret>) -> Option<Request> {
        // RFC 4954 §4: once a connection, and not within a transaction.
        if self.logged_on || matches!(self.transaction.step, Step::Mail | Step::Chunks) {
            self.reply_bad(now, &BAD_SEQUENCE);
            return None;
        }
        let offered = Mechanism::parse(mechanism).filter(|&mechanism| self.offer.has(mechanism));
        let Some(mechanism) = offered else {
            let cure = if self.offer.mechanisms.is_empty() { self.offer.cure.as_str() } else { "" };
            let text = match cure {
                "" => UNRECOGNIZED.to_owned(),
                cure => format!("{UNRECOGNIZED}. {cure}"),
            };
            self.reply_bad(now, &Reply::new(504, 7, 4, "").with_text(text));
            return None;
        };
        let initial = initial.map(|initial| initial.expose().as_bytes());
        let (exchange, step) = sasl::Exchange::begin(mechanism, initial);
        self.sasl_step(now, exchange, step)
    }

    pub(super) fn sasl_response(&mut self, now: Instant, line: &[u8]) -> Option<Request> {
        let State::Sasl(mut exchange) = std::mem::replace(&mut self.state, State::Command) else { return None };
        let step = exchange.step(line);
        self.sasl_step(now, exchange, step)
    }

    pub(super) fn sasl_step(&mut self, now: Instant, exchange: sasl::Exchange, step: sasl::Step) -> Option<Request> {
        match step {
            sasl::Step::Challenge(challenge) => {
                // Not a Reply: a challenge may be longer than a reply line.
                self.out.extend_from_slice(b"334 ");
                self.out.extend_from_slice(challenge.as_bytes());
                self.out.extend_from_slice(b"\r\n");
                self.await_command(now);
                if !matches!(self.state, State::Closed) {
                    self.state = State::Sasl(exchange);
                }
                None
            }
            sasl::Step::Ask(question) => {
                self.state = State::Answer(Asked::LogOn(exchange));
                Some(Request::LogOn(question))
            }
            sasl::Step::Done(verdict) => {
                self.judged(now, verdict);
                None
            }
            sasl::Step::Cancelled => {
                self.reply(now, &CANCELLED);
                None
            }
            sasl::Step::Malformed => {
                self.reply_bad(now, &MALFORMED);
                None
            }
            sasl::Step::Abandoned => {
                self.close(&ABANDONED);
                None
            }
        }
    }

    fn judged(&mut self, now: Instant, verdict: Verdict) {
        match verdict {
            Verdict::Granted => {
                self.logged_on = true;
                self.bad_commands = 0;
                self.reply(now, &GRANTED);
            }
            Verdict::Refused => {
                self.logon_failures += 1;
                self.reply(now, &REFUSED);
                let limit = self.limits().logon_failures;
                if self.logon_failures >= limit && !matches!(self.state, State::Closed) {
                    let text = format!("Too many failed log-ons (limit {limit}), goodbye");
                    self.close(&Reply::new(421, 7, 0, "").with_text(text));
                }
            }
            Verdict::Expired => self.reply(now, &Reply::new(535, 7, 3, "").with_text(verdict.text())),
            // RFC 4954 §6: 454, a later try may succeed.
            Verdict::Unavailable => self.reply(now, &UNAVAILABLE),
            Verdict::Throttled | Verdict::TooManyConnections { .. } | Verdict::InUse | Verdict::Damaged => {
                self.reply(now, &Reply::new(454, 7, 0, "").with_text(verdict.text()));
            }
        }
    }
}

const UNRECOGNIZED: &str = "Unrecognized authentication type";
const GRANTED: Reply = Reply::new(235, 7, 0, "Authentication successful");
const REFUSED: Reply = Reply::new(535, 7, 3, "Authentication unsuccessful");
const CANCELLED: Reply = Reply::new(501, 7, 0, "Authentication cancelled");
const MALFORMED: Reply = Reply::new(501, 5, 2, "Cannot decode the response");
pub(super) const ABANDONED: Reply = Reply::new(421, 7, 0, "The log-on was given up after it was granted, goodbye");
const UNAVAILABLE: Reply = Reply::new(454, 7, 0, "Temporary authentication failure");
