//! A store under test with verbs that wait for their answer.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::harness::{End, Harness, Open};
use crate::{
    Accept, AccountId, Address, Applied, Change, Directory, FlagChange, Flags, Folder, FolderChange, FolderId,
    FolderName, Keyword, Listing, Mailboxes, MessageId, MessageSize, ModSeq, NewAccount, Placed, Placement, Result,
    Row, Settings, Source, Staged, Uid, UidSet, Unit, Usage, Watch,
};

pub(super) struct Trial {
    harness: Box<dyn Harness>,
}

impl Trial {
    pub fn new(open: Open) -> Self {
        Self { harness: open() }
    }

    pub fn mailboxes(&self) -> &dyn Mailboxes {
        self.harness.mailboxes()
    }

    pub fn directory(&self) -> &dyn Directory {
        self.harness.directory()
    }

    pub fn settings(&self) -> &dyn Settings {
        self.harness.settings()
    }

    pub fn reopen(&mut self, end: End) {
        self.harness.reopen(end);
    }

    pub fn end_retention(&mut self) -> bool {
        self.harness.end_retention()
    }

    /// Holds now, after a crash and after an orderly end.
    pub fn holds(&mut self, what: impl Fn(&Self)) {
        what(self);
        self.reopen(End::Killed);
        what(self);
        self.reopen(End::Closed);
        what(self);
    }

    /// A new account in the domain example.test.
    pub fn account(&self, local: &str) -> AccountId {
        self.account_with_quota(local, None)
    }

    pub fn account_with_quota(&self, local: &str, quota: Option<u64>) -> AccountId {
        if wait(self.directory().domains()).unwrap().is_empty() {
            wait(self.directory().add_domain("example.test")).unwrap();
        }
        wait(self.directory().create(NewAccount { quota, ..new_account(local) })).unwrap()
    }

    pub fn tree(&self, account: AccountId) -> Vec<Folder> {
        wait(self.mailboxes().folders(account)).unwrap().folders.clone()
    }

    pub fn folder(&self, account: AccountId, name: &str) -> Folder {
        let folders = wait(self.mailboxes().folders(account)).unwrap();
        folders.by_name(&folder_name(name)).unwrap_or_else(|| panic!("no folder {name}")).clone()
    }

    pub fn id(&self, account: AccountId, name: &str) -> FolderId {
        self.folder(account, name).id
    }

    pub fn inbox(&self, account: AccountId) -> FolderId {
        self.id(account, "INBOX")
    }

    pub fn change_folders(&self, account: AccountId, change: FolderChange) -> Result<()> {
        wait(self.mailboxes().change_folders(account, change))
    }

    pub fn create(&self, account: AccountId, name: &str) -> Result<()> {
        self.change_folders(account, FolderChange::Create { name: folder_name(name), special_use: None })
    }

    pub fn rename(&self, account: AccountId, from: &str, to: &str) -> Result<()> {
        self.change_folders(account, FolderChange::Rename { from: folder_name(from), to: folder_name(to) })
    }

    pub fn delete(&self, account: AccountId, name: &str) -> Result<()> {
        self.change_folders(account, FolderChange::Delete { name: folder_name(name) })
    }

    pub fn subscribe(&self, account: AccountId, name: &str, subscribed: bool) -> Result<()> {
        self.change_folders(account, FolderChange::Subscribe { name: folder_name(name), subscribed })
    }

    /// A body that came in pieces of `piece` octets.
    pub fn stage(&self, octets: &[u8], piece: usize) -> Staged {
        let mut writer = wait(self.mailboxes().stage(Some(octets.len() as u64))).unwrap();
        for chunk in octets.chunks(piece) {
            wait(writer.write(chunk)).unwrap();
        }
        let staged = wait(writer.finish()).unwrap();
        assert_eq!(staged.size, MessageSize::of(octets));
        staged
    }

    pub fn accept(&self, octets: &[u8], placements: Vec<Placement>) -> Vec<Result<Placed>> {
        let body = self.stage(octets, Unit::CHUNK as usize);
        wait(self.mailboxes().accept(Accept::each(body, placements))).unwrap()
    }

