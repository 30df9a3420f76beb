//! A store whose messages cannot be read while a test says so.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use store::memory::Memory;
use store::{
    Accept, AccountId, Applied, BodyWriter, Change, Error, FolderChange, FolderId, Folders, Future, Lease, Listing,
    Mailboxes, MessageId, MessageOutline, ModSeq, Placed, Result, Uid, UidSet, Usage, Watch,
};

#[derive(Clone)]
pub struct Failing {
    store: Memory,
    pub outlines: Arc<Mutex<Option<Error>>>,
    pub octets: Arc<Mutex<Option<Error>>>,
    /// APPEND, COPY and MOVE.
    pub placing: Arc<Mutex<Option<Error>>>,
}

impl Failing {
    pub fn new(store: Memory) -> Self {
        Self { store, outlines: Arc::default(), octets: Arc::default(), placing: Arc::default() }
    }
}

fn outcome(failure: &Mutex<Option<Error>>) -> Result<()> {
    failure.lock().unwrap().clone().map_or(Ok(()), Err)
}

impl Mailboxes for Failing {
    fn outlines<'a>(&'a self, messages: &'a [MessageId]) -> Future<'a, Result<Vec<Result<MessageOutline>>>> {
        Box::pin(async move {
            outcome(&self.outlines)?;
            self.store.outlines(messages).await
        })
    }

    fn read(&self, message: MessageId, range: Range<u64>) -> Future<'_, Result<Bytes>> {
        Box::pin(async move {
            outcome(&self.octets)?;
            self.store.read(message, range).await
        })
    }

    fn stage(&self, expected: Option<u64>) -> Future<'_, Result<Box<dyn BodyWriter>>> {
        self.store.stage(expected)
    }

    fn accept(&self, accept: Accept) -> Future<'_, Result<Vec<Result<Placed>>>> {
        Box::pin(async move {
            match outcome(&self.placing) {
                Ok(()) => self.store.accept(accept).await,
                Err(error) => Ok(accept.placements.iter().map(|_| Err(error.clone())).collect()),
            }
        })
    }

    fn folders(&self, account: AccountId) -> Future<'_, Result<Arc<Folders>>> {
        self.store.folders(account)
    }

    fn change_folders(&self, account: AccountId, change: FolderChange) -> Future<'_, Result<()>> {
        self.store.change_folders(account, change)
    }

    fn listing(&self, folder: FolderId) -> Future<'_, Result<Listing>> {
        self.store.listing(folder)
    }

    fn apply(
        &self,
        folder: FolderId,
        uids: UidSet,
        change: Change,
        unless: Option<ModSeq>,
    ) -> Future<'_, Result<Applied>> {
        Box::pin(async move {
            if matches!(change, Change::Copy { .. } | Change::Move { .. }) {
                outcome(&self.placing)?;
            }
            self.store.apply(folder, uids, change, unless).await
        })
    }

    fn claim_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        self.store.claim_recent(folder)
    }

    fn first_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        self.store.first_recent(folder)
    }

    fn usage(&self, account: AccountId) -> Future<'_, Result<Usage>> {
        self.store.usage(account)
    }

    fn watch(&self, account: AccountId) -> Box<dyn Watch> {
        self.store.watch(account)
    }

    fn lease(&self, name: String) -> Future<'_, Result<Lease>> {
        self.store.lease(name)
    }
}
