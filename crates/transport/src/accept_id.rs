//! The name of one accepted message.

use std::fmt;

use store::{AccountId, DeliveryId};

/// Names one message for the log, the trace header and the client (which reads it in the reply), and with an
/// account one placement of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AcceptId(u128);

impl AcceptId {
    /// 40 bits of time and 56 of chance: names sort by time, and no two are the same.
    pub const fn new(milliseconds: u64, random: u64) -> Self {
        Self(((milliseconds as u128 & 0xff_ffff_ffff) << 56) | (random as u128 & 0xff_ffff_ffff_ffff))
    }

    /// An account gets a message once, by however many addresses.
    pub const fn delivery(self, account: AccountId) -> DeliveryId {
        DeliveryId((self.0 << 32) | account.0 as u128)
    }
}

impl fmt::Display for AcceptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:024X}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let id = AcceptId::new(0x12_3456_789A, 0xBC_DEF0_1234_5678);
        assert_eq!(id.to_string(), "123456789ABCDEF012345678");
        let ids = [id, AcceptId::new(0x12_3456_789B, 0xBC_DEF0_1234_5678), AcceptId::new(0x12_3456_789A, 1)];
        let deliveries: std::collections::HashSet<_> = ids
            .iter()
            .flat_map(|id| [AccountId(0), AccountId(1), AccountId(u32::MAX)].map(|account| id.delivery(account)))
            .collect();
        assert_eq!(deliveries.len(), 9);
    }
}
