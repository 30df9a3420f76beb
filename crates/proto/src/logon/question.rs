//! What an exchange has to be told from outside: by accounts, clocks, randomness and TLS.

use super::{Credentials, Verdict};
use crate::sasl::scram;

/// Asked by a session, answered once by its driver with a [`Finding`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// May these log on? [`Finding::Verdict`].
    Judge(Credentials),
    /// What the exchange goes on with; a [`Finding::Verdict`] ends it instead.
    Look(Lookup),
}

/// What an exchange needs to know before its credentials are complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// [`Finding::Scram`].
    Scram { hash: scram::Hash, user: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Verdict(Verdict),
    Scram(Box<scram::Finding>),
}
