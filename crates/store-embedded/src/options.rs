//! What an operator may choose, and the time.

use std::sync::Arc;
use std::time::Duration;

use store::Timestamp;

/// Tells the time; the engine never looks at a clock of its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a store is opened. Each default is the one of the setting of that name.
#[derive(Clone)]
pub struct Options {
    pub clock: Clock,
    /// Octets after which a new log segment is begun.
    pub segment_size: u64,
    /// Octets of one durable point that others still join.
    pub batch_size: usize,
    /// Bodies up to this many octets wait in memory, larger ones in a file.
    pub inline_limit: usize,
    /// Octets of bodies that may wait in memory, of all sessions together.
    pub body_budget: usize,
    /// Octets of rows that may wait for the index; past it, writers wait.
    pub unapplied_limit: usize,
    /// Octets of rows after which the index follows at once rather than after [`Self::index_interval`].
    pub index_batch: usize,
    pub index_interval: Duration,
    /// Octets of the index that are kept in memory.
    pub index_cache: usize,
    /// Rows of folder listings that are kept in memory while nobody uses them (48 octets each).
    pub cached_rows: usize,
    /// Seconds that an expunged message stays readable; not 0: at least an hour, for sessions that still show it.
    pub retention: i64,
    /// Seconds that a delivery id is remembered at least.
    pub delivery_memory: i64,
    /// Messages of one mailbox, all its folders together.
    pub max_messages: u64,
    /// Octets of free disk below which nothing new is accepted; `None`: two segments and room for the index.
    pub reserve: Option<u64>,
    /// Whether segments are compacted in the background.
    pub compaction: bool,
    /// What a round of compaction gains is at least so many times what it may have to write of snapshots.
    pub compaction_worth: u64,
    /// Compaction rests so many times as long as it works, while the log is being written to all the time.
    pub compaction_rest: u32,
}

impl Options {
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        const MIB: usize = 1 << 20;
        const DAY: i64 = 24 * 60 * 60;
        Self {
            clock: Arc::new(clock),
            segment_size: 64 * MIB as u64,
            batch_size: 4 * MIB,
            inline_limit: 256 * 1024,
            body_budget: 64 * MIB,
            unapplied_limit: 64 * MIB,
            index_batch: 24 * MIB,
            index_interval: Duration::from_secs(1),
            index_cache: 64 * MIB,
            cached_rows: 2_000_000,
            retention: 14 * DAY,
            delivery_memory: 7 * DAY,
            max_messages: 1_000_000,
            reserve: None,
            compaction: true,
            compaction_worth: 4,
            compaction_rest: 9,
        }
    }

    /// Seconds that an expunged message stays readable.
    pub(crate) fn effective_retention(&self) -> i64 {
        const HOUR: i64 = 60 * 60;
        if self.retention == 0 { 0 } else { self.retention.max(HOUR) }
    }

    pub(crate) fn effective_reserve(&self) -> u64 {
        // Twice what may wait for the index: redb writes pages anew rather than in place.
        self.reserve.unwrap_or(2 * self.segment_size + 2 * self.unapplied_limit as u64)
    }

    /// Delivery ids are forgotten a generation at a time; three of them cover the promised time.
    pub(crate) fn delivery_generation(&self, now: Timestamp) -> u32 {
        u32::try_from(now.max(0) / (self.delivery_memory / 2).max(1)).unwrap_or(u32::MAX)
    }
}
