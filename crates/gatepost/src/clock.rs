//! The time, as the store counts it.

use std::time::{SystemTime, UNIX_EPOCH};

use store::Timestamp;

/// Seconds since 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(Timestamp::MAX)
}
