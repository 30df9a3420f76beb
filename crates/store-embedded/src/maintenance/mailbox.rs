//! One mailbox alone comes back from a backup, into a store in use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use store::{
    Account, AccountId, Address, BodyWriter, Directory, Error, Folder, FolderId, Listing, Mailboxes, Result, Row, Uid,
    Unit,
};

use super::backup::{Backup, restore_linked};
use crate::Embedded;
use crate::disk::RealDisk;
use crate::engine::Engine;
use crate::fault::disk_error;
use crate::options::Options;
use crate::sequencer::{BroughtBack, ReadyBody};

/// Messages of one durable point: each such point makes the folder's listing anew.
const AT_ONCE: usize = 2048;
/// Octets of them, which wait in memory.
const OCTETS_AT_ONCE: u64 = 4 << 20;

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoredMailbox {
    /// Whether the account was not there any more.
    pub made: bool,
    /// Aliases that it had and that did not come back with it: somebody else has them, or their domain is gone.
    pub dropped_aliases: Vec<Address>,
    pub folders: u64,
    /// Under the UIDs they had.
    pub messages: u64,
    /// In folders that had been made anew since: appended under new UIDs.
    pub appended: u64,
    /// Were there already.
    pub present: u64,
}

impl Embedded {
    /// Brings back what an account had when the backup was made and has no more: folders with their UIDVALIDITY,
    /// messages under their UIDs. What is there stays as it is. An account that is gone comes back with its password.
    pub async fn restore_mailbox(&self, backup: &Path, address: &Address) -> Result<RestoredMailbox> {
        let scratch = Scratch::new(&self.engine)?;
        scratch.check_room(&self.engine, backup)?;
        let (from, to) = (backup.to_owned(), scratch.0.join("store"));
        let options = Options { compaction: false, retention: i64::MAX, ..self.engine.options.clone() };
        let open = move || {
            restore_linked(Arc::new(RealDisk), &from, &to, options.clone())?;
            Self::open(&to, options)
        };
        let source = self.engine.blocking(open).await?;
        let restored = self.restore_from(&source, address).await;
        let end = move || {
            drop(source);
            Ok(())
        };
        self.engine.blocking(end).await?;
        restored
    }

    async fn restore_from(&self, source: &Self, address: &Address) -> Result<RestoredMailbox> {
        let mut restored = RestoredMailbox::default();
        let Some(lost) = source.find(address).await? else { return Err(Error::NotFound("the account in the backup")) };
        let account = match self.find(&lost.address).await? {
            Some(account) if account.address == lost.address => account.id,
            Some(account) => {
                let (lost, other) = (&lost.address, &account.address);
                return Err(Error::Invalid(format!("{lost} is an alias of {other} now; take it from there first")));
            }
            None => {
                restored.made = true;
                let lost = Account::clone(&*lost);
                let (id, dropped) = self.engine.run(move |pending| pending.bring_back_account(lost)).await?;
                restored.dropped_aliases = dropped;
                id
            }
        };
        for folder in &source.folders(lost.id).await?.folders {
            let listing = source.listing(folder.id).await?;
            let (id, same) = self.restored_folder(account, folder, &listing).await?;
            restored.folders += 1;
            self.restore_folder(source, &listing, id, same, &mut restored).await?;
        }
        Ok(restored)
    }

    /// The folder to restore into, made when it is missing; and whether UIDs mean the same in it.
    async fn restored_folder(&self, account: AccountId, lost: &Folder, listing: &Listing) -> Result<(FolderId, bool)> {
        let folders = self.folders(account).await?;
        let same = folders.folders.iter().find(|folder| folder.uid_validity == lost.uid_validity);
        let same = same.map(|folder| folder.id);
        let id = match (same, folders.by_name(&lost.name)) {
            // It knows itself what it gave.
            (Some(id), _) => return Ok((id, true)),
            (None, Some(other)) => return Ok((other.id, false)),
            (None, None) => {
                let lost = lost.clone();
                self.engine.run(move |pending| pending.bring_back_folder(account, lost)).await?
            }
        };
        let (uid_next, modseq) = (listing.uid_next(), listing.highest_modseq());
        self.engine.run(move |pending| pending.raise_marks(id, uid_next, modseq)).await?;
        Ok((id, true))
    }

    async fn restore_folder(
        &self,
        source: &Self,
        lost: &Listing,
        id: FolderId,
        same: bool,
        restored: &mut RestoredMailbox,
    ) -> Result<()> {
        let (mut messages, mut octets) = (Vec::new(), 0);
        let present = self.listing(id).await?;
        for row in lost.rows() {
            if same && present.get(row.uid).is_some() {
                restored.present += 1;
                continue;
            }
            messages.push(self.copy_message(source, lost, row, same.then_some(row.uid)).await?);
            *if same { &mut restored.messages } else { &mut restored.appended } += 1;
            octets += row.size.octets();
            if messages.len() == AT_ONCE || octets >= OCTETS_AT_ONCE {
                octets = 0;
                let messages = std::mem::take(&mut messages);
                self.engine.run(move |pending| pending.bring_back(id, messages)).await?;
            }
        }
        self.engine.run(move |pending| pending.bring_back(id, messages)).await
    }

    async fn copy_message(&self, source: &Self, lost: &Listing, row: &Row, uid: Option<Uid>) -> Result<BroughtBack> {
        let length = u64::from(source.engine.outline(row.message)?.prefix);
        let octets = row.size.octets();
        let mut prefix = BytesMut::new();
        let mut writer: Box<dyn BodyWriter> = self.stage(Some(octets - length.min(octets))).await?;
        let mut at = 0;
        while at < octets {
            let mut part: Bytes = source.read(row.message, at..at + Unit::CHUNK).await?;
            if part.is_empty() {
                return Err(Error::Corrupt("a message in the backup ends too early".into()));
            }
            at += part.len() as u64;
            let missing = (length as usize - prefix.len()).min(part.len());
            prefix.extend_from_slice(&part.split_to(missing));
            writer.write(&part).await?;
        }
        let (body, held) = ReadyBody::of(writer.finish().await?)?;
        let keywords = lost.keywords(row.keywords).cloned().collect();
        let (internal_date, flags) = (row.internal_date, row.flags);
        Ok(BroughtBack { uid, prefix: prefix.freeze(), body, held, keywords, internal_date, flags })
    }
}

/// A directory for a moment.
struct Scratch(PathBuf);

impl Scratch {
    fn new(engine: &Engine) -> Result<Self> {
        let scratch = Self(engine.dir.join("restoring"));
        scratch.clear().map_err(|error| disk_error("clearing a directory", &error))?;
        Ok(scratch)
    }

    /// Files are linked, which takes no room; where that is not possible, they are copied.
    fn check_room(&self, engine: &Engine, backup: &Path) -> Result<()> {
        let octets = Backup::of(backup)?.octets;
        let making = |error| disk_error("making a directory", &error);
        std::fs::create_dir_all(&self.0).map_err(making)?;
        if std::fs::hard_link(Backup::manifest(backup), self.0.join("linked")).is_ok() {
            return Ok(());
        }
        let free = engine.disk.free_space(&self.0).map_err(making)?;
        let room = free.saturating_sub(engine.options.effective_reserve());
        if octets > room {
            return Err(Error::Invalid(format!(
                "the backup has {octets} octets, which must be copied, and there is room for {room}; \
                 put it on the file system of the data directory, where it takes none"
            )));
        }
        Ok(())
    }

    fn clear(&self) -> std::io::Result<()> {
        match std::fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(%error, "the directory of a restore could not be removed; the next restore will");
        }
    }
}
