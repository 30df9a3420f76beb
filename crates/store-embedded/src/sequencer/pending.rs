//! The state that verbs are decided against: what is visible, under the changes on their way to disk, under
//! those that are being gathered.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{
    AcceptedDomain, Account, AccountId, Error, FolderId, Folders, Result, SettingsMap, Timestamp, UidValidity,
};

use super::Held;
use crate::engine::Engine;
use crate::log::{FrameHeader, Lsn, Position, Record, SegmentId, encode_record};
use crate::state::{AccountState, Counters, Encoder, Key, decode, layered_range};
use crate::visible::{Changes, FolderState};

/// An account's counters and quota, as the order of changes has them now.
#[derive(Clone, Copy)]
pub(crate) struct AccountNow {
    pub state: AccountState,
    pub quota: Option<u64>,
}

pub(crate) struct Pending {
    pub engine: Arc<Engine>,
    /// Gathered for the next durable point.
    pub forming: Changes,
    /// On its way to disk.
    pub flying: Option<Changes>,
    pub counters: Counters,
    /// Of the durable point being gathered.
    pub lsn: Lsn,
    /// Where its frame will stand.
    pub frame: Position,
    pub bodies: Vec<Bytes>,
    pub bodies_length: usize,
    /// What the bodies hold until they are durable.
    pub held: Vec<Held>,
    pub records: Vec<u8>,
    /// Whether only the reserve is left of the disk.
    pub disk_full: bool,
    /// Whether the index is being made anew from segments: then snapshots are what counts.
    pub rebuilding: bool,
    /// Counts what was altered: a verb that fails after it began takes its whole batch along, so that nothing is
    /// ever half done.
    pub alterations: u64,
    encoder: Encoder,
    accounts: HashMap<AccountId, AccountNow>,
    /// Generations of delivery ids that were looked for, and whether they may hold any.
    pub delivery_generations: HashMap<u32, bool>,
}

impl Pending {
    pub fn new(engine: Arc<Engine>, counters: Counters) -> Self {
        Self {
            engine,
            forming: Changes::default(),
            flying: None,
            counters,
            lsn: Lsn::default(),
            frame: Position::default(),
            bodies: Vec::new(),
            bodies_length: 0,
            held: Vec::new(),
            records: Vec::new(),
            disk_full: false,
            rebuilding: false,
            alterations: 0,
            encoder: Encoder::default(),
            accounts: HashMap::new(),
            delivery_generations: HashMap::new(),
        }
    }

    pub fn now(&self) -> Timestamp {
        (self.engine.options.clock)()
    }

    /// Takes the record into the durable point being gathered; what it does was applied before.
    pub fn log(&mut self, record: &Record) -> Result<()> {
        self.alterations += 1;
        encode_record(record, &mut self.records)
    }

    /// Decides and logs in one.
    pub fn apply_and_log(&mut self, record: &Record) -> Result<()> {
        self.apply(record)?;
        self.log(record)
    }

    /// Gives back what was gathered and begins anew on top of it.
    pub fn take_forming(&mut self) -> Changes {
        std::mem::take(&mut self.forming)
    }

    /// Falls back to what is on its way, and to what is visible.
    pub fn forget(&mut self) {
        self.forming = Changes::default();
        self.bodies.clear();
        self.bodies_length = 0;
        self.held.clear();
        self.records.clear();
        self.accounts.clear();
        // Numbers given to what was lost are not given again: the counters stay.
    }

