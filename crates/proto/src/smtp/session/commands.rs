//! What each command does in each state.

use std::time::Instant;

use super::content::Content;
use super::{Asked, CommandError, Request, Session, State, Step};
use crate::logon::Offer;
use crate::smtp::command::{COMMANDS, Row};
use crate::smtp::{AddressError, ClientName, Command, ForwardPath, Mail, Reply};

impl Session {
    pub(super) fn command(&mut self, now: Instant, line: &[u8]) -> Option<Request> {
        let command = match Row::find(line) {
            // RFC 5321 §4.1.4: a session begins with EHLO or HELO.
            Ok((row, _)) if row.after_hello && self.client.is_none() => {
                self.reply_bad(now, &HELLO_FIRST);
                return None;
            }
            Ok((row, arguments)) => row.parse(arguments),
            Err(error) => Err(error),
        };
        match command {
            Ok(command) => self.run(now, command),
            Err(error) => {
                self.refuse_command(now, error);
                None
            }
        }
    }

    fn run(&mut self, now: Instant, command: Command) -> Option<Request> {
        match command {
            Command::Hello { extended, client } => return self.hello(now, extended, client),
            Command::Mail(mail) => return self.mail(now, mail),
            Command::Rcpt(to) => return self.rcpt(now, to),
            Command::Data => return self.data(now),
            Command::Bdat { octets, last } => return self.bdat(now, octets, last),
            Command::Auth { mechanism, initial } => return self.auth(now, &mechanism, initial.as_ref()),
            Command::StartTls => return self.start_tls(now),
            Command::Reset => {
                self.reply(now, &RESET);
                return self.void_transaction(None);
            }
            Command::NoOperation => self.reply(now, &OK),
            // RFC 5321 §3.5.3: who exists here is not told.
            Command::Verify => self.reply(now, &CANNOT_VERIFY),
            Command::Expand => self.reply_bad(now, &NOT_IMPLEMENTED),
            Command::Help => {
                let names: Vec<_> = COMMANDS.iter().map(|row| row.name).filter(|&name| name != "EXPN").collect();
                self.reply(now, &HELP.with_line(names.join(" ")));
            }
            Command::Quit => self.close(&GOODBYE),
        }
        None
    }

    /// RFC 5321 §4.1.4: also ends a transaction. The lines say what is there and nothing else.
    fn hello(&mut self, now: Instant, extended: bool, client: ClientName) -> Option<Request> {
        self.client = Some((client, extended));
        let mut reply = Reply::basic(250, "").with_text(self.configuration.host.clone());
        if extended {
            reply = reply
                .with_line(format!("SIZE {}", self.limits().message_octets))
                .with_line("PIPELINING")
                .with_line("ENHANCEDSTATUSCODES");
            if self.offer.starttls && !self.logged_on {
                reply = reply.with_line("STARTTLS");
            }
            // RFC 4954 §4: one log-on for each connection.
            if !self.offer.mechanisms.is_empty() && !self.logged_on {
                let names: Vec<_> = self.offer.mechanisms.iter().map(|mechanism| mechanism.name()).collect();
                reply = reply.with_line(format!("AUTH {}", names.join(" ")));
            }
            reply = reply.with_line("8BITMIME").with_line("CHUNKING");
        }
        self.reply(now, &reply);
        self.void_transaction(None)
    }

    fn mail(&mut self, now: Instant, mail: Mail) -> Option<Request> {
        if matches!(self.transaction.step, Step::Mail | Step::Chunks) {
            self.reply_bad(now, &SENDER_GIVEN);
            return None;
        }
        let limit = self.limits().message_octets;
        if mail.size.is_some_and(|size| size > limit) {
            // RFC 1870 §6.1.
            self.transaction.step = Step::MailRefused;
            self.reply(now, &too_large(limit));
            return None;
        }
        self.state = State::Answer(Asked::Mail);
        Some(Request::Mail(mail))
    }

