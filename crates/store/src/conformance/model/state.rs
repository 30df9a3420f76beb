//! The naive model: what a store must hold, as plain maps. What only the engine can choose (ids, modseqs) is
//! `None` until the comparison has seen it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::{
    AcceptedDomain, AccountId, DeliveryId, Error, FolderId, FolderName, Listing, MessageId, MessageSize, ModSeq,
    Placed, SettingsMap, SpecialUse, Timestamp, UidValidity,
};

#[derive(Default)]
pub(super) struct Model {
    pub domains: Vec<AcceptedDomain>,
    pub settings: SettingsMap,
    pub accounts: BTreeMap<AccountId, Mailbox>,
    pub account_ids: BTreeSet<AccountId>,
    /// Every message seen, also those no folder holds any more.
    pub messages: BTreeMap<MessageId, Rc<Letter>>,
    /// Those of them whose retention is over.
    pub gone: BTreeSet<MessageId>,
}

pub(super) struct Mailbox {
    pub local: &'static str,
    pub alias: Option<&'static str>,
    pub quota: Option<u64>,
    pub password: Option<String>,
    pub folders: BTreeMap<FolderName, Folder>,
    pub subscribed: BTreeSet<FolderName>,
    pub deliveries: BTreeMap<DeliveryId, Placed>,
    /// The greatest modseq before the verb that runs.
    pub modseq: ModSeq,
    pub folder_ids: BTreeSet<FolderId>,
    pub uid_validity: Option<UidValidity>,
    /// A folder that was there once.
    pub deleted: Option<FolderId>,
    /// Whether the verb that runs changed something.
    pub changed: bool,
}

pub(super) struct Folder {
    /// What the engine gave it.
    pub id: Option<FolderId>,
    pub uid_validity: Option<UidValidity>,
    pub special_use: Option<SpecialUse>,
    pub uid_next: u32,
    pub recent_from: u32,
    pub rows: BTreeMap<u32, Row>,
    /// Whether the verb that runs changed it.
    pub changed: bool,
    pub highest_modseq: ModSeq,
    /// As a session would hold it: the last listing seen, and its rows then.
    pub held: Option<(Listing, Vec<crate::Row>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub letter: Rc<Letter>,
    pub message: Option<MessageId>,
    /// `None`: given by the verb that runs.
    pub modseq: Option<ModSeq>,
    pub flags: u8,
    /// In lower case.
    pub keywords: BTreeSet<String>,
    pub date: Timestamp,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub prefix: Vec<u8>,
    pub body: Vec<u8>,
}

impl Letter {
    pub fn size(&self) -> u64 {
        self.length().octets()
    }

    pub fn length(&self) -> MessageSize {
        MessageSize::of(&self.body).after(self.prefix.len())
    }
}

impl Model {
    pub fn account_of(&mut self, local: &str) -> Option<(AccountId, &mut Mailbox)> {
        self.accounts.iter_mut().find(|(_, mailbox)| mailbox.local == local).map(|(id, mailbox)| (*id, mailbox))
    }

    /// Messages that some folder holds.
    pub fn held_messages(&self) -> BTreeSet<MessageId> {
        let folders = self.accounts.values().flat_map(|mailbox| mailbox.folders.values());
        folders.flat_map(|folder| folder.rows.values()).filter_map(|row| row.message).collect()
    }
}

impl Mailbox {
    pub fn new(local: &'static str, alias: Option<&'static str>, quota: Option<u64>) -> Self {
        let mut mailbox = Self {
            local,
            alias,
            quota,
            password: None,
            folders: BTreeMap::new(),
            subscribed: BTreeSet::new(),
            deliveries: BTreeMap::new(),
            modseq: ModSeq(0),
            folder_ids: BTreeSet::new(),
            uid_validity: None,
            deleted: None,
            changed: false,
        };
        let special = SpecialUse::DEFAULT_FOLDERS.map(|(name, special_use)| (name, Some(special_use)));
        for (name, special_use) in [("INBOX", None)].into_iter().chain(special) {
            let name = FolderName::new(name).unwrap();
            mailbox.subscribed.insert(name.clone());
            mailbox.folders.insert(name, Folder::new(special_use));
        }
        mailbox
    }

    pub fn octets(&self) -> u64 {
        self.folders.values().flat_map(|folder| folder.rows.values()).map(|row| row.letter.size()).sum()
    }

    pub fn fits(&self, octets: u64) -> bool {
        self.quota.is_none_or(|quota| self.octets() + octets <= quota)
    }

    pub fn by_id(&mut self, id: FolderId) -> Option<&mut Folder> {
        self.folders.values_mut().find(|folder| folder.id == Some(id))
    }
}

impl Folder {
    pub fn new(special_use: Option<SpecialUse>) -> Self {
        Self {
            id: None,
            uid_validity: None,
            special_use,
            uid_next: 1,
            recent_from: 1,
            rows: BTreeMap::new(),
            changed: false,
            highest_modseq: ModSeq::MIN,
            held: None,
        }
    }

    /// Adds a row under the next UID, which it answers.
    pub fn push(&mut self, row: Row) -> u32 {
        let uid = self.uid_next;
        self.rows.insert(uid, row);
        self.uid_next += 1;
        self.changed = true;
        uid
    }
}

/// What a verb may fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NotFound,
    Exists,
    Invalid,
    OverQuota,
    Other,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        match error {
            Error::NotFound(_) => Self::NotFound,
            Error::Exists(_) => Self::Exists,
            Error::Invalid(_) => Self::Invalid,
            Error::OverQuota => Self::OverQuota,
            _ => Self::Other,
        }
    }
}

/// Whether the engine's answer agrees with the faults that the model finds: one of them, or success where there are
/// none. Answers what succeeded.
pub(super) fn agreed<T>(answer: Result<T, Error>, faults: &[Fault]) -> Option<T> {
    match answer {
        Ok(value) => {
            assert!(faults.is_empty(), "succeeded in spite of {faults:?}");
            Some(value)
        }
        Err(error) => {
            assert!(faults.contains(&Fault::from(&error)), "failed with {error:?}, not with one of {faults:?}");
            None
        }
    }
}
