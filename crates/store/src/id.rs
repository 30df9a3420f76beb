//! Identities. Each is a type of its own, so that none can stand in for another.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// An account: one person's or one shared mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub u32);

/// A folder, unique in the whole store: the account in the upper half, a number never reused within
/// that account in the lower half. A rename keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FolderId(pub u64);

impl FolderId {
    pub const fn new(account: AccountId, number: u32) -> Self {
        Self(((account.0 as u64) << 32) | number as u64)
    }

    pub const fn account(self) -> AccountId {
        AccountId((self.0 >> 32) as u32)
    }

    pub const fn number(self) -> u32 {
        self.0 as u32
    }
}

/// A message's unchanging content: a prefix and a shared body. Copies of a message in several folders
/// share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId(pub u64);

/// The bytes that several messages may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BodyId(pub u64);

/// Names one placement of one accepted message, so that a retry is not doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryId(pub u128);

/// RFC 3501 §2.3.1.1: unique identifier of a message in a folder; strictly ascending, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Uid(pub NonZeroU32);

impl Uid {
    pub const MIN: Self = Self(NonZeroU32::MIN);
    pub const MAX: Self = Self(NonZeroU32::MAX);

    pub const fn new(value: u32) -> Option<Self> {
        match NonZeroU32::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The UID after this one; `None` once a folder has used all 2^32-1 of them.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }
}

/// RFC 3501 §2.3.1.1: while it stays, UIDs stay true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UidValidity(pub NonZeroU32);

/// RFC 7162 §3.1: modification sequence; one counter for each account, at most 63 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModSeq(pub u64);

impl ModSeq {
    /// What an account has before its first change; every change has a greater one. RFC 7162 §3.1: a modseq is
    /// positive, so an empty folder has this one, and nothing that comes later may hide behind it.
    pub const MIN: Self = Self(1);
}
