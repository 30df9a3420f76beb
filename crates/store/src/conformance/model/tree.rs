//! The folder tree on engine and model. Names are all the model knows; identities are compared afterwards.

use super::Run;
use super::state::{Fault, Folder, Mailbox, agreed};
use super::verb::{FOLDERS, LOCALS, TreeEdit};
use crate::conformance::trial::folder_name;
use crate::{AccountId, FolderChange, FolderName};

impl Run {
    pub fn edit_tree(&mut self, who: usize, edit: &TreeEdit) {
        let name = |at: usize| folder_name(FOLDERS[at]);
        let change = match *edit {
            TreeEdit::Create(at) => FolderChange::Create { name: name(at), special_use: None },
            TreeEdit::Rename(from, to) => FolderChange::Rename { from: name(from), to: name(to) },
            TreeEdit::Delete(at) => FolderChange::Delete { name: name(at) },
            TreeEdit::Subscribe(at, subscribed) => FolderChange::Subscribe { name: name(at), subscribed },
        };
        let Some((id, mailbox)) = self.model.account_of(LOCALS[who]) else {
            agreed(self.trial.change_folders(AccountId(4_000_000), change), &[Fault::NotFound]);
            return;
        };
        let faults = mailbox.faults(&change);
        if agreed(self.trial.change_folders(id, change.clone()), &faults).is_some() {
            mailbox.edit(change);
        }
    }
}

impl Mailbox {
    fn faults(&self, change: &FolderChange) -> Vec<Fault> {
        let there = |name: &FolderName| self.folders.contains_key(name);
        let mut faults = Vec::new();
        match change {
            FolderChange::Create { name, .. } => {
                if there(name) {
                    faults.push(Fault::Exists);
                }
            }
            FolderChange::Rename { from, to } => {
                if !there(from) {
                    faults.push(Fault::NotFound);
                }
                if there(to) {
                    faults.push(Fault::Exists);
                }
                if to.is_beneath(from) && !from.is_inbox() {
                    faults.push(Fault::Invalid);
                }
            }
            FolderChange::Delete { name } => {
                if !there(name) {
                    faults.push(Fault::NotFound);
                }
                if name.is_inbox() || self.folders.keys().any(|other| there(name) && other.is_beneath(name)) {
                    faults.push(Fault::Invalid);
                }
            }
            FolderChange::Subscribe { .. } => {}
        }
        faults
    }

    fn edit(&mut self, change: FolderChange) {
        self.changed = true;
        match change {
            FolderChange::Create { name, .. } => self.create(&name),
            FolderChange::Rename { from, to } if from.is_inbox() => {
                self.create(&to);
                let inbox = self.folders.get_mut(&from).unwrap();
                let rows = std::mem::take(&mut inbox.rows);
                inbox.changed |= !rows.is_empty();
                let target = self.folders.get_mut(&to).unwrap();
                for mut row in rows.into_values() {
                    row.modseq = None;
                    target.push(row);
                }
            }
            FolderChange::Rename { from, to } => {
                let moving: Vec<FolderName> =
                    self.folders.keys().filter(|name| **name == from || name.is_beneath(&from)).cloned().collect();
                for old in moving {
                    let new = folder_name(&old.as_str().replacen(from.as_str(), to.as_str(), 1));
                    let folder = self.folders.remove(&old).unwrap();
                    self.folders.insert(new.clone(), folder);
                    if self.subscribed.remove(&old) {
                        self.subscribed.insert(new);
                    }
                }
                self.create_parents(&to);
            }
            FolderChange::Delete { name } => self.deleted = self.folders.remove(&name).and_then(|folder| folder.id),
            FolderChange::Subscribe { name, subscribed: true } => self.changed = self.subscribed.insert(name),
            FolderChange::Subscribe { name, subscribed: false } => self.changed = self.subscribed.remove(&name),
        }
    }

    fn create(&mut self, name: &FolderName) {
        self.create_parents(name);
        self.folders.insert(name.clone(), Folder::new(None));
    }

    fn create_parents(&mut self, name: &FolderName) {
        let text = name.as_str();
        for (end, _) in text.match_indices('/') {
            self.folders.entry(folder_name(&text[..end])).or_insert_with(|| Folder::new(None));
        }
    }
}
