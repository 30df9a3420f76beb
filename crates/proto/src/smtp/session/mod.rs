//! The server's side of one SMTP connection (RFC 5321 §3 and §4.1.4), sans I/O.

mod commands;
mod content;
mod logon;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use memchr::memchr;

use self::content::Content;
use self::logon::ABANDONED;
use super::command::Row;
use super::{ClientName, CommandError, ForwardPath, Limits, Mail, Reply};
use crate::logon::{Channel, Finding, Offer, Question};
use crate::sasl::Exchange;

/// What the session asks of its driver. [`Request::Body`] and [`Request::Reset`] need no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// May this sender begin a transaction? [`Answer::Accepted`] or [`Answer::Refused`].
    Mail(Mail),
    /// Is this recipient taken? [`Answer::Accepted`] or [`Answer::Refused`].
    Rcpt(ForwardPath),
    /// A message is about to come: [`Answer::Accepted`], or [`Answer::Refused`], which ends the transaction.
    Begin,
    /// Octets of the message: this range of the octets that [`input`](crate::Session::input) was given. To
    /// refuse the message from here on and end the transaction, answer [`Answer::Refused`]: what still comes
    /// of it is dropped, and the reply is given at its end.
    Body(Range<usize>),
    /// The message is complete: [`Answer::Done`] ends the transaction.
    End,
    /// The transaction is void; what is held of it is to be dropped. With the reply that the client gets for
    /// it, where the session itself refused the message.
    Reset(Option<Reply>),
    /// Begin TLS, then [`Answer::Secured`]. The transaction and everything received before are void.
    StartTls,
    /// [`Answer::LogOn`].
    LogOn(Question),
}

/// What the session is told.
#[derive(Debug)]
pub enum Answer {
    Accepted,
    Refused(Reply),
    /// What became of the message: 250 only once it is durable.
    Done(Reply),
    /// TLS is on; what may be offered under it.
    Secured(Offer),
    /// What was found out. Once a verdict grants it, the client is logged on.
    LogOn(Finding),
}

/// What the session says of itself and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The name in the answer to EHLO.
    pub host: String,
    /// The greeting after its 220: the host's name comes first (RFC 5321 §4.2).
    pub banner: String,
    pub limits: Limits,
}

/// One connection's state.
#[derive(Debug)]
pub struct Session {
    configuration: Arc<Configuration>,
    offer: Offer,
    channel: Channel,
    state: State,
    /// What the client called itself, and whether with EHLO.
    client: Option<(ClientName, bool)>,
    logged_on: bool,
    transaction: Transaction,
    bad_commands: u32,
    logon_failures: u32,
    deadline: Instant,
    /// The server is going down: ends after the reply that is due.
    leaving: bool,
    out: Vec<u8>,
}

/// What is awaited.
#[derive(Debug)]
enum State {
    Command,
    /// The end of a line that was too long and is answered already.
    LongLine,
    /// The client's next line of an exchange.
    Sasl(Exchange),
    Content(Content),
    Answer(Asked),
    Closed,
}

/// Which request is unanswered.
#[derive(Debug)]
enum Asked {
    Mail,
    Rcpt,
    /// To be followed by this content.
    Begin(Content),
    End,
    Tls,
    LogOn(Exchange),
}

/// The mail transaction (RFC 5321 §3.3) as far as the session must know it; paths are with the driver.
#[derive(Debug, Default)]
struct Transaction {
    step: Step,
    recipients: usize,
    /// Recipients asked for, also those refused.
    asked: usize,
    text: Text,
}

/// What is known of a message's text so far, over all of BDAT's chunks.
#[derive(Debug, Default)]
struct Text {
    octets: u64,
    nul: bool,
    ends: super::chunk::BareCheck,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    None,
    /// MAIL was refused: what was pipelined behind it is out of order for no fault of its own.
    MailRefused,
    Mail,
    /// BDAT has begun; only BDAT goes on (RFC 3030 §2).
    Chunks,
}

impl Session {
    /// Greets.
    pub fn new(now: Instant, configuration: Arc<Configuration>, channel: Channel, offer: Offer) -> Self {
        let mut out = Vec::new();
        Reply::basic(220, "").with_text(configuration.banner.clone()).write(&mut out);
        Self {
            deadline: now + configuration.limits.command_time,
            configuration,
            offer,
            channel,
            state: State::Command,
            client: None,
            logged_on: false,
            transaction: Transaction::default(),
            bad_commands: 0,
            logon_failures: 0,
            leaving: false,
            out,
        }
    }

    /// What the client calls itself since its last HELO or EHLO.
    pub fn client(&self) -> Option<&ClientName> {
        self.client.as_ref().map(|(name, _)| name)
    }

