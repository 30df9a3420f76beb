//! Snapshots of what a segment's records spoke of, so that it can go.

use std::collections::BTreeMap;

use store::{Account, AccountId, DeliveryId, Error, Folder, FolderId, Result};

use super::Pace;
use crate::engine::Engine;
use crate::log::{AccountSnapshot, FolderSnapshot, Lsn, Record};
use crate::sequencer::Pending;
use crate::state::{Counters, Key, StoredRow, Table, decode};
use crate::visible::FolderState;

/// Folders and accounts, each with the last durable point that spoke of it.
#[derive(Default)]
pub(crate) struct Touched {
    folders: BTreeMap<FolderId, Lsn>,
    accounts: BTreeMap<AccountId, Lsn>,
    others: bool,
    /// Whether what goes says of any account that it is gone.
    removals: bool,
    deliveries: Vec<(AccountId, DeliveryId)>,
}

/// Delivery ids of one durable point.
const DELIVERIES: usize = 200;

impl Touched {
    pub fn note(&mut self, record: &Record, lsn: Lsn) {
        match record {
            Record::Place(place) => {
                self.deliveries.extend(place.delivery.map(|delivery| (place.folder.account(), delivery)));
                self.folder(place.folder, lsn);
            }
            Record::Deliveries(rows) => self.deliveries.extend(rows.iter().map(|(account, id, _)| (*account, *id))),
            Record::Flags { folder, .. }
            | Record::Expunge { folder, .. }
            | Record::Recent { folder, .. }
            | Record::Raised { folder, .. }
            | Record::Restored { folder, .. } => self.folder(*folder, lsn),
            Record::FolderSnapshot(snapshot) => self.folder(snapshot.folder, lsn),
            Record::Copy { from, to, .. } => {
                self.folder(*from, lsn);
                self.folder(*to, lsn);
            }
            Record::Folders { account, put, .. } => {
                self.account(*account, lsn);
                put.iter().for_each(|folder| self.folder(folder.id, lsn));
            }
            Record::Account(account) => self.account(account.id, lsn),
            Record::AccountSnapshot(snapshot) => self.account(snapshot.account.id, lsn),
            Record::Domains(_) | Record::Settings(_) | Record::SettingsSnapshot(_) | Record::Counters(_) => {
                self.others = true;
            }
            Record::AccountRemoved { .. } | Record::AccountsGone(_) => {
                self.others = true;
                self.removals = true;
            }
            Record::Body(_)
            | Record::Message(_)
            | Record::Purge { .. }
            | Record::Moved { .. }
            | Record::MessageMoved { .. }
            | Record::ForgetDeliveries { .. } => {}
        }
    }

    fn folder(&mut self, folder: FolderId, lsn: Lsn) {
        let last = self.folders.entry(folder).or_default();
        *last = lsn.max(*last);
        self.account(folder.account(), lsn);
    }

    fn account(&mut self, account: AccountId, lsn: Lsn) {
        let last = self.accounts.entry(account).or_default();
        *last = lsn.max(*last);
        self.others = true;
    }

    /// Puts into the log what is not there anew since.
    pub fn write_snapshots(self, engine: &Engine, pace: &mut Pace) -> Result<()> {
        for (account, lsn) in self.accounts {
            load_folders(engine, account)?;
            let folders = self.folders.range(FolderId::new(account, 0)..=FolderId::new(account, u32::MAX));
            let folders: BTreeMap<_, _> = folders.map(|(id, lsn)| (*id, *lsn)).collect();
            pace.work(engine, || {
                engine.run_blocking(move |pending| unless_gone(pending.snapshot_mailbox(account, lsn, &folders)))
            })?;
        }
        for ids in self.deliveries.chunks(DELIVERIES) {
            let ids = ids.to_vec();
            pace.work(engine, || engine.run_blocking(move |pending| pending.snapshot_deliveries(&ids)))?;
        }
        if self.removals {
            let gone = accounts_gone(engine)?;
            engine.run_blocking(move |pending| pending.apply_and_log(&Record::AccountsGone(gone)))?;
        }
        if self.others {
            engine.run_blocking(|pending: &mut Pending| pending.snapshot_rest())?;
        }
        Ok(())
    }
}

