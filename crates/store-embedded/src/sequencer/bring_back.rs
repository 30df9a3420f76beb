//! What a backup gives back to a store in use.

use bytes::Bytes;
use store::{Account, AccountId, BodyId, Flags, Folder, FolderId, Keyword, MessageId, ModSeq, Result, Timestamp, Uid};

use super::{Held, Pending, ReadyBody};
use crate::log::{BodyRecord, MessageRecord, PlaceRecord, Record};
use crate::state::AccountState;

/// A message with the UID that it had; without one it is appended.
pub(crate) struct BroughtBack {
    pub uid: Option<Uid>,
    pub prefix: Bytes,
    pub body: ReadyBody,
    /// What keeps the body until it is durable.
    pub held: Held,
    pub flags: Flags,
    pub keywords: Vec<Keyword>,
    pub internal_date: Timestamp,
}

impl Pending {
    /// An account that is gone, under a new number and without folders.
    pub fn bring_back_account(&mut self, lost: Account) -> Result<AccountId> {
        let id = self.next_account()?;
        let account = Account { id, ..lost };
        self.check_addresses(&account)?;
        self.apply_and_log(&Record::Account(account))?;
        Ok(id)
    }

    /// A folder that is gone, with its UIDVALIDITY: the UIDs in it are those it had.
    pub fn bring_back_folder(&mut self, account: AccountId, lost: Folder) -> Result<FolderId> {
        let AccountState { last_folder, .. } = self.account_now(account)?.state;
        let mut last = last_folder;
        let (id, _) = self.identity(account, &mut last)?;
        let tree = self.tree(account)?;
        let record = Record::Folders {
            account,
            put: vec![Folder { id, ..lost }],
            removed: Vec::new(),
            subscribed_names: tree.subscribed_names.clone(),
            at: self.now(),
        };
        self.apply_and_log(&record)?;
        Ok(id)
    }

    pub fn raise_marks(&mut self, folder: FolderId, uid_next: Uid, modseq: ModSeq) -> Result<()> {
        self.apply_and_log(&Record::Raised { folder, uid_next, modseq })
    }

    pub fn bring_back(&mut self, folder: FolderId, messages: Vec<BroughtBack>) -> Result<()> {
        if self.disk_full {
            return Err(store::Error::DiskFull);
        }
        let modseq = ModSeq(self.account_now(folder.account())?.state.modseq.0 + 1);
        let mut places = Vec::with_capacity(messages.len());
        let listing = self.folder(folder)?.listing;
        let (mut next, uid_validity) = (listing.uid_next(), listing.uid_validity());
        drop(listing);
        for message in messages {
            let BroughtBack { uid, prefix, body, held, flags, keywords, internal_date } = message;
            let id = self.counters.content + 1;
            let ReadyBody { size: octets, checksums, outline, content } = body;
            let size = prefix.len() as u64 + octets;
            let stored = self.take_body(content)?;
            let record = MessageRecord { id: MessageId(id), body: BodyId(id), prefix: prefix.to_vec() };
            self.apply_and_log(&Record::Message(record))?;
            let record = BodyRecord { id: BodyId(id), size: octets, stored, checksums, outline, messages: 1 };
            self.apply_and_log(&Record::Body(record))?;
            self.held.push(held);
            let uid = uid.unwrap_or(next);
            next = next.max(uid.next().unwrap_or(uid));
            let message = MessageId(id);
            let delivery = None;
            places.push(PlaceRecord {
                folder,
                uid_validity,
                uid,
                modseq,
                message,
                size,
                internal_date,
                flags,
                keywords,
                delivery,
            });
        }
        self.apply_and_log(&Record::Restored { folder, places })
    }
}
