//! Commands as they come in: judged by the table, refused, served here or asked of the driver.

use super::capability::capabilities;
use super::connection::{Gathered, READY, Session};
use super::framing::{Skip, announced};
use super::request::Request;
use super::state::{Standing, State};
use crate::foreign::Foreign;
use crate::imap::command::{Append, Body, Command, Tag};
use crate::imap::parse::{self, Announcement, ParseError};
use crate::imap::table::{Legal, Row};
use crate::imap::write::{self, Code, Condition};

pub(super) const NOT_VALID: &str = "Command is not valid in this state.";
const SIGNING_OFF: &str = "Gatepost IMAP4 server signing off.";

impl Session {
    /// A command up to the end of a line that begins at `line`, or a line of an exchange or of IDLE.
    pub(super) fn gathered(&mut self, command: &[u8], line: usize) -> Gathered {
        match self.state {
            State::Exchange { .. } => Gathered::Whole(self.exchange_line(without_end(command))),
            State::Idle { .. } => Gathered::Whole(self.idle_line(command)),
            _ => match announced(command.get(line..).unwrap_or_default()) {
                Some(literal) => self.announced(command, literal),
                None => Gathered::Whole(self.command(without_end(command))),
            },
        }
    }

    /// A whole command.
    fn command(&mut self, command: &[u8]) -> Option<Request> {
        let (tag, row, cursor) = match parse::head(command) {
            Ok(head) => head,
            Err((tag, error)) => {
                let reply = self.unknown(command, tag.as_ref(), error);
                self.refused(&reply);
                return None;
            }
        };
        if let Err(reply) = self.judge(&tag, row) {
            self.refused(&reply);
            return None;
        }
        match row.parse(cursor, &self.settings.parse) {
            Ok(body) => self.serve(tag, body),
            Err(error) => {
                let reply = self.misshapen(&tag, row, error);
                self.refused(&reply);
                None
            }
        }
    }

    /// A command that goes on with a literal, unless there is a reason not to have it.
    fn announced(&mut self, command: &[u8], literal: Announcement) -> Gathered {
        match self.admitted(command, literal) {
            Ok(gathered) => gathered,
            Err(reply) => {
                self.refuse_literal(literal, reply);
                Gathered::Whole(None)
            }
        }
    }

    /// What the literal is for. The reply is the error.
    fn admitted(&mut self, command: &[u8], literal: Announcement) -> Result<Gathered, Vec<u8>> {
        let (tag, row, cursor) =
            parse::head(command).map_err(|(tag, error)| self.unknown(command, tag.as_ref(), error))?;
        self.judge(&tag, row)?;
        if row.name == "APPEND" {
            match row.parse(cursor, &self.settings.parse) {
                Ok(Body::Append(append)) => return self.append(tag, append),
                // The literal is the mailbox's name.
                Ok(_) | Err(ParseError::Incomplete) => {}
                Err(error) => return Err(self.misshapen(&tag, row, error)),
            }
        }
        let limit = self.command_limit();
        let size = usize::try_from(literal.size).unwrap_or(usize::MAX);
        if command.len().saturating_add(size) > limit {
            return Err(self.length_refused(command, limit));
        }
        if !literal.non_sync {
            write::continuation(&mut self.out, READY);
        }
        Ok(Gathered::GoesOn { literal: size })
    }

    /// Whether the command is legal now and may be used on this channel. The reply is the error.
    fn judge(&mut self, tag: &Tag, row: &Row) -> Result<(), Vec<u8>> {
        let in_state = match (row.legal, &self.standing) {
            (Legal::Always, _) => true,
            (Legal::NotAuthenticated, standing) => matches!(standing, Standing::NotAuthenticated(_)),
            (Legal::Authenticated, standing) => !matches!(standing, Standing::NotAuthenticated(_)),
            (Legal::Selected, standing) => matches!(standing, Standing::Selected),
        };
        if !in_state {
            return Err(self.bad(Some(tag), None, NOT_VALID));
        }
        match &self.standing {
            // Judged before its literals are invited, so that no password travels in vain.
            Standing::NotAuthenticated(offer) if row.name == "LOGIN" && !offer.password_command => {
                Err(self.not_offered(tag))
            }
            _ => Ok(()),
        }
    }

    fn serve(&mut self, tag: Tag, body: Body) -> Option<Request> {
        match body {
            Body::Capability => {
                self.out.extend_from_slice(b"* CAPABILITY ");
                let offer = match &self.standing {
                    Standing::NotAuthenticated(offer) => Some(&**offer),
                    Standing::Authenticated | Standing::Selected => None,
                };
                capabilities(&mut self.out, offer);
                self.out.extend_from_slice(b"\r\n");
                self.ok(&tag, "CAPABILITY completed.");
                None
            }
            Body::Logout => {
                write::untagged(&mut self.out, Condition::Bye, None, SIGNING_OFF);
                self.ok(&tag, "LOGOUT completed.");
                self.close();
                None
            }
            Body::Id => {
                // RFC 2971 §4: no version, which would help nobody but those who look for old ones.
                self.out.extend_from_slice(b"* ID (\"name\" \"Gatepost\")\r\n");
                self.ok(&tag, "ID completed.");
                None
            }
            Body::StartTls => self.start_tls(&tag),
            Body::Login { user, password } => self.login(tag, user, password),
            Body::Authenticate { mechanism, initial } => self.authenticate(tag, &mechanism, initial.as_ref()),
            Body::Noop if matches!(self.standing, Standing::NotAuthenticated(_)) => {
                self.ok(&tag, "NOOP completed.");
                None
            }
            Body::Idle => {
                write::continuation(&mut self.out, "idling");
                self.bad_commands = 0;
                self.state = State::ExpectIdleBegun { tag };
                Some(Request::IdleBegin)
            }
            body => {
                self.bad_commands = 0;
                self.state = State::ExpectExecuted;
                Some(Request::Execute(Command { tag, body }))
            }
        }
    }

