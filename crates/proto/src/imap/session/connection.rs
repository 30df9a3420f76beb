//! One IMAP connection: from octets to lines and literals, and what to do with them in which state.

use std::sync::Arc;
use std::time::Instant;

use memchr::memchr;

use super::framing::{Skip, Skipped};
use super::logon::ABANDONED;
use super::request::{Answer, Request};
use super::settings::Settings;
use super::state::{Standing, State};
use crate::imap::write::{self, Code, Condition};
use crate::logon::Offer;
use crate::sasl::Exchange;

/// See [`crate::Session`]. Holds octets only of a command that is not complete yet. Does not print: a password
/// may be among them.
pub struct Session {
    pub(super) settings: Arc<Settings>,
    pub(super) standing: Standing,
    pub(super) state: State,
    pub(super) out: Vec<u8>,
    pub(super) failures: u32,
    pub(super) bad_commands: u32,
    /// The command so far, where it did not come at once.
    pending: Vec<u8>,
    /// Where in `pending` the current line begins, behind a literal.
    line: usize,
    /// Octets of a literal that are still to go to `pending`.
    literal: usize,
    deadline: Instant,
    /// The server is going down once what is under way is done.
    leaving: bool,
}

/// What became of a line.
pub(super) enum Gathered {
    /// It was the end of something.
    Whole(Option<Request>),
    /// A literal of this size follows, and then the command's next line.
    GoesOn { literal: usize },
}

impl Session {
    /// Greets.
    pub fn new(settings: Arc<Settings>, offer: Offer, now: Instant) -> Self {
        let mut out = Vec::new();
        write::untagged(&mut out, Condition::Ok, None, &settings.banner);
        Self {
            deadline: now + settings.authentication_timeout,
            settings,
            standing: Standing::NotAuthenticated(Box::new(offer)),
            state: State::Command,
            out,
            failures: 0,
            bad_commands: 0,
            pending: Vec::new(),
            line: 0,
            literal: 0,
            leaving: false,
        }
    }

    /// Takes leave and ends.
    pub(super) fn bye(&mut self, text: &str) {
        write::untagged(&mut self.out, Condition::Bye, None, text);
        self.close();
    }

    /// Ends without a word.
    pub(super) fn close(&mut self) {
        self.state = State::Closed;
        self.pending = Vec::new();
        self.literal = 0;
    }

    /// Octets that come unasked with a refused command and are consumed at most.
    pub(super) fn skip_limit(&self) -> u64 {
        match self.standing {
            Standing::NotAuthenticated(_) => Settings::MAX_REFUSED_BEFORE_LOGON,
            Standing::Authenticated | Standing::Selected => Settings::MAX_REFUSED,
        }
    }

    /// Octets of a command with its literals.
    pub(super) fn command_limit(&self) -> usize {
        match self.standing {
            Standing::NotAuthenticated(_) => self.settings.max_command.min(Settings::MAX_BEFORE_LOGON),
            Standing::Authenticated | Standing::Selected => self.settings.max_command,
        }
    }

    /// Lines and literals that make up a command, an answer to a challenge, or DONE.
    fn gather(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        if self.literal > 0 {
            let taken = bytes.len().min(self.literal);
            self.pending.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            self.literal -= taken;
            self.line = self.pending.len();
            return (taken, None);
        }
        let end = memchr(b'\n', bytes).map(|at| at + 1);
        let piece = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let limit = match self.state {
            State::Exchange { .. } => Exchange::MAX_LINE + 2,
            _ => self.command_limit(),
        };
        if self.pending.len() + piece.len() > limit {
            return self.too_long(bytes, limit);
        }
        if end.is_none() {
            self.pending.extend_from_slice(piece);
            return (piece.len(), None);
        }
        // A command that came at once is parsed where it lies.
        let mut pending = std::mem::take(&mut self.pending);
        let line = std::mem::take(&mut self.line);
        let command = if pending.is_empty() {
            piece
        } else {
            pending.extend_from_slice(piece);
            &pending
        };
        self.active(now);
        match self.gathered(command, line) {
            Gathered::GoesOn { literal } => {
                if pending.is_empty() {
                    pending.extend_from_slice(piece);
                }
                self.line = pending.len();
                self.pending = pending;
                self.literal = literal;
                (piece.len(), None)
            }
            // RFC 3501 §6.2.1: what came in clear behind STARTTLS is no part of what comes under TLS.
            Gathered::Whole(Some(Request::StartTls)) => (bytes.len(), Some(Request::StartTls)),
            Gathered::Whole(request) => (piece.len(), request),
        }
    }

