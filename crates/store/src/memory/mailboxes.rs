//! The mailbox verbs in memory.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::Memory;
use super::body::Collected;
use super::state::{Contents, Mailbox, Message, State, identity};
use crate::{
    Accept, AccountId, Applied, BodyWriter, Change, Content, Error, FolderChange, FolderId, FolderName, Folders,
    Future, Keyword, Lease, Listing, Mailboxes, MessageId, MessageOutline, MessageSize, ModSeq, Placed, Placement,
    Result, Uid, UidSet, Unit, Usage, Watch,
};

impl Mailboxes for Memory {
    fn stage(&self, _expected: Option<u64>) -> Future<'_, Result<Box<dyn BodyWriter>>> {
        Box::pin(async {
            let collected = Collected { bytes: Vec::new(), parser: mime::Parser::new(mime::Limits::default()) };
            Ok(Box::new(collected) as Box<dyn BodyWriter>)
        })
    }

    fn accept(&self, accept: Accept) -> Future<'_, Result<Vec<Result<Placed>>>> {
        Box::pin(async move { self.lock().accept(accept) })
    }

    fn folders(&self, account: AccountId) -> Future<'_, Result<Arc<Folders>>> {
        Box::pin(async move { Ok(self.lock().mailbox(account)?.folders.clone()) })
    }

    fn change_folders(&self, account: AccountId, change: FolderChange) -> Future<'_, Result<()>> {
        Box::pin(async move { self.lock().change_folders(account, &change) })
    }

    fn listing(&self, folder: FolderId) -> Future<'_, Result<Listing>> {
        Box::pin(async move { Ok(self.lock().mailbox_of(folder)?.contents(folder)?.listing.clone()) })
    }

    fn apply(
        &self,
        folder: FolderId,
        uids: UidSet,
        change: Change,
        unless: Option<ModSeq>,
    ) -> Future<'_, Result<Applied>> {
        Box::pin(async move {
            let mut state = self.lock();
            let mailbox = state.mailbox_of(folder)?;
            let before = mailbox.modseq;
            let applied = mailbox.apply(folder, &uids, change, unless)?;
            if mailbox.modseq != before {
                state.watches.wake(folder.account());
            }
            Ok(applied)
        })
    }

    fn claim_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        Box::pin(async move {
            let mut state = self.lock();
            let found = state.mailbox_of(folder)?.contents.get_mut(&folder);
            let contents = found.ok_or(Error::NotFound("the folder"))?;
            let uid_next = contents.listing.uid_next();
            Ok(std::mem::replace(&mut contents.recent_from, uid_next))
        })
    }

    fn first_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        Box::pin(async move { Ok(self.lock().mailbox_of(folder)?.contents(folder)?.recent_from) })
    }

    fn outlines<'a>(&'a self, messages: &'a [MessageId]) -> Future<'a, Result<Vec<Result<MessageOutline>>>> {
        Box::pin(async move {
            let state = self.lock();
            let outline = |message: &Message| MessageOutline {
                prefix: message.prefix.len() as u32,
                outline: message.outline.clone(),
            };
            Ok(messages.iter().map(|&id| state.message(id).map(outline)).collect())
        })
    }

    fn read(&self, message: MessageId, range: Range<u64>) -> Future<'_, Result<Bytes>> {
        Box::pin(async move { Ok(self.lock().message(message)?.read(range)) })
    }

    fn usage(&self, account: AccountId) -> Future<'_, Result<Usage>> {
        Box::pin(async move {
            let state = self.lock();
            let mailbox = state.mailbox(account)?;
            let messages = mailbox.contents.values().map(|contents| u64::from(contents.listing.len())).sum();
            Ok(Usage { octets: mailbox.octets(), messages, quota: mailbox.account.quota, changed: None })
        })
    }

    fn watch(&self, account: AccountId) -> Box<dyn Watch> {
        self.watch_account(account)
    }

    fn lease(&self, name: String) -> Future<'_, Result<Lease>> {
        Box::pin(async move {
            if !self.lock().leases.insert(name.clone()) {
                return Err(Error::Busy);
            }
            Ok(Lease::new(Held { memory: self.clone(), name }))
        })
    }
}