    fn rcpt(&mut self, now: Instant, to: ForwardPath) -> Option<Request> {
        if self.transaction.step != Step::Mail {
            self.out_of_order(now, &NEED_MAIL);
            return None;
        }
        self.transaction.asked += 1;
        let limit = self.limits().recipients;
        if self.transaction.recipients >= limit {
            // RFC 5321 §4.5.3.1.10: the rest may be sent in another transaction.
            self.reply(now, &Reply::new(452, 5, 3, "").with_text(format!("Too many recipients (limit {limit})")));
            return None;
        }
        self.state = State::Answer(Asked::Rcpt);
        Some(Request::Rcpt(to))
    }

    fn data(&mut self, now: Instant) -> Option<Request> {
        if let Err(reply) = self.may_begin() {
            self.out_of_order(now, &reply);
            return None;
        }
        if self.transaction.step == Step::Chunks {
            // RFC 3030 §2: DATA and BDAT cannot be mixed, and what is left then is no transaction to go on with.
            let request = self.void_transaction(Some(BAD_SEQUENCE));
            self.transaction.step = Step::MailRefused;
            self.reply_bad(now, &BAD_SEQUENCE);
            return request;
        }
        self.state = State::Answer(Asked::Begin(Content::data()));
        Some(Request::Begin)
    }

    fn bdat(&mut self, now: Instant, octets: u64, last: bool) -> Option<Request> {
        let content = Content::chunk(octets, last);
        if let Err(reply) = self.may_begin() {
            self.refuse_content(now, content, reply);
            return None;
        }
        let limit = self.limits().message_octets;
        if self.transaction.text.octets.saturating_add(octets) > limit {
            let request = self.void_transaction(Some(too_large(limit)));
            self.refuse_content(now, content, too_large(limit));
            return request;
        }
        if self.transaction.step == Step::Chunks {
            self.begin_content(now, content);
            return None;
        }
        self.transaction.step = Step::Chunks;
        self.state = State::Answer(Asked::Begin(content));
        Some(Request::Begin)
    }

    /// Whether a message may follow now.
    fn may_begin(&self) -> Result<(), Reply> {
        let transaction = &self.transaction;
        match transaction.step {
            Step::Mail if transaction.recipients > 0 => Ok(()),
            Step::Chunks => Ok(()),
            // RFC 2920 §3.1: all recipients that were pipelined before it were refused.
            Step::Mail if transaction.asked > 0 => Err(NO_RECIPIENTS),
            Step::Mail => Err(NEED_RCPT),
            Step::None | Step::MailRefused => Err(NEED_MAIL),
        }
    }

    /// What was pipelined behind a refusal is not held against the client.
    fn out_of_order(&mut self, now: Instant, reply: &Reply) {
        let pipelined = self.transaction.step == Step::MailRefused || self.transaction.asked > 0;
        if pipelined { self.reply(now, reply) } else { self.reply_bad(now, reply) }
    }

    fn start_tls(&mut self, now: Instant) -> Option<Request> {
        if !self.offer.starttls {
            let reply = if self.channel.is_private() { ALREADY_TLS } else { NOT_IMPLEMENTED };
            self.reply_bad(now, &reply);
            return None;
        }
        if self.logged_on {
            // RFC 3207 §4.2: all that is known of the client would have to be forgotten, who it is as well.
            self.reply_bad(now, &TLS_AFTER_LOGON);
            return None;
        }
        self.transaction = Default::default();
        START_TLS.write(&mut self.out);
        self.state = State::Answer(Asked::Tls);
        Some(Request::StartTls)
    }

    /// RFC 3207 §4.2: the session is as at its beginning, without a greeting.
    pub(super) fn secured(&mut self, now: Instant, offer: Offer) {
        self.channel = crate::logon::Channel::Upgraded;
        self.offer = offer;
        self.client = None;
        self.await_command(now);
    }

