//! Time as NTLM has it.

use std::time::Duration;

/// 100-nanosecond ticks since 1601-01-01 UTC (MS-DTYP 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime(pub u64);

impl FileTime {
    const TICKS_PER_SECOND: u64 = 10_000_000;

    /// From 1601 to 1970.
    const UNIX_EPOCH: u64 = 11_644_473_600 * Self::TICKS_PER_SECOND;

    /// The time that is this long after 1970-01-01 UTC.
    pub fn from_unix(since: Duration) -> Self {
        let ticks = u64::try_from(since.as_nanos() / 100).unwrap_or(u64::MAX);
        Self(ticks.saturating_add(Self::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unix_epoch_is_where_it_is_and_no_time_overflows() {
        assert_eq!(FileTime::from_unix(Duration::ZERO), FileTime(116_444_736_000_000_000));
        assert_eq!(FileTime::from_unix(Duration::from_micros(1)), FileTime(116_444_736_000_000_010));
        assert_eq!(FileTime::from_unix(Duration::MAX), FileTime(u64::MAX));
    }
}