/// The numbers that were given and that no account has now. Numbers are given once, so this stays true.
fn accounts_gone(engine: &Engine) -> Result<Vec<(AccountId, AccountId)>> {
    // Before the accounts: one made meanwhile has a number above these.
    let last = engine.row::<Counters>(&Key::counters())?.unwrap_or_default().account;
    let mut gone = Vec::new();
    let mut next = 1;
    engine.each_row(Table::Account, |_, octets| {
        let AccountId(there) = decode::<Account>(octets)?.id;
        if next < there {
            gone.push((AccountId(next), AccountId((there - 1).min(last))));
        }
        next = there.saturating_add(1);
        Ok(())
    })?;
    if next <= last {
        gone.push((AccountId(next), AccountId(last)));
    }
    gone.retain(|(first, last)| first <= last);
    Ok(gone)
}

/// Brings an account's folders into memory, so that the one order of changes does not wait for that.
fn load_folders(engine: &Engine, account: AccountId) -> Result<()> {
    let tree = match engine.tree(account) {
        Err(Error::NotFound(_)) => return Ok(()),
        tree => tree?,
    };
    tree.folders.iter().try_for_each(|folder| unless_gone(engine.folder(folder.id).map(|_| ())))
}

fn unless_gone(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::NotFound(_)) => Ok(()),
        other => other,
    }
}

impl Pending {
    /// Snapshots of an account and of all its folders, of each unless one was made since its durable point here and
    /// since its last change.
    ///
    /// All in one durable point: what a copy says depends on the folder that it came from, so a snapshot of one of them
    /// before it and of the other after it would hide it. And all folders: it may have come from one whose records
    /// go into one whose records stay.
    pub fn snapshot_mailbox(&mut self, account: AccountId, lsn: Lsn, folders: &BTreeMap<FolderId, Lsn>) -> Result<()> {
        let tree = self.tree(account)?;
        let state = |folder: &Folder| match self.folder(folder.id) {
            Err(Error::NotFound(_)) => None,
            state => Some(state.map(|state| (folder.id, state))),
        };
        // A folder that cannot be read is found before anything is altered.
        let states = tree.folders.iter().filter_map(state).collect::<Result<Vec<_>>>()?;
        self.snapshot_account(account, lsn)?;
        for (id, state) in states {
            if state.needs_snapshot(folders.get(&id).copied().unwrap_or_default()) {
                self.snapshot_folder(id, &state)?;
            }
        }
        Ok(())
    }

    fn snapshot_folder(&mut self, folder: FolderId, state: &FolderState) -> Result<()> {
        let listing = &state.listing;
        let snapshot = FolderSnapshot {
            folder,
            uid_validity: listing.uid_validity(),
            uid_next: listing.uid_next(),
            highest_modseq: listing.highest_modseq(),
            recent: state.recent,
            keywords: listing.keyword_names().to_vec(),
            keyword_sets: listing.keyword_sets().map(<[u16]>::to_vec).collect(),
            rows: listing.rows().map(StoredRow::from).collect(),
        };
        self.apply_and_log(&Record::FolderSnapshot(snapshot))
    }

    /// A snapshot of the account and its tree, unless one was made since `lsn`.
    fn snapshot_account(&mut self, id: AccountId, lsn: Lsn) -> Result<()> {
        let (account, state) = (self.account(id)?, self.account_now(id)?.state);
        if state.snapshot.lsn > lsn {
            return Ok(());
        }
        let tree = self.tree(id)?;
        let (folders, subscribed_names) = (tree.folders.clone(), tree.subscribed_names.clone());
        self.apply_and_log(&Record::AccountSnapshot(AccountSnapshot { account, state, folders, subscribed_names }))
    }

    /// Those delivery ids that are still remembered.
    pub fn snapshot_deliveries(&mut self, ids: &[(AccountId, DeliveryId)]) -> Result<()> {
        let mut rows = Vec::new();
        for &(account, id) in ids {
            rows.extend(self.delivered(account, id)?.map(|row| (account, id, row)));
        }
        if rows.is_empty() { Ok(()) } else { self.apply_and_log(&Record::Deliveries(rows)) }
    }

    /// Domains, settings and the numbers given last.
    pub fn snapshot_rest(&mut self) -> Result<()> {
        let (domains, settings, counters) = (self.domains(), self.settings(), self.counters);
        let settings = settings.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        self.apply_and_log(&Record::Domains(domains.to_vec()))?;
        self.apply_and_log(&Record::SettingsSnapshot(settings))?;
        self.apply_and_log(&Record::Counters(counters))
    }
}
