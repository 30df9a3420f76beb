//! RETR and TOP.

use bytes::Bytes;
use proto::dot::Stuffer;
use proto::pop3::{Code, err, ok};
use store::{Error, MessageId, MessageSize, Row, Unit};

use crate::reply::{Coding, Reply, Splice, Step, Supply};

/// One message, or the beginning of it. Its first octets are read before the status line is written, as
/// `+OK` cannot be taken back: what is gone or damaged is an `-ERR`. They are also all there is to most
/// messages, which then need no second read; the rest of the large ones is spliced.
pub struct Message {
    message: MessageId,
    size: MessageSize,
    /// TOP's lines.
    lines: Option<u64>,
    state: State,
}

enum State {
    Start,
    Read(store::Result<Bytes>),
    /// All has been written or asked to be spliced.
    End,
}

impl Message {
    pub(super) fn new(row: &Row, lines: Option<u64>) -> Self {
        // There is nothing to read of an empty message.
        let state = if row.size.octets() == 0 { State::Read(Ok(Bytes::new())) } else { State::Start };
        Self { message: row.message, size: row.size, lines, state }
    }

    fn begin(&self, octets: &[u8], out: &mut Vec<u8>) -> Step {
        match self.lines {
            None => ok(out, &format!("{} octets", self.size.octets_in_lines())),
            Some(_) => ok(out, "Top of message follows."),
        }
        let is_whole = octets.len() as u64 == self.size.octets();
        let mark = out.len();
        if is_whole || self.lines.is_some() {
            let mut stuffer = Stuffer::new(self.lines);
            stuffer.push(octets, out);
            if is_whole || stuffer.is_done() {
                stuffer.finish(out);
                return Step::Done;
            }
            out.truncate(mark);
        }
        let coding = Coding::DotStuffed { lines: self.lines };
        Step::Splice(Splice { message: self.message, range: 0..self.size.octets(), coding })
    }
}

impl Reply for Message {
    fn output(&mut self, out: &mut Vec<u8>) -> Step {
        match std::mem::replace(&mut self.state, State::End) {
            State::Start => {
                self.state = State::Start;
                Step::Octets { message: self.message, range: 0..self.size.octets().min(Unit::CHUNK) }
            }
            State::Read(Ok(octets)) => self.begin(&octets, out),
            State::Read(Err(error)) => {
                let (code, text) = refusal(&error);
                err(out, Some(code), text);
                Step::Done
            }
            State::End => Step::Done,
        }
    }

    fn supply(&mut self, supply: Supply) {
        if let (State::Start, Supply::Octets(octets)) = (&self.state, supply) {
            self.state = State::Read(octets);
        }
    }
}

/// Why a message cannot be sent.
fn refusal(error: &Error) -> (Code, &'static str) {
    match error {
        Error::Gone | Error::NotFound(_) => {
            (Code::SysPerm, "The message is gone: another session removed it. Log on again for a new list.")
        }
        Error::Corrupt(_) => (Code::SysPerm, "The message is damaged. Tell your administrator."),
        _ => (Code::SysTemp, "The message cannot be read now. Try again later."),
    }
}