    /// More came than a command or line may have; the rest of it is passed over.
    fn too_long(&mut self, bytes: &[u8], limit: usize) -> (usize, Option<Request>) {
        let begun = std::mem::take(&mut self.pending);
        self.line = 0;
        let text = format!("A line may have at most {limit} octets.");
        if matches!(&self.state, State::Exchange { exchange, .. } if exchange.is_granted()) {
            self.bye(ABANDONED);
            return (bytes.len(), None);
        }
        let reply = match std::mem::replace(&mut self.state, State::Closed) {
            State::Idle { .. } => {
                self.bye(&text);
                return (bytes.len(), None);
            }
            State::Exchange { tag, .. } => self.bad(Some(&tag), Some(Code::Limit), &text),
            _ => self.length_refused(if begun.is_empty() { bytes } else { &begun }, limit),
        };
        self.state = State::Skip(Box::new(Skip::within(&begun, self.skip_limit(), reply)));
        self.skip(bytes)
    }

    fn skip(&mut self, bytes: &[u8]) -> (usize, Option<Request>) {
        let State::Skip(skip) = &mut self.state else { return (0, None) };
        let (consumed, skipped) = skip.input(bytes);
        if skipped != Skipped::More {
            let reply = std::mem::take(&mut skip.reply);
            self.refused(&reply);
        }
        if skipped == Skipped::TooMuch {
            let limit = self.skip_limit();
            self.bye(&format!("More than {limit} octets came with a command that was refused."));
        }
        (consumed, None)
    }

    /// Octets of a message that was invited or came unasked.
    fn message(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        let State::Message { tag, left } = std::mem::replace(&mut self.state, State::Closed) else { return (0, None) };
        let taken = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.state = State::ExpectTaken { tag, left: left - taken as u64 };
        self.active(now);
        (taken, Some(Request::AppendBody(0..taken)))
    }

    /// The line end behind a message. RFC 3502 (MULTIAPPEND) is not offered, so nothing else may stand there.
    fn message_end(&mut self, bytes: &[u8]) -> (usize, Option<Request>) {
        let blank = bytes.iter().position(|b| !matches!(b, b' ' | b'\r')).unwrap_or(bytes.len());
        match bytes.get(blank) {
            None => (blank, None),
            Some(b'\n') => {
                self.state = State::ExpectExecuted;
                (blank + 1, Some(Request::AppendEnd))
            }
            Some(_) => {
                if let State::MessageEnd { tag } = std::mem::replace(&mut self.state, State::Closed) {
                    self.state = State::ExpectAborted { tag };
                }
                (blank, Some(Request::AppendAbort))
            }
        }
    }

    /// RFC 3501 §5.4: a command of a client that is logged on starts the clock anew. Before that it runs on.
    fn active(&mut self, now: Instant) {
        if !matches!(self.standing, Standing::NotAuthenticated(_)) {
            self.deadline = now + self.settings.idle_timeout;
        }
    }

