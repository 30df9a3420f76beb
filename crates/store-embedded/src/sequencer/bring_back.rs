//! What a backup gives back to a store in use.

use bytes::Bytes;
use store::{
    Account, AccountId, Address, BodyId, Error, Flags, Folder, FolderId, Keyword, MessageId, ModSeq, Result, Timestamp,
    Uid,
};

use super::{Held, Pending, ReadyBody};
use crate::log::{BodyRecord, MessageRecord, PlaceRecord, Record};
use crate::state::{AccountState, Key};

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
    /// An account that is gone, under a new number and without folders; and its aliases that somebody else has now,
    /// or that are in a domain of before.
    pub fn bring_back_account(&mut self, mut lost: Account) -> Result<(AccountId, Vec<Address>)> {
        let domains = self.domains();
        let is_accepted = |address: &Address| domains.iter().any(|domain| domain.name == address.domain());
        if !is_accepted(&lost.address) {
            let domain = lost.address.domain();
            return Err(Error::Invalid(format!(
                "{domain} is no accepted domain of this server; New-AcceptedDomain {domain} makes it one"
            )));
        }
        lost.id = self.next_account()?;
        let mut dropped = Vec::new();
        for alias in std::mem::take(&mut lost.aliases) {
            let is_free = is_accepted(&alias) && self.get(&Key::address(&alias))?.is_none();
            if is_free { &mut lost.aliases } else { &mut dropped }.push(alias);
        }
        self.check_addresses(&lost)?;
        let id = lost.id;
        self.apply_and_log(&Record::Account(lost))?;
        Ok((id, dropped))
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
            return Err(Error::DiskFull);
        }
        let modseq = ModSeq(self.account_now(folder.account())?.state.modseq.0 + 1);
        let mut places = Vec::with_capacity(messages.len());
        let listing = self.folder(folder)?.listing;
        let (mut next, uid_validity) = (listing.uid_next(), listing.uid_validity());
        drop(listing);
        for message in messages {
            let BroughtBack { uid, prefix, body, held, flags, keywords, internal_date } = message;
            let id = self.counters.content + 1;
            let ReadyBody { size: body, checksums, outline, content } = body;
            let size = body.after(prefix.len());
            let stored = self.take_body(content)?;
            let record = MessageRecord { id: MessageId(id), body: BodyId(id), prefix: prefix.to_vec() };
            self.apply_and_log(&Record::Message(record))?;
            let record = BodyRecord { id: BodyId(id), size: body.octets(), stored, checksums, outline, messages: 1 };
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
