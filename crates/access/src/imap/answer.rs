//! The answer to one command: parts that are made as they are pulled, then the tagged line.

use std::collections::VecDeque;

use proto::imap::command::Tag;
use proto::imap::write::{self, Code, Condition};

use super::fetch::Cursor;
use super::refusal::Refusal;
use super::search::Found;
use super::telling::Telling;
use crate::reply::{LOW_WATER, Reply, Step, Supply};

/// Pull it to its end with [`Reply::output`].
pub struct Answer {
    parts: VecDeque<Part>,
    /// `None` for what is told in IDLE.
    tag: Option<Tag>,
    ending: Option<Vec<u8>>,
    cause: Option<store::Error>,
}

/// What stands before the tagged line.
pub(super) enum Part {
    Text(Vec<u8>),
    Telling(Telling),
    Found(Found),
    Fetch(Box<Cursor>),
}

impl Answer {
    pub(super) fn to(tag: Tag) -> Self {
        Self { parts: VecDeque::new(), tag: Some(tag), ending: None, cause: None }
    }

    pub(super) fn untagged() -> Self {
        Self { parts: VecDeque::new(), tag: None, ending: None, cause: None }
    }

    pub(super) fn push(&mut self, part: Part) {
        self.parts.push_back(part);
    }

    /// Sets the tagged line of a command that was carried out.
    pub(super) fn complete(&mut self, code: Option<Code<'_>>, text: &str) {
        self.end(Condition::Ok, code, text);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.ending.is_some()
    }

    /// Sets the tagged line of a command that was not carried out.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.end(refusal.condition(), refusal.code(), &refusal.text());
        self.cause = refusal.into_cause();
    }

    /// What the store said, when that is why the command was refused: for the log.
    pub fn cause(&self) -> Option<&store::Error> {
        self.cause.as_ref()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.ending.is_none()
    }

    fn end(&mut self, condition: Condition, code: Option<Code<'_>>, text: &str) {
        if let Some(tag) = &self.tag {
            let mut line = Vec::new();
            write::tagged(&mut line, tag, condition, code, text);
            self.ending = Some(line);
        }
    }
}

impl Reply for Answer {
    fn output(&mut self, out: &mut Vec<u8>) -> Step {
        let full = out.len() + LOW_WATER;
        while let Some(part) = self.parts.front_mut() {
            let step = match part {
                Part::Text(text) => text.output(out),
                Part::Telling(telling) => telling.output(out, full),
                Part::Found(found) => found.output(out, full),
                Part::Fetch(cursor) => cursor.output(out, full),
            };
            if step != Step::Done {
                return step;
            }
            if let Some(Part::Fetch(cursor)) = self.parts.pop_front()
                && let Some(refusal) = cursor.into_failure()
            {
                self.refuse(refusal);
            }
            if out.len() >= full {
                return Step::More;
            }
        }
        out.append(self.ending.as_mut().unwrap_or(&mut Vec::new()));
        Step::Done
    }

    fn supply(&mut self, supply: Supply) {
        if let Some(Part::Fetch(cursor)) = self.parts.front_mut() {
            cursor.supply(supply);
        }
    }
}
