//! What a session and its driver tell each other.

use super::command::Transaction;
use crate::logon::{Finding, Offer, Question};

/// What the session asks of its driver; each is to be answered once.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Begin TLS after all output is written, then [`Answer::Encrypted`].
    StartTls,
    /// Find this out, and for who may log on lock and open the maildrop; then [`Answer::LogOn`].
    LogOn(Question),
    /// Send the reply to this, then [`Answer::Replied`].
    Execute(Transaction),
    /// RFC 1939 §6: remove what was marked, then [`Answer::Updated`]. On no other occasion is anything removed.
    Update,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// TLS is on; what may be offered now.
    Encrypted(Offer),
    /// What was found out. Granted means that the maildrop is open.
    LogOn(Finding),
    Replied,
    Updated(Update),
}

/// What became of the marked messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    Complete,
    /// Some of them, or perhaps some, are still there.
    Partial,
}
