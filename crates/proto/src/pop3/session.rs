//! One POP3 connection's state.

use std::sync::Arc;
use std::time::Instant;

use memchr::memchr;

use super::Settings;
use super::command::{Auth, Command};
use super::reply::{Code, err, ok};
use super::request::{Answer, Request, Update};
use super::table::{self, Row, Valid};
use crate::foreign::Foreign;
use crate::logon::{Finding, Mechanism, Offer, Question, Verdict};
use crate::sasl::{Exchange, Step};

/// RFC 1939 §3 with the states parted by what is awaited.
#[derive(Debug)]
enum State {
    /// A command; with the name that USER gave for PASS.
    Authorization {
        user: Option<String>,
    },
    /// The next line of an AUTH exchange.
    Exchange(Box<Exchange>),
    ExpectEncrypted,
    ExpectFinding(Box<Exchange>),
    /// A command of a client that is logged on.
    Transaction,
    ExpectReplied,
    ExpectUpdated,
    Closed,
}

/// See [`crate::Session`].
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    offer: Offer,
    state: State,
    out: Vec<u8>,
    deadline: Instant,
    failures: u32,
    bad_commands: u32,
    /// Within a line that is longer than this: its end is awaited.
    skipping: Option<usize>,
    /// The server is going down once what is under way is done.
    leaving: bool,
}

impl Session {
    /// Greets.
    pub fn new(settings: Arc<Settings>, offer: Offer, now: Instant) -> Self {
        let mut out = Vec::new();
        ok(&mut out, &settings.banner);
        let deadline = now + settings.authorization_timeout;
        let state = State::Authorization { user: None };
        Self { settings, offer, state, out, deadline, failures: 0, bad_commands: 0, skipping: None, leaving: false }
    }

    /// One line without its end.
    fn line(&mut self, now: Instant, line: &[u8]) -> Option<Request> {
        if let State::Exchange(exchange) = &mut self.state {
            let step = exchange.step(line);
            return self.exchange(now, step);
        }
        if matches!(self.state, State::Transaction) {
            self.deadline = now + self.settings.idle_timeout;
        }
        let Some((row, arguments)) = table::find(line) else {
            self.unknown(line);
            return None;
        };
        if !self.is_legal(row) {
            return None;
        }
        match (row.parse)(arguments) {
            Some(command) => self.command(now, command),
            None => {
                self.bad_command(&format!("Syntax: {}", row.syntax));
                None
            }
        }
    }

    /// Refuses what the state or the channel does not allow.
    fn is_legal(&mut self, row: &Row) -> bool {
        let in_state = match row.valid {
            Valid::Always => true,
            Valid::Authorization => matches!(self.state, State::Authorization { .. }),
            Valid::Transaction => matches!(self.state, State::Transaction),
        };
        if !in_state {
            self.bad_command(NOT_VALID);
        } else if !(row.offered)(&self.offer) {
            self.not_offered();
        }
        in_state && (row.offered)(&self.offer)
    }

    fn command(&mut self, now: Instant, command: Command) -> Option<Request> {
        match command {
            Command::Capa => {
                ok(&mut self.out, "Capability list follows.");
                for line in table::capabilities(&self.offer) {
                    self.out.extend_from_slice(line.as_bytes());
                    self.out.extend_from_slice(b"\r\n");
                }
                self.out.extend_from_slice(b".\r\n");
                None
            }
            Command::Stls => {
                ok(&mut self.out, "Begin TLS negotiation.");
                self.state = State::ExpectEncrypted;
                Some(Request::StartTls)
            }
            Command::User(name) => {
                // RFC 1939 §7 allows a refusal here, which would tell who has a mailbox.
                ok(&mut self.out, "");
                self.state = State::Authorization { user: Some(name) };
                None
            }
            Command::Pass(password) => {
                let State::Authorization { user: Some(user) } = &mut self.state else {
                    self.bad_command(NOT_VALID);
                    return None;
                };
                let (exchange, question) = Exchange::of_password(std::mem::take(user), password);
                self.state = State::ExpectFinding(Box::new(exchange));
                Some(Request::LogOn(question))
            }
            Command::Auth(None) => {
                ok(&mut self.out, "");
                for mechanism in &self.offer.mechanisms {
                    self.out.extend_from_slice(mechanism.name().as_bytes());
                    self.out.extend_from_slice(b"\r\n");
                }
                self.out.extend_from_slice(b".\r\n");
                None
            }
            Command::Auth(Some(Auth { mechanism, initial })) => match Mechanism::parse(&mechanism) {
                Some(mechanism) if self.offer.has(mechanism) => {
                    let initial = initial.as_ref().map(|initial| initial.expose().as_bytes());
                    let (exchange, step) = Exchange::begin(mechanism, initial);
                    self.state = State::Exchange(Box::new(exchange));
                    self.exchange(now, step)
                }
                // What TLS would not bring either is not here at all.
                Some(_) if !self.offer.cure.is_empty() => {
                    self.not_offered();
                    None
                }
                _ => {
                    self.bad_command("Unrecognized authentication type.");
                    None
                }
            },
            Command::Noop => {
                ok(&mut self.out, "");
                None
            }
            Command::Quit if matches!(self.state, State::Transaction) => {
                self.state = State::ExpectUpdated;
                Some(Request::Update)
            }
            Command::Quit => {
                ok(&mut self.out, SIGNING_OFF);
                self.state = State::Closed;
                None
            }
            Command::Transaction(command) => {
                self.state = State::ExpectReplied;
                Some(Request::Execute(command))
            }
        }
    }

