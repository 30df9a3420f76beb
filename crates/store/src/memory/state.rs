//! The plain state behind the mutex.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;

use super::watch::Watches;
use crate::{
    AcceptedDomain, Account, AccountId, Address, DeliveryId, Error, FolderId, Folders, Listing, MessageId, ModSeq,
    Placed, Result, SettingsMap, Uid, UidValidity,
};

#[derive(Default)]
pub(super) struct State {
    pub domains: Arc<Vec<AcceptedDomain>>,
    pub settings: Arc<SettingsMap>,
    pub mailboxes: BTreeMap<AccountId, Mailbox>,
    /// Primary addresses and aliases.
    pub addresses: BTreeMap<Address, AccountId>,
    pub messages: BTreeMap<MessageId, Message>,
    pub leases: BTreeSet<String>,
    pub watches: Watches,
    pub last_account: u32,
    pub last_message: u64,
    /// One counter for the whole store, so that UIDVALIDITY rises also when an account is made anew.
    pub last_uid_validity: u32,
}

pub(super) struct Mailbox {
    pub account: Arc<Account>,
    pub folders: Arc<Folders>,
    pub contents: BTreeMap<FolderId, Contents>,
    pub deliveries: BTreeMap<DeliveryId, Placed>,
    pub modseq: ModSeq,
    pub last_folder: u32,
}

pub(super) struct Contents {
    pub listing: Listing,
    /// Messages from this UID on are recent for who asks next.
    pub recent_from: Uid,
}

pub(super) struct Message {
    pub prefix: Bytes,
    pub body: Bytes,
    pub outline: Arc<mime::Outline>,
}

impl State {
    pub fn mailbox(&self, id: AccountId) -> Result<&Mailbox> {
        self.mailboxes.get(&id).ok_or(Error::NotFound("the account"))
    }

    pub fn mailbox_mut(&mut self, id: AccountId) -> Result<&mut Mailbox> {
        self.mailboxes.get_mut(&id).ok_or(Error::NotFound("the account"))
    }

    /// The mailbox that a folder's id points into; a folder of no account is a missing folder.
    pub fn mailbox_of(&mut self, folder: FolderId) -> Result<&mut Mailbox> {
        self.mailboxes.get_mut(&folder.account()).ok_or(Error::NotFound("the folder"))
    }

    pub fn message(&self, id: MessageId) -> Result<&Message> {
        let absent = if id.0 <= self.last_message { Error::Gone } else { Error::NotFound("the message") };
        self.messages.get(&id).ok_or(absent)
    }

    pub fn drop_unreferenced(&mut self) {
        let listings = self.mailboxes.values().flat_map(|mailbox| mailbox.contents.values());
        let held: BTreeSet<MessageId> =
            listings.flat_map(|contents| contents.listing.rows()).map(|row| row.message).collect();
        self.messages.retain(|id, _| held.contains(id));
    }
}

impl Mailbox {
    pub fn new(account: Arc<Account>, last_uid_validity: &mut u32) -> Result<Self> {
        let mut last_folder = 0;
        let folders = Folders::initial(|| identity(account.id, &mut last_folder, last_uid_validity))?;
        let empty = |uid_validity| Contents { listing: Listing::new(uid_validity), recent_from: Uid::MIN };
        let contents = folders.folders.iter().map(|folder| (folder.id, empty(folder.uid_validity))).collect();
        Ok(Self {
            account,
            folders: Arc::new(folders),
            contents,
            deliveries: BTreeMap::new(),
            modseq: ModSeq::MIN,
            last_folder,
        })
    }

    pub fn contents(&self, folder: FolderId) -> Result<&Contents> {
        self.contents.get(&folder).ok_or(Error::NotFound("the folder"))
    }

    pub fn publish(&mut self, folder: FolderId, listing: Listing) {
        if let Some(contents) = self.contents.get_mut(&folder) {
            contents.listing = listing;
        }
    }

    pub fn octets(&self) -> u64 {
        self.contents.values().map(|contents| contents.listing.octets()).sum()
    }

    /// `OverQuota` unless so many octets fit in too.
    pub fn check_quota(&self, octets: u64) -> Result<()> {
        match self.account.quota {
            Some(quota) if self.octets().saturating_add(octets) > quota => Err(Error::OverQuota),
            _ => Ok(()),
        }
    }
}

/// The next folder's identity.
pub(super) fn identity(
    account: AccountId,
    last_folder: &mut u32,
    last_uid_validity: &mut u32,
) -> Result<(FolderId, UidValidity)> {
    let used_up = || Error::Limit("this store has used all its folder numbers".into());
    let number = last_folder.checked_add(1).ok_or_else(used_up)?;
    let validity = last_uid_validity.checked_add(1).and_then(NonZeroU32::new).ok_or_else(used_up)?;
    (*last_folder, *last_uid_validity) = (number, validity.get());
    Ok((FolderId::new(account, number), UidValidity(validity)))
}