struct Held {
    memory: Memory,
    name: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.lock().leases.remove(&self.name);
    }
}

impl Message {
    /// From the prefix or from the body, never from both in one answer: callers must ask on.
    fn read(&self, range: Range<u64>) -> Bytes {
        let prefix = self.prefix.len() as u64;
        let (part, start, end) = if range.start < prefix {
            (&self.prefix, range.start, range.end)
        } else {
            (&self.body, range.start - prefix, range.end.saturating_sub(prefix))
        };
        let end = end.min(part.len() as u64).min(start.saturating_add(Unit::CHUNK));
        // Cut at the part's end above, so both fit an index.
        if start < end { part.slice(start as usize..end as usize) } else { Bytes::new() }
    }
}

impl State {
    fn accept(&mut self, accept: Accept) -> Result<Vec<Result<Placed>>> {
        let Content::Inline { bytes: body, permit: _permit } = accept.body.content else {
            return Err(Error::Invalid("the body was staged with another store".into()));
        };
        let outline = accept.body.outline;
        if accept.all_or_none {
            self.judge(body.len() as u64, &accept.placements)?;
        }
        let mut answers = Vec::with_capacity(accept.placements.len());
        for placement in accept.placements {
            let message = Message { prefix: placement.prefix.clone(), body: body.clone(), outline: outline.clone() };
            answers.push(self.place(message, placement));
        }
        Ok(answers)
    }

    /// The error of the first placement that could not be made after those before it.
    fn judge(&mut self, body: u64, placements: &[Placement]) -> Result<()> {
        let mut added: HashMap<AccountId, u64> = HashMap::new();
        for placement in placements {
            let mailbox = self.mailbox_of(placement.folder)?;
            mailbox.contents(placement.folder)?;
            if placement.delivery.is_some_and(|delivery| mailbox.deliveries.contains_key(&delivery)) {
                continue;
            }
            let octets = added.entry(placement.folder.account()).or_default();
            *octets += placement.prefix.len() as u64 + body;
            mailbox.check_quota(*octets)?;
        }
        Ok(())
    }

    fn place(&mut self, message: Message, placement: Placement) -> Result<Placed> {
        if placement.prefix.len() > Placement::MAX_PREFIX {
            return Err(Error::Limit(format!("a prefix has at most {} octets", Placement::MAX_PREFIX)));
        }
        let id = MessageId(self.last_message + 1);
        let mailbox = self.mailbox_of(placement.folder)?;
        let known = placement.delivery.and_then(|delivery| mailbox.deliveries.get(&delivery));
        if let Some(known) = known {
            return Ok(Placed { duplicate: true, ..*known });
        }
        let size = MessageSize::of(&message.body).after(message.prefix.len());
        mailbox.check_quota(size.octets())?;
        let mut listing = mailbox.contents(placement.folder)?.listing.clone();
        let modseq = ModSeq(mailbox.modseq.0 + 1);
        let keywords = listing.intern(&placement.keywords)?;
        let uid = listing.push(modseq, id, size, placement.internal_date, placement.flags, keywords)?;
        let placed = Placed { folder: placement.folder, uid_validity: listing.uid_validity(), uid, duplicate: false };
        mailbox.publish(placement.folder, listing);
        mailbox.modseq = modseq;
        mailbox.deliveries.extend(placement.delivery.map(|delivery| (delivery, placed)));
        self.last_message = id.0;
        self.messages.insert(id, message);
        self.watches.wake(placement.folder.account());
        Ok(placed)
    }