    /// RFC 5034 §4.
    fn exchange(&mut self, now: Instant, step: Step) -> Option<Request> {
        match step {
            Step::Challenge(challenge) => {
                self.out.extend_from_slice(b"+ ");
                self.out.extend_from_slice(challenge.as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
            Step::Ask(question) => return self.ask(question),
            Step::Done(verdict) => self.judged(now, verdict),
            Step::Cancelled => {
                self.state = State::Authorization { user: None };
                self.bad_command("The AUTH protocol exchange was canceled by the client.");
            }
            Step::Malformed => {
                self.state = State::Authorization { user: None };
                self.bad_command("The AUTH response is not what the mechanism allows.");
            }
            Step::Abandoned => {
                err(&mut self.out, None, ABANDONED);
                self.state = State::Closed;
            }
        }
        None
    }

    fn ask(&mut self, question: Question) -> Option<Request> {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Exchange(exchange) => State::ExpectFinding(exchange),
            state => state,
        };
        Some(Request::LogOn(question))
    }

    fn told(&mut self, now: Instant, finding: Finding) {
        let State::ExpectFinding(exchange) = std::mem::replace(&mut self.state, State::Closed) else { return };
        self.state = State::Exchange(exchange);
        let State::Exchange(exchange) = &mut self.state else { return };
        let step = exchange.told(finding);
        self.exchange(now, step);
    }

    fn judged(&mut self, now: Instant, verdict: Verdict) {
        if verdict == Verdict::Granted {
            ok(&mut self.out, "User successfully logged on.");
            self.state = State::Transaction;
            self.deadline = now + self.settings.idle_timeout;
            self.bad_commands = 0;
            return;
        }
        let (code, text) = refusal(verdict);
        err(&mut self.out, Some(code), &text);
        // What is no fault of the credentials is not held against the client.
        if verdict == Verdict::Refused {
            self.failures += 1;
            self.deadline = now + self.settings.authorization_timeout;
        }
        self.state = if self.failures < self.settings.max_failures {
            State::Authorization { user: None }
        } else {
            State::Closed
        };
    }

    /// A command that the channel does not allow: the known words, and what to do instead.
    fn not_offered(&mut self) {
        if self.offer.cure.is_empty() {
            self.bad_command(NOT_VALID);
        } else {
            self.bad_command(&format!("{NOT_VALID} {}", self.offer.cure));
        }
    }

    fn unknown(&mut self, line: &[u8]) {
        // APOP is known to POP3, but not here.
        match Foreign::of(line).filter(|foreign| *foreign != Foreign::Pop3) {
            Some(foreign) => {
                err(&mut self.out, None, &format!("This is a POP3 server, and that was {}. Goodbye.", foreign.name()));
                self.state = State::Closed;
            }
            None => self.bad_command("Command is not recognized."),
        }
    }

    fn bad_command(&mut self, text: &str) {
        self.bad_commands += 1;
        if self.bad_commands < self.settings.max_bad_commands {
            err(&mut self.out, None, text);
        } else {
            err(&mut self.out, None, &format!("{text} Too many bad commands ({}): goodbye.", self.bad_commands));
            self.state = State::Closed;
        }
    }

    /// The longest line that may come now, with its end.
    fn line_limit(&self, bytes: &[u8]) -> usize {
        let is_auth = bytes.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"AUTH "));
        match &self.state {
            State::Exchange(_) => Exchange::MAX_LINE + 2,
            // RFC 5034 §4: an initial response is as long as the mechanism needs.
            _ if is_auth => Exchange::MAX_LINE + 2,
            _ => self.settings.max_command,
        }
    }

    /// A line's end came after more octets than it may have; none of them was kept.
    fn too_long(&mut self, now: Instant, limit: usize) {
        if let State::Exchange(exchange) = &self.state {
            let step = if exchange.is_granted() { Step::Abandoned } else { Step::Malformed };
            self.exchange(now, step);
        } else {
            self.bad_command(&format!("Command is longer than {limit} octets."));
        }
    }
}