    pub fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        if let Some(row) = self.forming.rows.get(key) {
            return Ok(row.clone());
        }
        if let Some(row) = self.flying.as_ref().and_then(|flying| flying.rows.get(key)) {
            return Ok(row.clone());
        }
        self.engine.get(key)
    }

    pub fn row<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>> {
        self.get(key)?.map(|octets| decode(&octets)).transpose()
    }

    pub fn range(&self, from: &Key, to: &Key, limit: usize) -> Result<Vec<(Key, Bytes)>> {
        let (overlay, snapshot) = {
            let visible = self.engine.visible();
            let mut layers = vec![&self.forming.rows];
            layers.extend(self.flying.as_ref().map(|flying| &flying.rows));
            (visible.recent_rows(&layers, from, to), visible.snapshot.clone())
        };
        layered_range(overlay, &*snapshot, from, to, limit)
    }

    pub fn put<T: Serialize>(&mut self, key: Key, value: &T) -> Result<()> {
        let row = self.encoder.encode(value)?;
        self.put_row(key, row);
        Ok(())
    }

    pub fn put_octets(&mut self, key: Key, octets: &[u8]) {
        let row = self.encoder.copy(octets);
        self.put_row(key, row);
    }

    fn put_row(&mut self, key: Key, row: Bytes) {
        self.alterations += 1;
        self.forming.rows.put(key, row);
    }

    pub fn delete(&mut self, key: Key) {
        self.alterations += 1;
        self.forming.rows.delete(key);
    }

    pub fn folder(&self, id: FolderId) -> Result<FolderState> {
        let flying = self.flying.as_ref();
        let known = self.forming.folders.get(&id).or_else(|| flying.and_then(|flying| flying.folders.get(&id)));
        match known {
            Some(Some(state)) => Ok(state.clone()),
            Some(None) => Err(Error::NotFound("the folder")),
            None => self.engine.folder(id),
        }
    }

    /// The folder, to be changed in place where nobody else holds it.
    pub fn folder_mut(&mut self, id: FolderId) -> Result<&mut FolderState> {
        if !self.forming.folders.contains_key(&id) {
            let state = self.folder(id)?;
            self.forming.folders.insert(id, Some(state));
        }
        let state = self.forming.folders.get_mut(&id).and_then(Option::as_mut);
        let state = state.ok_or(Error::NotFound("the folder"))?;
        state.changed = self.lsn;
        Ok(state)
    }

    pub fn set_folder(&mut self, id: FolderId, state: FolderState) {
        self.alterations += 1;
        let state = FolderState { changed: self.lsn, ..state };
        self.forming.folders.insert(id, Some(state));
    }

    pub fn tree(&self, account: AccountId) -> Result<Arc<Folders>> {
        let flying = self.flying.as_ref();
        let known = self.forming.trees.get(&account).or_else(|| flying.and_then(|flying| flying.trees.get(&account)));
        match known {
            Some(Some(tree)) => Ok(tree.clone()),
            Some(None) => Err(Error::NotFound("the account")),
            None => self.engine.tree(account),
        }
        .or_else(|error| match error {
            // It may be in a later snapshot only.
            Error::NotFound(_) if self.rebuilding => Ok(Arc::default()),
            error => Err(error),
        })
    }

    pub fn domains(&self) -> Arc<Vec<AcceptedDomain>> {
        let flying = self.flying.as_ref().and_then(|flying| flying.domains.clone());
        self.forming.domains.clone().or(flying).unwrap_or_else(|| self.engine.visible().domains.clone())
    }

    pub fn settings(&self) -> Arc<SettingsMap> {
        let flying = self.flying.as_ref().and_then(|flying| flying.settings.clone());
        self.forming.settings.clone().or(flying).unwrap_or_else(|| self.engine.visible().settings.clone())
    }

    pub fn account(&self, id: AccountId) -> Result<Account> {
        self.row(&Key::account(id))?.ok_or(Error::NotFound("the account"))
    }

    pub fn account_now(&mut self, id: AccountId) -> Result<AccountNow> {
        if let Some(now) = self.accounts.get(&id) {
            return Ok(*now);
        }
        let quota = match self.account(id) {
            Ok(account) => account.quota,
            // It may be in a later snapshot only.
            Err(Error::NotFound(_)) if self.rebuilding => None,
            Err(error) => return Err(error),
        };
        let state = self.row(&Key::account_state(id))?.unwrap_or_default();
        let now = AccountNow { state, quota };
        // Rows always hold the same, so the cache may be dropped at any time.
        const CACHED: usize = 10_000;
        if self.accounts.len() >= CACHED {
            self.accounts.clear();
        }
        self.accounts.insert(id, now);
        Ok(now)
    }

    /// Changes an account's counters; its watches wake.
    pub fn change_account_state(&mut self, id: AccountId, change: impl FnOnce(&mut AccountState)) -> Result<()> {
        let mut now = self.account_now(id)?;
        change(&mut now.state);
        self.accounts.insert(id, now);
        self.forming.touched.insert(id);
        self.put(Key::account_state(id), &now.state)
    }

    pub fn forget_account(&mut self, id: AccountId) {
        self.accounts.remove(&id);
    }

    /// A new folder's identity.
    pub fn identity(&mut self, account: AccountId, last_folder: &mut u32) -> Result<(FolderId, UidValidity)> {
        let used_up = || Error::Limit("this store has used all its folder numbers".into());
        let number = last_folder.checked_add(1).ok_or_else(used_up)?;
        let validity = self.counters.uid_validity.checked_add(1).and_then(NonZeroU32::new).ok_or_else(used_up)?;
        *last_folder = number;
        self.counters.uid_validity = validity.get();
        Ok((FolderId::new(account, number), UidValidity(validity)))
    }

    /// Where bodies of the frame being gathered begin.
    pub fn bodies_at(&self) -> (SegmentId, u64) {
        (self.frame.segment, self.frame.offset + FrameHeader::LENGTH as u64)
    }

    pub fn count_live(&mut self, segment: SegmentId, octets: i64) {
        *self.forming.live.entry(segment).or_default() += octets;
    }
}