    /// A message is announced. The reply is the error.
    fn append(&mut self, tag: Tag, append: Append) -> Result<Gathered, Vec<u8>> {
        if append.size == 0 {
            // RFC 3502 §6.3.11: a client that changes its mind sends none.
            return Err(self.no(&tag, None, "APPEND is cancelled: the message is empty."));
        }
        let limit = self.settings.max_message;
        if append.size > limit {
            return Err(self.no(&tag, Some(Code::Limit), &format!("A message may have at most {limit} octets.")));
        }
        self.bad_commands = 0;
        self.state = State::ExpectInvitation { tag: tag.clone(), size: append.size, non_sync: append.non_sync };
        Ok(Gathered::Whole(Some(Request::AppendBegin { tag, append })))
    }

    /// A line while idling.
    fn idle_line(&mut self, line: &[u8]) -> Option<Request> {
        let State::Idle { tag } = std::mem::replace(&mut self.state, State::Closed) else { return None };
        let mut refusal = None;
        if !without_end(line).trim_ascii_end().eq_ignore_ascii_case(b"DONE") {
            refusal = Some((self.bad(Some(&tag), None, "Expected DONE."), announced(line)));
        }
        self.state = State::ExpectIdleEnded { tag, refusal };
        Some(Request::IdleEnd)
    }

    /// Refuses what a literal belongs to: at once if the client waits for an invitation, else when its octets
    /// are out of the way (RFC 7888 §4).
    pub(super) fn refuse_literal(&mut self, literal: Announcement, reply: Vec<u8>) {
        let limit = self.skip_limit();
        if matches!(self.state, State::Closed) || !literal.non_sync {
            self.refused(&reply);
        } else if literal.size > limit {
            self.refused(&reply);
            self.bye(&format!("A literal that comes unasked may have at most {limit} octets here."));
        } else {
            self.state = State::Skip(Box::new(Skip::new(literal.size, limit, reply)));
        }
    }

    /// Writes the refusal of a command that is out of the way.
    pub(super) fn refused(&mut self, reply: &[u8]) {
        self.out.extend_from_slice(reply);
        if matches!(self.state, State::Closed) {
            return;
        }
        self.state = State::Command;
        if self.bad_commands >= self.settings.max_bad_commands {
            let count = self.bad_commands;
            self.bye(&format!("Too many bad commands ({count}); closing the connection."));
        }
    }

    pub(super) fn ok(&mut self, tag: &Tag, text: &str) {
        write::tagged(&mut self.out, tag, Condition::Ok, None, text);
    }

    /// A refusal that is no fault of the client's.
    pub(super) fn no(&mut self, tag: &Tag, code: Option<Code<'_>>, text: &str) -> Vec<u8> {
        let mut reply = Vec::new();
        write::tagged(&mut reply, tag, Condition::No, code, text);
        reply
    }

    /// A refusal that counts against the client.
    pub(super) fn bad(&mut self, tag: Option<&Tag>, code: Option<Code<'_>>, text: &str) -> Vec<u8> {
        self.bad_commands += 1;
        let mut reply = Vec::new();
        match tag {
            Some(tag) => write::tagged(&mut reply, tag, Condition::Bad, code, text),
            None => write::untagged(&mut reply, Condition::Bad, code, text),
        }
        reply
    }

    /// The refusal of a command whose name or tag is none; another protocol's ends the session.
    fn unknown(&mut self, command: &[u8], tag: Option<&Tag>, error: ParseError) -> Vec<u8> {
        match Foreign::of(without_end(command)) {
            Some(foreign) if foreign != Foreign::Imap => {
                let name = foreign.name();
                self.bye(&format!("This is an IMAP4 server, and that was {name}."));
                Vec::new()
            }
            _ => self.bad(tag, None, &error.to_string()),
        }
    }

    /// The refusal of a command whose arguments are wrong.
    fn misshapen(&mut self, tag: &Tag, row: &Row, error: ParseError) -> Vec<u8> {
        match error {
            // RFC 3501 §6.4.4: a tagged NO that names the charsets there are.
            ParseError::BadCharset => self.no(tag, Some(Code::BadCharset), &error.to_string()),
            ParseError::Limit { .. } => self.bad(Some(tag), Some(Code::Limit), &error.to_string()),
            _ => self.bad(Some(tag), None, &format!("{}: {error}", row.name)),
        }
    }

    /// The refusal of a command that is longer than it may be, of which `begin` is the beginning.
    pub(super) fn length_refused(&mut self, begin: &[u8], limit: usize) -> Vec<u8> {
        let text = format!("A command may have at most {limit} octets.");
        let tag = begin.get(..Tag::MAX_OCTETS + 1).unwrap_or(begin).split(|&b| b == b' ').next().and_then(Tag::new);
        match tag {
            Some(tag) => {
                self.bad_commands += 1;
                self.no(&tag, Some(Code::Limit), &text)
            }
            None => self.bad(None, Some(Code::Limit), &text),
        }
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
