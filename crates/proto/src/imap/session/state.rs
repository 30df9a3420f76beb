//! What a session awaits, and of whom.

use super::framing::Skip;
use crate::imap::command::Tag;
use crate::imap::parse::Announcement;
use crate::logon::Offer;
use crate::sasl::Exchange;

/// RFC 3501 §3.
#[derive(Debug)]
pub enum Standing {
    NotAuthenticated(Box<Offer>),
    Authenticated,
    Selected,
}

/// The states, each named for what is awaited: first those that await the client, then those that await the
/// driver.
#[derive(Debug)]
pub enum State {
    /// A command, or more of it.
    Command,
    /// The next line of a SASL exchange.
    Exchange {
        tag: Tag,
        exchange: Box<Exchange>,
    },
    /// `DONE`.
    Idle {
        tag: Tag,
    },
    /// So many octets of a message.
    Message {
        tag: Tag,
        left: u64,
    },
    /// The line end behind a message.
    MessageEnd {
        tag: Tag,
    },
    /// The end of a refused command.
    Skip(Box<Skip>),

    ExpectChannel,
    ExpectFinding {
        tag: Tag,
        exchange: Box<Exchange>,
    },
    ExpectExecuted,
    ExpectInvitation {
        tag: Tag,
        size: u64,
        non_sync: bool,
    },
    ExpectTaken {
        tag: Tag,
        left: u64,
    },
    ExpectAborted {
        tag: Tag,
    },
    ExpectIdleBegun {
        tag: Tag,
    },
    ExpectIdleEnded {
        tag: Tag,
        /// What ended it was not DONE: what is to be answered, and the literal that the line announced.
        refusal: Option<(Vec<u8>, Option<Announcement>)>,
    },

    Closed,
}

impl State {
    pub fn awaits_client(&self) -> bool {
        matches!(
            self,
            Self::Command
                | Self::Exchange { .. }
                | Self::Idle { .. }
                | Self::Message { .. }
                | Self::MessageEnd { .. }
                | Self::Skip(_)
        )
    }
}
