//! What the session asks of its driver, and what it is told.

use std::ops::Range;

use crate::imap::command::{Append, Command, Tag};
use crate::logon::{Finding, Offer, Question};

/// Every request is answered, and nothing is taken in before that.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Write out what there is, then shake hands. What was received before is consumed already. Answered by
    /// [`Answer::Channel`].
    StartTls,
    /// Answered by [`Answer::LogOn`].
    LogOn(Question),
    /// The executor writes the whole reply, the tagged line included. Answered by [`Answer::Done`],
    /// [`Answer::Selected`], [`Answer::Unselected`] (also a SELECT that failed, RFC 3501 §6.3.1) or
    /// [`Answer::Bye`].
    Execute(Command),
    /// A message is announced. Answered by [`Answer::AppendAccepted`] or [`Answer::AppendRefused`].
    AppendBegin { tag: Tag, append: Append },
    /// The next octets of the message: this range of what `input` was given in this call. Answered by
    /// [`Answer::Done`] when they are taken; an executor that failed keeps the error for the end.
    AppendBody(Range<usize>),
    /// The message is complete: the executor makes it durable and writes the whole reply. Answered as
    /// `Execute`.
    AppendEnd,
    /// The command around the message was wrong: drop it. The session writes the reply. Answered by
    /// [`Answer::Done`].
    AppendAbort,
    /// IDLE has begun, and `+` is in the output. From the answer [`Answer::Done`] on the driver may write
    /// untagged responses whenever it likes, until `IdleEnd`.
    IdleBegin,
    /// IDLE ends: the executor may write what is left. Answered by [`Answer::Done`], upon which the session
    /// writes the tagged line.
    IdleEnd,
}

/// What the driver tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// TLS stands; this is what may be offered now.
    Channel(Offer),
    /// What was found out. Once a verdict grants it, the client is logged on.
    LogOn(Finding),
    /// Done, with success or not: the state stays as it is.
    Done,
    /// A mailbox is selected now.
    Selected,
    /// No mailbox is selected any more.
    Unselected,
    /// The message may come.
    AppendAccepted,
    /// The whole reply, tagged line included. It goes out once the octets that come unasked are out of the way.
    AppendRefused(Vec<u8>),
    /// The session is to end with this text.
    Bye(String),
}
