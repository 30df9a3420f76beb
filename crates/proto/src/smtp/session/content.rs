//! A message as it comes in, by DATA or by BDAT.

use std::time::Instant;

use memchr::memchr;

use super::commands::too_large;
use super::{Asked, Request, Session, State, Step, Transaction};
use crate::dot::{Piece, Unstuffer};
use crate::smtp::{Limits, Reply};

/// Octets that are not commands.
#[derive(Debug)]
pub(super) struct Content {
    form: Form,
    /// Set once the message cannot be accepted any more: the rest is dropped, and this is the reply.
    refused: Option<Reply>,
    /// It is refused for what is in it.
    objected: bool,
    /// Octets since the deadline was last moved.
    moved: u64,
    /// Octets read over since it was refused.
    dropped: u64,
}

#[derive(Debug)]
enum Form {
    /// RFC 5321 §4.1.1.4.
    Data(Unstuffer),
    /// RFC 3030 §2.
    Chunk { octets: u64, left: u64, last: bool },
}

impl Content {
    pub fn data() -> Self {
        Self { form: Form::Data(Unstuffer::new()), refused: None, moved: 0, dropped: 0, objected: false }
    }

    pub fn chunk(octets: u64, last: bool) -> Self {
        Self { form: Form::Chunk { octets, left: octets, last }, refused: None, moved: 0, dropped: 0, objected: false }
    }

    pub fn refuse(&mut self, reply: Reply) {
        self.refused.get_or_insert(reply);
    }
}

impl Session {
    pub(super) fn begin_content(&mut self, now: Instant, content: Content) {
        if matches!(content.form, Form::Data(_)) {
            START_MAIL.write(&mut self.out);
        }
        self.deadline = now + self.limits().body_time;
        self.state = State::Content(content);
    }

    /// Refuses a message before its content. DATA's is not sent then; a chunk is already on its way and is
    /// read over, so that nothing in it can pass for a command.
    pub(super) fn refuse_content(&mut self, now: Instant, mut content: Content, reply: Reply) {
        self.transaction = Transaction::default();
        match content.form {
            Form::Data(_) => self.reply(now, &reply),
            Form::Chunk { .. } => {
                content.refuse(reply);
                self.begin_content(now, content);
            }
        }
    }

    pub(super) fn content(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Request>) {
        let State::Content(mut content) = std::mem::replace(&mut self.state, State::Closed) else { return (0, None) };
        let (consumed, found) = match &mut content.form {
            Form::Data(unstuffer) => data(unstuffer, bytes),
            Form::Chunk { left, .. } => chunk(left, bytes),
        };
        content.moved += consumed as u64;
        if content.moved >= Limits::BODY_STEP {
            content.moved = 0;
            self.deadline = now + self.limits().body_time;
        }
        if content.refused.is_some() {
            content.dropped += consumed as u64;
            if content.dropped > Limits::REFUSED_OCTETS {
                self.close(&TOO_MUCH);
                return (consumed, None);
            }
        }
        let request = match found {
            Found::Nothing => None,
            Found::Text(range) => {
                self.transaction.text.octets += range.len() as u64;
                let octets = bytes.get(range.clone()).unwrap_or_default();
                self.transaction.text.nul |= memchr(0, octets).is_some();
                if let Form::Chunk { .. } = content.form {
                    self.transaction.text.ends.feed(octets);
                }
                match self.objection(&content) {
                    _ if content.refused.is_some() => None,
                    None => Some(Request::Body(range)),
                    Some(reply) => {
                        content.refuse(reply.clone());
                        content.objected = true;
                        // What follows is looked at as well, since of several faults the gravest is told.
                        let text = std::mem::take(&mut self.transaction.text);
                        let request = self.void_transaction(Some(reply));
                        self.transaction.text = text;
                        request
                    }
                }
            }
            Found::End => return (consumed, self.end_content(now, content)),
        };
        self.state = State::Content(content);
        (consumed, request)
    }

    /// Why the message so far is not to be accepted.
    fn objection(&self, content: &Content) -> Option<Reply> {
        let limit = self.limits().message_octets;
        let bare = match &content.form {
            Form::Data(unstuffer) => unstuffer.bare_cr() || unstuffer.bare_lf(),
            Form::Chunk { .. } => self.transaction.text.ends.has_bare(),
        };
        if bare {
            Some(BARE)
        } else if self.transaction.text.nul {
            Some(NUL)
        } else if self.transaction.text.octets > limit {
            Some(too_large(limit))
        } else {
            None
        }
    }

    fn end_content(&mut self, now: Instant, content: Content) -> Option<Request> {
        // RFC 5321 §4.1.1.4: the end of the data, good or bad, clears the transaction.
        if let Some(reply) = &content.refused {
            // Of several faults the gravest is told, however the octets came in.
            let reply = self.objection(&content).filter(|_| content.objected).unwrap_or_else(|| reply.clone());
            self.transaction = Transaction::default();
            if matches!(content.form, Form::Chunk { last: false, .. }) {
                // More chunks may be on their way already; they are out of order for no new fault.
                self.transaction.step = Step::MailRefused;
            }
            self.reply(now, &reply);
            return None;
        }
        match content.form {
            Form::Chunk { octets, last: false, .. } => {
                let text = format!("{octets} octets received");
                self.reply(now, &Reply::new(250, 0, 0, "").with_text(text));
                None
            }
            Form::Chunk { last: true, .. } if self.transaction.text.ends.would_end_bare() => {
                let request = self.void_transaction(Some(BARE));
                self.reply(now, &BARE);
                request
            }
            Form::Chunk { last: true, .. } | Form::Data(_) => {
                self.state = State::Answer(Asked::End);
                Some(Request::End)
            }
        }
    }
}

enum Found {
    Nothing,
    Text(std::ops::Range<usize>),
    End,
}

/// Up to the next piece of text, the end, or the end of `bytes`.
fn data(unstuffer: &mut Unstuffer, bytes: &[u8]) -> (usize, Found) {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (consumed, piece) = unstuffer.next(rest);
        let start = at;
        at += consumed;
        match piece {
            Piece::End => return (at, Found::End),
            // A CR held back from before is none of these octets; with it the message is refused anyway.
            Piece::Body(text) if !text.is_empty() && consumed >= text.len() => return (at, Found::Text(start..at)),
            Piece::Body(_) => {}
        }
    }
    (at, Found::Nothing)
}

fn chunk(left: &mut u64, bytes: &[u8]) -> (usize, Found) {
    if *left == 0 {
        return (0, Found::End);
    }
    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    *left -= here as u64;
    (here, if here == 0 { Found::Nothing } else { Found::Text(0..here) })
}

const START_MAIL: Reply = Reply::basic(354, "Start mail input; end with <CRLF>.<CRLF>");
const TOO_MUCH: Reply = Reply::new(421, 7, 0, "More than 1 GB came of a message that is refused, goodbye");
/// RFC 2045 §2.8: also 8BITMIME allows none.
const NUL: Reply = Reply::new(550, 6, 0, "Message contains NUL octets; send it in BASE64");
const BARE: Reply = Reply::new(550, 6, 11, "Message contains a bare CR or LF; every line must end in CRLF");