    /// Whether the client said EHLO.
    pub fn is_extended(&self) -> bool {
        matches!(self.client, Some((_, true)))
    }

    fn limits(&self) -> &Limits {
        &self.configuration.limits
    }

    /// Replies and waits for the next command.
    fn reply(&mut self, now: Instant, reply: &Reply) {
        reply.write(&mut self.out);
        self.await_command(now);
    }

    /// Replies to a command that made no sense; too many of them end the connection.
    fn reply_bad(&mut self, now: Instant, reply: &Reply) {
        self.bad_commands += 1;
        self.reply(now, reply);
        self.close_if_too_bad();
    }

    fn close_if_too_bad(&mut self) {
        let limit = self.limits().bad_commands;
        if self.bad_commands >= limit && !matches!(self.state, State::Closed) {
            self.close(&Reply::new(421, 7, 0, "").with_text(format!("Too many bad commands (limit {limit}), goodbye")));
        }
    }

    fn await_command(&mut self, now: Instant) {
        self.state = State::Command;
        self.deadline = now + self.limits().command_time;
        if self.leaving {
            self.close(&SHUTDOWN);
        }
    }

    /// RFC 5321 §3.8: 421 may come at any time.
    fn close(&mut self, reply: &Reply) {
        reply.write(&mut self.out);
        self.state = State::Closed;
    }

    /// Ends the transaction; the request to say so, unless there was none.
    fn void_transaction(&mut self, refused: Option<Reply>) -> Option<Request> {
        let was = std::mem::take(&mut self.transaction).step;
        matches!(was, Step::Mail | Step::Chunks).then_some(Request::Reset(refused))
    }

    /// A line of at most `longest` octets with its CRLF, which is all that ends it (RFC 5321 §2.3.8).
    fn line<'a>(&mut self, bytes: &'a [u8], longest: impl Fn(&[u8]) -> usize) -> Line<'a> {
        let Some(end) = memchr(b'\n', bytes) else {
            if bytes.len() < longest(bytes) {
                return Line::Partial;
            }
            self.state = State::LongLine;
            return Line::TooLong { consumed: bytes.len(), limit: longest(bytes) };
        };
        let (line, consumed) = (bytes.get(..end).unwrap_or_default(), end + 1);
        if consumed > longest(line) {
            return Line::TooLong { consumed, limit: longest(line) };
        }
        match line.strip_suffix(b"\r") {
            Some(line) if memchr(b'\r', line).is_none() => Line::Whole { consumed, line },
            _ => Line::Bare { consumed },
        }
    }

    /// A line that cannot be read. Where a chunk was announced in it, what follows cannot be told from
    /// commands.
    fn unreadable(&mut self, now: Instant, bytes: &[u8], reply: &Reply) {
        match Row::find(bytes.get(..bytes.len().min(Limits::COMMAND_LINE)).unwrap_or_default()) {
            Ok((row, _)) if row.name == "BDAT" => self.close(reply),
            _ => self.reply_bad(now, reply),
        }
    }

    fn command_line(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        let longest = |line: &[u8]| Row::find(line).map_or(Limits::COMMAND_LINE, |(row, _)| row.line);
        match self.line(bytes, longest) {
            Line::Partial => (0, None),
            Line::Whole { consumed, line } => {
                let request = self.command(now, line);
                // RFC 3207 §4.2: what was sent before TLS was on is not to be known any more.
                (if request == Some(Request::StartTls) { bytes.len() } else { consumed }, request)
            }
            Line::Bare { consumed } => {
                self.unreadable(now, bytes, &BARE_LINE);
                (consumed, None)
            }
            Line::TooLong { consumed, limit } => (consumed, self.long_line(now, bytes, limit)),
        }
    }

    fn sasl_line(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        let is_granted = matches!(&self.state, State::Sasl(exchange) if exchange.is_granted());
        match self.line(bytes, |_| Limits::AUTH_LINE) {
            Line::Partial => (0, None),
            Line::Whole { consumed, line } => (consumed, self.sasl_response(now, line)),
            Line::Bare { consumed } | Line::TooLong { consumed, .. } if is_granted => {
                self.close(&ABANDONED);
                (consumed, None)
            }
            Line::Bare { consumed } => {
                self.reply_bad(now, &BARE_LINE);
                (consumed, None)
            }
            Line::TooLong { consumed, limit } => (consumed, self.long_line(now, &[], limit)),
        }
    }

    /// Answers once; the rest of the line, if it has not ended, is dropped.
    fn long_line(&mut self, now: Instant, bytes: &[u8], limit: usize) -> Option<Request> {
        let dropping = matches!(self.state, State::LongLine);
        let text = format!("Line too long (limit {limit} octets)");
        // RFC 4954 §4 has a code of its own for an exchange.
        let detail = if limit == Limits::AUTH_LINE { 6 } else { 2 };
        self.unreadable(now, bytes, &Reply::new(500, 5, detail, "").with_text(text));
        if dropping && !matches!(self.state, State::Closed) {
            self.state = State::LongLine;
        }
        None
    }
}