    /// The state after an answer; `None` for an answer to something that was not asked.
    fn answered(&mut self, now: Instant, answer: Answer) -> Option<State> {
        Some(match (std::mem::replace(&mut self.state, State::Closed), answer) {
            (_, Answer::Bye(text)) => {
                self.bye(&text);
                State::Closed
            }
            (State::ExpectChannel, Answer::Channel(offer)) => {
                self.standing = Standing::NotAuthenticated(Box::new(offer));
                self.deadline = now + self.settings.authentication_timeout;
                State::Command
            }
            (State::ExpectFinding { tag, mut exchange }, Answer::LogOn(finding)) => {
                self.deadline = now + self.settings.authentication_timeout;
                self.state = State::Command;
                let step = exchange.told(finding);
                self.exchange_step(tag, exchange, step);
                self.active(now);
                std::mem::replace(&mut self.state, State::Closed)
            }
            (State::ExpectExecuted, Answer::Done) => State::Command,
            (State::ExpectExecuted, Answer::Selected) => {
                self.standing = Standing::Selected;
                State::Command
            }
            (State::ExpectExecuted, Answer::Unselected) => {
                self.standing = Standing::Authenticated;
                State::Command
            }
            (State::ExpectInvitation { tag, size, non_sync }, Answer::AppendAccepted) => {
                if !non_sync {
                    write::continuation(&mut self.out, READY);
                }
                State::Message { tag, left: size }
            }
            (State::ExpectInvitation { size, non_sync: true, .. }, Answer::AppendRefused(reply)) => {
                State::Skip(Box::new(Skip::new(size, self.skip_limit(), reply)))
            }
            (State::ExpectInvitation { .. }, Answer::AppendRefused(reply)) => {
                self.out.extend_from_slice(&reply);
                State::Command
            }
            (State::ExpectTaken { tag, left: 0 }, Answer::Done) => State::MessageEnd { tag },
            (State::ExpectTaken { tag, left }, Answer::Done) => State::Message { tag, left },
            (State::ExpectAborted { tag }, Answer::Done) => {
                let reply = self.bad(Some(&tag), None, "APPEND takes one message, and the line ends behind it.");
                State::Skip(Box::new(Skip::new(0, self.skip_limit(), reply)))
            }
            (State::ExpectIdleBegun { tag }, Answer::Done) => State::Idle { tag },
            (State::ExpectIdleEnded { tag, refusal: None }, Answer::Done) => {
                write::tagged(&mut self.out, &tag, Condition::Ok, None, "IDLE completed.");
                State::Command
            }
            (State::ExpectIdleEnded { refusal: Some((reply, literal)), .. }, Answer::Done) => {
                self.state = State::Command;
                match literal {
                    Some(literal) => self.refuse_literal(literal, reply),
                    None => self.refused(&reply),
                }
                std::mem::replace(&mut self.state, State::Closed)
            }
            _ => return None,
        })
    }
}

/// What a client reads before it sends a literal.
pub(super) const READY: &str = "Ready";

impl crate::Session for Session {
    type Request = Request;
    type Answer = Answer;

    fn wants_input(&self) -> bool {
        self.state.awaits_client()
    }

    /// One line or literal at a time, so that what pipelined commands answer is never more than one answer
    /// ahead.
    fn input(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        if bytes.is_empty() {
            return (0, None);
        }
        match self.state {
            State::Command | State::Exchange { .. } | State::Idle { .. } => self.gather(now, bytes),
            State::Message { .. } => self.message(now, bytes),
            State::MessageEnd { .. } => self.message_end(bytes),
            State::Skip(_) => self.skip(bytes),
            _ => (0, None),
        }
    }

    fn answer(&mut self, now: Instant, answer: Answer) {
        // How long the driver took is not the client's silence.
        self.active(now);
        match self.answered(now, answer) {
            // A state set on the way there, by taking leave, stays.
            Some(state) => self.state = state,
            None => {
                write::untagged(&mut self.out, Condition::Bye, Some(Code::ServerBug), "Internal error.");
                self.close();
            }
        }
        if self.leaving {
            self.shutdown();
        }
    }

    fn output(&mut self, out: &mut Vec<u8>) {
        // Given away with its memory, so that a waiting session holds none.
        out.append(&mut std::mem::take(&mut self.out));
    }

    fn deadline(&self) -> Option<Instant> {
        self.state.awaits_client().then_some(self.deadline)
    }

    fn timeout(&mut self, now: Instant) {
        if now < self.deadline || matches!(self.state, State::Closed) {
            return;
        }
        match self.standing {
            Standing::NotAuthenticated(_) => {
                let seconds = self.settings.authentication_timeout.as_secs();
                self.bye(&format!("No log-on within {seconds} seconds; closing the connection."));
            }
            Standing::Authenticated | Standing::Selected => {
                let seconds = self.settings.idle_timeout.as_secs();
                self.bye(&format!("No command for {seconds} seconds; closing the connection."));
            }
        }
    }

    fn shutdown(&mut self) {
        self.leaving = true;
        match self.state {
            State::Closed => {}
            State::Command | State::Exchange { .. } | State::Idle { .. } | State::Skip(_) => {
                self.bye("The server is going down; connect again later.");
            }
            // A message being appended, and whatever the driver is at, may finish.
            _ => {}
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}

#[cfg(test)]
impl Session {
    /// Octets of a command that is not complete.
    pub(super) fn pending_octets(&self) -> usize {
        self.pending.len()
    }

    /// Memory for octets, in and out.
    pub(super) fn held_octets(&self) -> usize {
        self.pending.capacity() + self.out.capacity()
    }
}
