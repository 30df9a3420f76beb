//! Accounts, their trees of folders, and settings.

use std::collections::HashSet;
use std::sync::Arc;

use store::{Account, AccountId, Address, Error, FolderId, Folders, Listing, Result, Row, SettingsMap, Timestamp, Uid};

use crate::sequencer::Pending;
use crate::state::{AccountState, Key, SnapshotPlace, decode};
use crate::visible::FolderState;

impl Pending {
    /// Makes the tree the account's: new folders are empty, missing ones go with their messages.
    pub(super) fn apply_tree(&mut self, account: AccountId, tree: Folders, at: Timestamp) -> Result<()> {
        let before = match self.tree(account) {
            Ok(tree) => tree,
            Err(Error::NotFound(_)) => Arc::default(),
            Err(error) => return Err(error),
        };
        for folder in &tree.folders {
            self.counters.uid_validity = self.counters.uid_validity.max(folder.uid_validity.0.get());
            match before.by_id(folder.id) {
                Some(old) if old == folder => continue,
                Some(_) => {}
                None if self.rebuilding && self.folder(folder.id).is_ok() => {}
                None => {
                    let listing = Listing::new(folder.uid_validity);
                    let (changed, snapshot) = (self.lsn, SnapshotPlace::default());
                    let state = FolderState { listing, recent: Uid::MIN, changed, snapshot };
                    self.set_folder(folder.id, state);
                }
            }
            self.put(Key::folder(folder.id), folder)?;
        }
        let kept: HashSet<FolderId> = tree.folders.iter().map(|folder| folder.id).collect();
        for folder in before.folders.iter().filter(|folder| !kept.contains(&folder.id)) {
            let listing = self.folder(folder.id)?.listing;
            let rows: Vec<Row> = listing.rows().copied().collect();
            self.retain(folder.id, &listing, &rows, at)?;
            self.drop_folder(folder.id);
        }
        if before.subscribed_names != tree.subscribed_names {
            self.put(Key::subscribed_names(account), &tree.subscribed_names)?;
        }
        let last = tree.folders.iter().map(|folder| folder.id.number()).max().unwrap_or_default();
        self.forming.trees.insert(account, Some(Arc::new(tree)));
        self.change_account_state(account, |state| state.last_folder = state.last_folder.max(last))
    }

    /// Takes a folder away with all that refers to its messages.
    pub fn discard_folder(&mut self, id: FolderId) -> Result<()> {
        let rows: Vec<Row> = self.folder(id)?.listing.rows().copied().collect();
        for row in rows {
            self.delete(Key::reference(row.message, id, row.uid.get()));
        }
        self.drop_folder(id);
        Ok(())
    }

    pub(super) fn drop_folder(&mut self, folder: FolderId) {
        if let Ok(state) = self.folder(folder) {
            self.drop_snapshot(state.snapshot);
        }
        self.forming.folders.insert(folder, None);
        self.delete(Key::folder(folder));
        self.delete(Key::folder_meta(folder));
        self.delete(Key::folder_keywords(folder));
    }

    pub(super) fn apply_account(&mut self, account: &Account) -> Result<()> {
        let before: Option<Account> = self.row(&Key::account(account.id))?;
        for address in before.iter().flat_map(addresses) {
            self.release_address(address, account.id)?;
        }
        for address in addresses(account) {
            self.put(Key::address(address), &account.id)?;
        }
        self.put(Key::account(account.id), account)?;
        self.forget_account(account.id);
        if before.is_none() && !self.rebuilding {
            self.put(Key::account_state(account.id), &AccountState { changed: account.created, ..Default::default() })?;
            self.forming.trees.insert(account.id, Some(Arc::default()));
        }
        self.counters.account = self.counters.account.max(account.id.0);
        Ok(())
    }

    pub(super) fn apply_account_removed(&mut self, id: AccountId, at: Timestamp) -> Result<()> {
        let account = self.account(id)?;
        let snapshot = self.account_now(id)?.state.snapshot;
        self.drop_snapshot(snapshot);
        self.apply_tree(id, Folders::default(), at)?;
        for address in addresses(&account) {
            self.release_address(address, id)?;
        }
        self.delete(Key::account(id));
        self.delete(Key::account_state(id));
        self.delete(Key::subscribed_names(id));
        self.forming.trees.insert(id, None);
        self.forming.touched.insert(id);
        self.forget_account(id);
        Ok(())
    }

    /// An index made anew hears of what is gone after what came since: another account may have the address by then.
    fn release_address(&mut self, address: &Address, id: AccountId) -> Result<()> {
        if self.row(&Key::address(address))? == Some(id) {
            self.delete(Key::address(address));
        }
        Ok(())
    }

    pub(super) fn drop_accounts(&mut self, gone: &[(AccountId, AccountId)]) -> Result<()> {
        let at = self.now();
        for &(first, last) in gone {
            for (_, row) in self.range(&Key::account(first), &Key::account(last), usize::MAX)? {
                self.apply_account_removed(decode::<Account>(&row)?.id, at)?;
            }
        }
        Ok(())
    }

    pub(super) fn install_settings(&mut self, settings: &[(String, String)]) -> Result<()> {
        let before = self.settings();
        let gone = before.keys().filter(|name| !settings.iter().any(|(kept, _)| kept == *name));
        let gone = gone.map(|name| (name.clone(), None));
        let kept = settings.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
        self.apply_settings(&gone.chain(kept).collect::<Vec<_>>())
    }

    pub(super) fn apply_settings(&mut self, changes: &[(String, Option<String>)]) -> Result<()> {
        let mut settings = SettingsMap::clone(&*self.settings());
        for (name, value) in changes {
            match value {
                Some(value) => {
                    let parsed = serde_json::from_str(value)
                        .map_err(|error| Error::Corrupt(format!("the setting {name}: {error}")))?;
                    settings.insert(name.clone(), parsed);
                    self.put(Key::setting(name), value)?;
                }
                None => {
                    settings.remove(name);
                    self.delete(Key::setting(name));
                }
            }
        }
        self.forming.settings = Some(Arc::new(settings));
        Ok(())
    }
}

fn addresses(account: &Account) -> impl Iterator<Item = &Address> {
    [&account.address].into_iter().chain(&account.aliases)
}
