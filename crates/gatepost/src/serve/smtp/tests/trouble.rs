//! What a client is told when the store does not take part.

use std::ops::Range;
use std::sync::Mutex;

use bytes::Bytes;
use store::{
    Accept, Applied, BodyWriter, Change, Error, FolderChange, FolderId, Folders, Future, Lease, Listing, MessageId,
    MessageOutline, ModSeq, Placed, Result, Staged, Uid, UidSet, Usage, Watch,
};

use super::*;

/// Where the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Folders,
    Stage,
    Write,
    Finish,
    Accept,
    Placement,
}

/// A store that fails at one point.
struct Failing {
    store: Arc<Memory>,
    failure: Mutex<Option<(At, Error)>>,
}

impl Failing {
    fn fails(&self, at: At) -> Result<()> {
        match &*self.failure.lock().unwrap() {
            Some((place, error)) if *place == at => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

struct Writer {
    inner: Box<dyn BodyWriter>,
    write: Result<()>,
    finish: Result<()>,
}

impl BodyWriter for Writer {
    fn write<'a>(&'a mut self, chunk: &'a [u8]) -> Future<'a, Result<()>> {
        Box::pin(async move {
            self.write.clone()?;
            self.inner.write(chunk).await
        })
    }

    fn finish(self: Box<Self>) -> Future<'static, Result<Staged>> {
        Box::pin(async move {
            self.finish?;
            self.inner.finish().await
        })
    }
}

impl Mailboxes for Failing {
    fn stage(&self, expected: Option<u64>) -> Future<'_, Result<Box<dyn BodyWriter>>> {
        Box::pin(async move {
            self.fails(At::Stage)?;
            let inner = self.store.stage(expected).await?;
            Ok(Box::new(Writer { inner, write: self.fails(At::Write), finish: self.fails(At::Finish) }) as _)
        })
    }

    fn accept(&self, accept: Accept) -> Future<'_, Result<Vec<Result<Placed>>>> {
        Box::pin(async move {
            self.fails(At::Accept)?;
            if let Err(error) = self.fails(At::Placement) {
                return Ok(accept.placements.iter().map(|_| Err(error.clone())).collect());
            }
            self.store.accept(accept).await
        })
    }

    fn folders(&self, account: AccountId) -> Future<'_, Result<Arc<Folders>>> {
        Box::pin(async move {
            self.fails(At::Folders)?;
            self.store.folders(account).await
        })
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
        self.store.apply(folder, uids, change, unless)
    }

    fn claim_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        self.store.claim_recent(folder)
    }

    fn first_recent(&self, folder: FolderId) -> Future<'_, Result<Uid>> {
        self.store.first_recent(folder)
    }

    fn outlines<'a>(&'a self, messages: &'a [MessageId]) -> Future<'a, Result<Vec<Result<MessageOutline>>>> {
        self.store.outlines(messages)
    }

    fn read(&self, message: MessageId, range: Range<u64>) -> Future<'_, Result<Bytes>> {
        self.store.read(message, range)
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

#[tokio::test]
async fn trouble_at_any_point_is_temporary_and_the_next_message_gets_through() {
    let mut server = Server::new().await;
    let failing = Arc::new(Failing { store: server.store.clone(), failure: Mutex::new(None) });
    server.site.mailboxes = failing.clone();
    for at in [At::Folders, At::Stage, At::Write, At::Finish, At::Accept, At::Placement] {
        for (error, reply) in [
            (Error::DiskFull, "452 4.3.1 Insufficient system resources"),
            (Error::Limit("x".into()), "452 4.2.2 Mailbox full: it holds as many messages as it may"),
            (Error::Unavailable("x".into()), "451 4.3.0 Mail server temporarily unavailable, try again later"),
            (Error::Unknown("x".into()), "451 4.3.0 Mail server temporarily unavailable, try again later"),
        ] {
            *failing.failure.lock().unwrap() = Some((at, error));
            for body in ["BDAT 17 LAST\r\nSubject: x\r\n\r\nx\r\n", "BDAT 9\r\nSubject: BDAT 8 LAST\r\nx\r\n\r\nx\r\n"]
            {
                let replies = server.replies(25, &format!("{STRANGER}{TO_ANN}{body}NOOP\r\n")).await;
                assert!(replies.iter().any(|line| line == reply), "{at:?}: {replies:?}");
                assert!(!replies.iter().any(|line| line.starts_with("250 2.6.0")), "{at:?}: {replies:?}");
                assert_eq!(replies.last().map(String::as_str), Some("250 2.0.0 OK"), "{at:?}");
            }
            let replies =
                server.replies(25, &format!("{}NOOP\r\n", message(&format!("{STRANGER}{TO_ANN}"), "a: b\r\n"))).await;
            assert!(replies.iter().any(|line| line == reply), "{at:?}: {replies:?}");
        }
    }
    assert!(server.inbox("ann").await.is_empty());
    *failing.failure.lock().unwrap() = None;
    server.replies(25, &message(&format!("{STRANGER}{TO_ANN}"), "Subject: x\r\n")).await;
    assert_eq!(server.inbox("ann").await.len(), 1);
}
