//! The time, as the store counts it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use store::Timestamp;

/// Since the beginning of 1970.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970.
pub fn now() -> Timestamp {
    since_1970().as_secs().try_into().unwrap_or(Timestamp::MAX)
}