const NOT_VALID: &str = "Command is not valid in this state.";
const ABANDONED: &str = "The log-on was given up after it was granted. Goodbye.";
const SIGNING_OFF: &str = "Gatepost POP3 server signing off.";

/// RFC 2449 §8, RFC 3206 §4, §5.
fn refusal(verdict: Verdict) -> (Code, String) {
    match verdict {
        Verdict::Granted | Verdict::Refused => {
            (Code::Auth, "Logon failure: unknown user name or bad password.".to_owned())
        }
        Verdict::Expired => (Code::Auth, verdict.text()),
        Verdict::InUse => (Code::InUse, verdict.text()),
        Verdict::Throttled | Verdict::TooManyConnections { .. } | Verdict::Unavailable => {
            (Code::SysTemp, verdict.text())
        }
        Verdict::Damaged => (Code::SysPerm, verdict.text()),
    }
}

impl crate::Session for Session {
    type Request = Request;
    type Answer = Answer;

    fn wants_input(&self) -> bool {
        matches!(self.state, State::Authorization { .. } | State::Exchange(_) | State::Transaction)
    }

    /// One line at a time, so that what pipelined commands answer is never more than one answer ahead.
    fn input(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        if !self.wants_input() {
            return (0, None);
        }
        let limit = self.line_limit(bytes);
        let Some(end) = memchr(b'\n', bytes) else {
            if bytes.len() >= limit {
                self.skipping.get_or_insert(limit);
            }
            return (if self.skipping.is_some() { bytes.len() } else { 0 }, None);
        };
        let consumed = end + 1;
        if let Some(limit) = self.skipping.take().or((consumed > limit).then_some(limit)) {
            self.too_long(now, limit);
            return (consumed, None);
        }
        // RFC 1939 §3 ends lines with CRLF; a person at a terminal sends LF, which can mean nothing else here.
        let line = bytes.get(..end).unwrap_or_default();
        let request = self.line(now, line.strip_suffix(b"\r").unwrap_or(line));
        if request == Some(Request::StartTls) {
            // RFC 2595 §2.1: what came in clear after STLS is no part of what comes under TLS.
            return (bytes.len(), request);
        }
        (consumed, request)
    }

    fn answer(&mut self, now: Instant, answer: Answer) {
        match (&self.state, answer) {
            (State::ExpectEncrypted, Answer::Encrypted(offer)) => {
                // RFC 2595 §4: what was said before TLS is forgotten.
                self.offer = offer;
                self.state = State::Authorization { user: None };
                self.deadline = now + self.settings.authorization_timeout;
            }
            (State::ExpectFinding(_), Answer::LogOn(finding)) => self.told(now, finding),
            (State::ExpectReplied, Answer::Replied) => {
                self.state = State::Transaction;
                self.deadline = now + self.settings.idle_timeout;
            }
            (State::ExpectUpdated, Answer::Updated(update)) => {
                match update {
                    Update::Complete => ok(&mut self.out, SIGNING_OFF),
                    // RFC 1939 §6: the words are the RFC's own.
                    Update::Partial => err(&mut self.out, Some(Code::SysTemp), "some deleted messages not removed"),
                }
                self.state = State::Closed;
            }
            // An answer to nothing that was asked: whatever state that means is not one to go on in.
            _ => self.state = State::Closed,
        }
        if self.leaving {
            self.shutdown();
        }
    }

    fn output(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.wants_input().then_some(self.deadline)
    }

    /// RFC 1939 §3: closes without UPDATE and without a word.
    fn timeout(&mut self, _: Instant) {
        self.state = State::Closed;
    }

    fn shutdown(&mut self) {
        if self.wants_input() {
            err(&mut self.out, Some(Code::SysTemp), "The server is shutting down. Try again later.");
            self.state = State::Closed;
        }
        self.leaving = true;
    }

    fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}

#[cfg(test)]
mod tests;
