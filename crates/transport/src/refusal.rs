//! A "no", for the log and for the peer.

use std::fmt;

use proto::smtp::Reply;

use crate::Right;

/// Printed, it tells the operator which connector refused and which right would have helped; the peer gets
/// [`Refusal::reply`] and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub connector: String,
    /// The right that was missing; `None` where no right would have helped.
    pub missing: Option<Right>,
    pub reason: String,
    pub reply: Reply,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connector {}: {}", self.connector, self.reason)?;
        if let Some(right) = self.missing {
            write!(f, " (missing {right})")?;
        }
        Ok(())
    }
}