/// What [`Session::line`] found.
enum Line<'a> {
    Partial,
    Whole {
        consumed: usize,
        line: &'a [u8],
    },
    /// It holds or ends in a bare CR or LF.
    Bare {
        consumed: usize,
    },
    TooLong {
        consumed: usize,
        limit: usize,
    },
}

impl crate::Session for Session {
    type Request = Request;
    type Answer = Answer;

    fn wants_input(&self) -> bool {
        !matches!(self.state, State::Answer(_) | State::Closed)
    }

    fn input(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        match self.state {
            State::Command => self.command_line(now, bytes),
            State::Sasl(_) => self.sasl_line(now, bytes),
            State::Content(_) => match self.content(now, bytes) {
                // A chunk ended before these octets, which are commands then.
                (0, None) if matches!(self.state, State::Command) => self.command_line(now, bytes),
                step => step,
            },
            State::LongLine => match memchr(b'\n', bytes) {
                None => (bytes.len(), None),
                Some(end) => {
                    self.await_command(now);
                    (end + 1, None)
                }
            },
            State::Answer(_) | State::Closed => (0, None),
        }
    }

    fn answer(&mut self, now: Instant, answer: Answer) {
        match (std::mem::replace(&mut self.state, State::Closed), answer) {
            (State::Answer(asked), answer) => self.answered(now, asked, answer),
            // The driver gives up on a message that is still coming.
            (State::Content(mut content), Answer::Refused(reply)) => {
                content.refuse(reply);
                self.state = State::Content(content);
            }
            // What nobody asked for changes nothing.
            (state, _) => self.state = state,
        }
    }

    fn output(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.out);
        self.out = Vec::new();
    }

    fn deadline(&self) -> Option<Instant> {
        self.wants_input().then_some(self.deadline)
    }

    fn timeout(&mut self, _: Instant) {
        self.close(&TIMED_OUT);
    }

    fn shutdown(&mut self) {
        match self.state {
            // A message under way may finish, and what is asked is answered first.
            State::Content(_) | State::Answer(_) => self.leaving = true,
            State::Command | State::LongLine | State::Sasl(_) => self.close(&SHUTDOWN),
            State::Closed => {}
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}

impl Session {
    fn answered(&mut self, now: Instant, asked: Asked, answer: Answer) {
        match (asked, answer) {
            (Asked::Mail, Answer::Accepted) => {
                self.transaction.step = Step::Mail;
                self.reply(now, &SENDER_OK);
            }
            (Asked::Mail, Answer::Refused(reply)) => {
                self.transaction.step = Step::MailRefused;
                self.reply(now, &reply);
            }
            (Asked::Rcpt, Answer::Accepted) => {
                self.transaction.recipients += 1;
                self.reply(now, &RECIPIENT_OK);
            }
            (Asked::Begin(content), Answer::Accepted) => self.begin_content(now, content),
            (Asked::Begin(content), Answer::Refused(reply)) => self.refuse_content(now, content, reply),
            (Asked::Rcpt, Answer::Refused(reply)) => self.reply(now, &reply),
            (Asked::End, Answer::Done(reply) | Answer::Refused(reply)) => {
                self.transaction = Transaction::default();
                if reply.code() == 250 {
                    self.bad_commands = 0;
                }
                self.reply(now, &reply);
            }
            (Asked::Tls, Answer::Secured(offer)) => self.secured(now, offer),
            (Asked::LogOn(mut exchange), Answer::LogOn(finding)) => {
                let step = exchange.told(finding);
                self.sasl_step(now, exchange, step);
            }
            // An answer to another question leaves the first one open.
            (asked, _) => self.state = State::Answer(asked),
        }
    }
}

const SENDER_OK: Reply = Reply::new(250, 1, 0, "Sender OK");
const RECIPIENT_OK: Reply = Reply::new(250, 1, 5, "Recipient OK");
const BARE_LINE: Reply = Reply::new(500, 5, 2, "Lines must end in CRLF, without a CR or LF alone");
const TIMED_OUT: Reply = Reply::new(421, 4, 1, "Connection timed out");
const SHUTDOWN: Reply = Reply::new(421, 3, 2, "Service not available, closing transmission channel");