    fn change_folders(&mut self, account: AccountId, change: &FolderChange) -> Result<()> {
        let mailbox = self.mailboxes.get_mut(&account).ok_or(Error::NotFound("the account"))?;
        let edit = mailbox
            .folders
            .edit(change, || identity(account, &mut mailbox.last_folder, &mut self.last_uid_validity))?;
        if edit.folders == *mailbox.folders {
            return Ok(());
        }
        for folder in edit.created.iter().filter_map(|id| edit.folders.by_id(*id)) {
            let listing = Listing::new(folder.uid_validity);
            mailbox.contents.insert(folder.id, Contents { listing, recent_from: Uid::MIN });
        }
        if let Some(deleted) = edit.deleted {
            mailbox.contents.remove(&deleted);
        }
        mailbox.folders = Arc::new(edit.folders);
        if let Some(into) = edit.inbox_into
            && let Some(inbox) = mailbox.folders.by_name(&FolderName::inbox())
        {
            let inbox = inbox.id;
            mailbox.apply(inbox, &UidSet::all(), Change::Move { to: into }, None)?;
        }
        self.watches.wake(account);
        Ok(())
    }
}

impl Mailbox {
    /// Decides everything on copies, then publishes them: an error leaves all as it was.
    fn apply(&mut self, folder: FolderId, uids: &UidSet, change: Change, unless: Option<ModSeq>) -> Result<Applied> {
        let modseq = ModSeq(self.modseq.0 + 1);
        let mut listing = self.contents(folder)?.listing.clone();
        let (changed, conflicts) = selected(&listing, uids, unless);
        let mut copied = None;
        let altered = match change {
            Change::Flags { how, flags, keywords } => {
                !listing.set_flags_where(uids, modseq, how, flags, &keywords, unless)?.altered.is_empty()
            }
            Change::Expunge => !listing.remove(&changed, modseq).is_empty(),
            Change::Copy { to } | Change::Move { to } => {
                let moves = matches!(change, Change::Move { .. });
                let mut target = if to == folder { listing.clone() } else { self.target(folder, to)? };
                if !moves && !changed.is_empty() {
                    self.check_quota(listing.rows_in(&changed).map(|row| row.size.octets()).sum())?;
                }
                let pairs = copy(&listing, &changed, &mut target, modseq)?;
                let uid_validity = target.uid_validity();
                if to == folder {
                    listing = target;
                } else {
                    self.publish(to, target);
                }
                if moves {
                    listing.remove(&changed, modseq);
                }
                let altered = !pairs.is_empty();
                copied = Some((uid_validity, pairs));
                altered
            }
        };
        if altered {
            self.modseq = modseq;
            self.publish(folder, listing.clone());
        }
        Ok(Applied { listing, changed, conflicts, copied })
    }

    fn target(&self, folder: FolderId, to: FolderId) -> Result<Listing> {
        if to.account() != folder.account() {
            return Err(Error::Invalid("messages are copied and moved within one mailbox only".into()));
        }
        let contents = self.contents.get(&to).ok_or(Error::NotFound("the target folder"))?;
        Ok(contents.listing.clone())
    }
}

/// Those of the UIDs that exist, parted by whether they changed since `unless`.
fn selected(listing: &Listing, uids: &UidSet, unless: Option<ModSeq>) -> (UidSet, UidSet) {
    let (mut selected, mut conflicts) = (UidSet::new(), UidSet::new());
    for row in listing.rows_in(uids) {
        let conflict = unless.is_some_and(|unless| row.modseq > unless);
        if conflict { &mut conflicts } else { &mut selected }.insert(row.uid);
    }
    (selected, conflicts)
}

fn copy(from: &Listing, uids: &UidSet, to: &mut Listing, modseq: ModSeq) -> Result<Vec<(Uid, Uid)>> {
    let mut pairs = Vec::new();
    for row in from.rows_in(uids) {
        let keywords: Vec<Keyword> = from.keywords(row.keywords).cloned().collect();
        let keywords = to.intern(&keywords)?;
        let uid = to.push(modseq, row.message, row.size, row.internal_date, row.flags, keywords)?;
        pairs.push((row.uid, uid));
    }
    Ok(pairs)
}