    fn refuse_command(&mut self, now: Instant, error: CommandError) {
        match error {
            CommandError::Unknown => self.reply_bad(now, &UNKNOWN),
            CommandError::Http => self.close(&NOT_HTTP),
            CommandError::Arguments(text) => self.reply_bad(now, &Reply::new(501, 5, 4, text)),
            CommandError::Parameter(text) => self.reply_bad(now, &Reply::new(555, 5, 4, text)),
            CommandError::ClientName => self.reply_bad(now, &BAD_CLIENT_NAME),
            // A user's typing mistake is no misuse of the protocol; RFC 3463 §3.2: X.1.7 and X.1.3.
            CommandError::Sender(error) => {
                if !matches!(self.transaction.step, Step::Mail | Step::Chunks) {
                    self.transaction.step = Step::MailRefused;
                }
                self.reply(now, &bad_address(error, 7));
            }
            CommandError::Recipient(error) => {
                self.transaction.asked += usize::from(self.transaction.step == Step::Mail);
                self.reply(now, &bad_address(error, 3));
            }
            // Where the chunk would end is unknown: nothing behind it may be taken for commands.
            CommandError::Chunk => self.close(&BAD_CHUNK),
        }
    }
}

fn bad_address(error: AddressError, detail: u16) -> Reply {
    match error {
        AddressError::Syntax => Reply::new(501, 1, detail, "Invalid address"),
        AddressError::TooLong => {
            Reply::new(501, 1, detail, "Address too long (limit 64@255, 256 octets with brackets)")
        }
        // RFC 6531 §3.5 and §4.2.
        AddressError::NotAscii => {
            Reply::new(553, 6, 7, "Non-ASCII addresses are not supported; write the domain in its xn-- form")
        }
    }
}

pub(super) fn too_large(limit: u64) -> Reply {
    let text = format!("Message size exceeds fixed maximum message size (limit {limit} octets)");
    Reply::new(552, 3, 4, "").with_text(text)
}

const OK: Reply = Reply::new(250, 0, 0, "OK");
const RESET: Reply = Reply::new(250, 0, 0, "Resetting");
const GOODBYE: Reply = Reply::new(221, 0, 0, "Service closing transmission channel");
const HELP: Reply = Reply::new(214, 0, 0, "RFC 5321 tells what these commands do:");
const START_TLS: Reply = Reply::new(220, 0, 0, "SMTP server ready");
const CANNOT_VERIFY: Reply = Reply::new(252, 1, 5, "Cannot VRFY user, but will accept message and attempt delivery");
const UNKNOWN: Reply = Reply::new(500, 5, 1, "Unrecognized command");
const NOT_IMPLEMENTED: Reply = Reply::new(502, 5, 1, "Command not implemented");
const BAD_CLIENT_NAME: Reply = Reply::new(501, 5, 4, "Invalid domain name");
const BAD_CHUNK: Reply = Reply::new(501, 5, 4, "BDAT size [LAST] is expected; closing transmission channel");
const NOT_HTTP: Reply = Reply::new(554, 7, 0, "This port speaks SMTP, not HTTP");
const HELLO_FIRST: Reply = Reply::new(503, 5, 2, "Send hello first");
const SENDER_GIVEN: Reply = Reply::new(503, 5, 1, "Sender already specified");
const NEED_MAIL: Reply = Reply::new(503, 5, 1, "Bad sequence of commands: MAIL first");
const NEED_RCPT: Reply = Reply::new(503, 5, 1, "Bad sequence of commands: RCPT first");
const NO_RECIPIENTS: Reply = Reply::new(554, 5, 1, "No valid recipients");
const TLS_AFTER_LOGON: Reply = Reply::new(503, 5, 1, "STARTTLS must come before AUTH; connect again");
const ALREADY_TLS: Reply = Reply::new(503, 5, 1, "TLS is on already");
pub(super) const BAD_SEQUENCE: Reply = Reply::new(503, 5, 1, "Bad sequence of commands");