    pub fn accept_one(&self, octets: &[u8], placement: Placement) -> Result<Placed> {
        let mut answers = self.accept(octets, vec![placement]);
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub fn deliver(&self, folder: FolderId, octets: &[u8]) -> Uid {
        self.accept_one(octets, placement(folder)).unwrap().uid
    }

    pub fn listing(&self, folder: FolderId) -> Listing {
        wait(self.mailboxes().listing(folder)).unwrap()
    }

    pub fn rows(&self, folder: FolderId) -> Vec<Row> {
        self.listing(folder).rows().copied().collect()
    }

    pub fn uids(&self, folder: FolderId) -> Vec<u32> {
        uids(&self.listing(folder))
    }

    pub fn message(&self, folder: FolderId, uid: Uid) -> MessageId {
        self.listing(folder).get(uid).unwrap().message
    }

    pub fn apply(&self, folder: FolderId, uids: &UidSet, change: Change) -> Result<Applied> {
        self.apply_unless(folder, uids, change, None)
    }

    pub fn apply_unless(
        &self,
        folder: FolderId,
        uids: &UidSet,
        change: Change,
        unless: Option<ModSeq>,
    ) -> Result<Applied> {
        let applied = wait(self.mailboxes().apply(folder, uids.clone(), change, unless))?;
        let now = self.listing(folder);
        assert!(applied.listing.diff(&now).next().is_none(), "the answer's listing is the one seen after it");
        Ok(applied)
    }

    pub fn flag(&self, folder: FolderId, uids: &UidSet, how: FlagChange, flags: Flags, keywords: &[&str]) -> Applied {
        self.apply(folder, uids, flag_change(how, flags, keywords)).unwrap()
    }

    pub fn usage(&self, account: AccountId) -> Usage {
        wait(self.mailboxes().usage(account)).unwrap()
    }

    pub fn octets(&self, account: AccountId) -> u64 {
        self.usage(account).octets
    }

    /// The octets of a range, however many answers it takes.
    pub fn read(&self, message: MessageId, start: u64, end: u64) -> Result<Vec<u8>> {
        let mut octets = Vec::new();
        let mut at = start;
        while at < end {
            let asked = at..end.min(at.saturating_add(Unit::CHUNK));
            let wanted = asked.end - asked.start;
            let answer = wait(self.mailboxes().read(message, asked))?;
            assert!(answer.len() as u64 <= wanted, "more octets than asked for");
            if answer.is_empty() {
                break;
            }
            at += answer.len() as u64;
            octets.extend_from_slice(&answer);
        }
        Ok(octets)
    }

    pub fn read_whole(&self, message: MessageId) -> Result<Vec<u8>> {
        self.read(message, 0, u64::MAX)
    }

    pub fn watch(&self, account: AccountId) -> Box<dyn Watch> {
        self.mailboxes().watch(account)
    }
}

pub(super) fn new_account(local: &str) -> NewAccount {
    NewAccount {
        address: address(local),
        aliases: Vec::new(),
        source: Source::Local,
        password: None,
        quota: None,
        created: 1_100_000_000,
    }
}

pub(super) fn address(local: &str) -> Address {
    Address::parse(&format!("{local}@example.test")).unwrap()
}

pub(super) fn folder_name(text: &str) -> FolderName {
    FolderName::new(text).unwrap()
}

pub(super) fn keyword(text: &str) -> Keyword {
    Keyword::new(text).unwrap()
}

pub(super) fn flag_change(how: FlagChange, flags: Flags, keywords: &[&str]) -> Change {
    Change::Flags { how, flags, keywords: keywords.iter().map(|text| keyword(text)).collect() }
}

/// Plain: no prefix, no flags, no delivery id.
pub(super) fn placement(folder: FolderId) -> Placement {
    Placement {
        folder,
        prefix: Bytes::new(),
        flags: Flags::NONE,
        keywords: Vec::new(),
        internal_date: 1_200_000_000,
        delivery: None,
    }
}

pub(super) fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

pub(super) fn set(uids: impl IntoIterator<Item = Uid>) -> UidSet {
    uids.into_iter().collect()
}

pub(super) fn uids(listing: &Listing) -> Vec<u32> {
    listing.rows().map(|row| row.uid.get()).collect()
}

pub(super) fn keyword_names(listing: &Listing, row: &Row) -> Vec<String> {
    let mut names: Vec<String> = listing.keywords(row.keywords).map(|keyword| keyword.as_str().to_string()).collect();
    names.sort();
    names
}

/// The answer of a future, on this thread; a future that is not ready in time is a failure.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    const PATIENCE: Duration = Duration::from_secs(60);
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let deadline = Instant::now() + PATIENCE;
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "no answer and no wake-up within {PATIENCE:?}");
        thread::park_timeout(left);
    }
}
