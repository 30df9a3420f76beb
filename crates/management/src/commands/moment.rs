//! Times as results show them.

use serde_json::Value;
use store::Timestamp;
use time::OffsetDateTime;
use time::macros::format_description;

/// The day (UTC).
pub fn day(at: Timestamp) -> Value {
    OffsetDateTime::from_unix_timestamp(at).map_or(Value::Null, |at| at.date().to_string().into())
}

/// RFC 3339, to the second.
pub fn moment(at: Timestamp) -> Value {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let text = OffsetDateTime::from_unix_timestamp(at).ok().and_then(|at| at.format(format).ok());
    text.map_or(Value::Null, Value::from)
}
