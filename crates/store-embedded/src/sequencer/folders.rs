//! The tree of folders is changed.

use store::{Account, AccountId, Change, Folder, FolderChange, FolderName, Folders, Result, UidSet};

use super::Pending;
use crate::log::Record;

impl Pending {
    pub fn change_folders(&mut self, account: AccountId, change: &FolderChange) -> Result<()> {
        let before = self.tree(account)?;
        let mut last = self.account_now(account)?.state.last_folder;
        let edit = before.edit(change, || self.identity(account, &mut last))?;
        if edit.folders == *before {
            return Ok(());
        }
        let changed = edit.folders.folders.iter().filter(|folder| before.by_id(folder.id) != Some(folder));
        let put: Vec<Folder> = changed.cloned().collect();
        let removed = edit.deleted.into_iter().collect();
        let subscribed_names = edit.folders.subscribed_names.clone();
        let record = Record::Folders { account, put, removed, subscribed_names, at: self.now() };
        self.apply_and_log(&record)?;
        let inbox = edit.folders.by_name(&FolderName::inbox()).map(|folder| folder.id);
        if let (Some(to), Some(inbox)) = (edit.inbox_into, inbox) {
            self.change(inbox, &UidSet::all(), Change::Move { to }, None)?;
        }
        Ok(())
    }

    /// The folders that every account has, in the same durable point as the account.
    pub fn make_first_folders(&mut self, account: &Account) -> Result<()> {
        let mut last = 0;
        let tree = Folders::initial(|| self.identity(account.id, &mut last))?;
        let record = Record::Folders {
            account: account.id,
            put: tree.folders,
            removed: Vec::new(),
            subscribed_names: tree.subscribed_names,
            at: account.created,
        };
        self.apply_and_log(&record)
    }
}
