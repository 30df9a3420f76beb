//! The end of what was expunged: after its retention it is purged, and its octets may be used again.

use store::{Result, Timestamp};

use crate::engine::Engine;
use crate::log::Record;
use crate::sequencer::Pending;
use crate::state::{Key, Table};

/// Pages of expunged rows that go in one durable point: each has up to 256 messages.
const AT_ONCE: usize = 4;

impl Engine {
    /// Purges what was expunged at `until` or before; how many pages of messages went.
    pub fn purge(&self, until: Timestamp) -> Result<u64> {
        let mut purged = 0;
        loop {
            let to = Key::expunged(until, store::FolderId(u64::MAX), u32::MAX);
            let due = self.range(&Key::first(Table::Expunged), &to, AT_ONCE)?;
            let due: Vec<Record> = due.iter().filter_map(|(key, _)| purge_record(key)).collect();
            if due.is_empty() {
                return Ok(purged);
            }
            purged += due.len() as u64;
            self.run_blocking(move |pending: &mut Pending| {
                due.iter().try_for_each(|record| pending.apply_and_log(record))
            })?;
        }
    }

    /// Purges what is due now.
    pub fn end_retention(&self) -> Result<u64> {
        let now = (self.options.clock)();
        self.purge(now.saturating_sub(self.options.effective_retention()))
    }

    /// Purges the oldest of what is retained, as much as was expunged within a day, but nothing of the last hour;
    /// whether there was any.
    pub fn end_oldest_day(&self) -> Result<bool> {
        const HOUR: Timestamp = 60 * 60;
        let last = (self.options.clock)() - HOUR;
        let oldest = self.range(&Key::first(Table::Expunged), &Key::last(Table::Expunged), 1)?;
        let oldest = oldest.first().and_then(|(key, _)| key.parse_expunged()).map(|(at, ..)| at);
        let Some(oldest) = oldest.filter(|oldest| *oldest <= last) else { return Ok(false) };
        tracing::warn!("the disk is full: what was expunged longest ago is given up before its retention ends");
        Ok(self.purge(last.min(oldest.saturating_add(24 * HOUR)))? > 0)
    }

    /// Forgets delivery ids that nobody can repeat any more.
    pub fn forget_deliveries(&self) -> Result<()> {
        let newest = self.options.delivery_generation((self.options.clock)());
        let Some(generation) = newest.checked_sub(3) else { return Ok(()) };
        let to = Key::delivery(generation, store::AccountId(u32::MAX), store::DeliveryId(u128::MAX));
        while !self.range(&Key::first(Table::Delivery), &to, 1)?.is_empty() {
            self.run_blocking(move |pending| pending.apply_and_log(&Record::ForgetDeliveries { generation }))?;
        }
        Ok(())
    }
}

fn purge_record(key: &Key) -> Option<Record> {
    let (expunged_at, folder, first) = key.parse_expunged()?;
    Some(Record::Purge { folder, expunged_at, first })
}
