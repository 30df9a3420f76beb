//! What a record does to the state: the same for a verb just decided, at a replay, and for a rebuilt index.

mod accounts;
mod bodies;
mod messages;
mod snapshots;

use std::sync::Arc;

use store::{AccountId, Folders, ModSeq, Result};

use super::Pending;
use crate::log::Record;
use crate::state::Key;

impl Pending {
    pub fn apply(&mut self, record: &Record) -> Result<()> {
        match record {
            Record::Body(body) => self.apply_body(body),
            Record::Message(message) => self.apply_message(message),
            Record::Place(place) => {
                // Before the rest: while the index is made anew, the folder may be in a later snapshot only.
                self.remember_delivery(place)?;
                self.apply_place(place).map(|_| ())
            }
            Record::Flags { folder, uids, how, flags, keywords, modseq } => {
                let listing = &mut self.folder_mut(*folder)?.listing;
                listing.set_flags_where(&uids.to_set(), *modseq, (*how).into(), *flags, keywords, None)?;
                self.raise_modseq(folder.account(), *modseq)
            }
            Record::Expunge { folder, uids, modseq, at } => {
                self.apply_expunge(*folder, &uids.to_set(), *modseq, *at).map(|_| ())
            }
            Record::Copy { from, to, uids, first, modseq, moves } => {
                self.apply_copy((*from, *to), &uids.to_set(), *first, *modseq, *moves).map(|_| ())
            }
            Record::Folders { account, put, removed, subscribed_names, at } => {
                let mut tree = Folders::clone(&*self.tree(*account)?);
                tree.folders.retain(|folder| {
                    !removed.contains(&folder.id) && !put.iter().any(|changed| changed.id == folder.id)
                });
                tree.folders.extend(put.iter().cloned());
                tree.folders.sort_by(|a, b| a.name.cmp(&b.name));
                tree.subscribed_names.clone_from(subscribed_names);
                self.apply_tree(*account, tree, *at)
            }
            Record::Account(account) => self.apply_account(account),
            Record::AccountRemoved { account, at } => self.apply_account_removed(*account, *at),
            Record::Domains(domains) => {
                self.put(Key::domains(), domains)?;
                self.forming.domains = Some(Arc::new(domains.clone()));
                Ok(())
            }
            Record::Settings(changes) => self.apply_settings(changes),
            Record::Recent { folder, from } => {
                self.folder_mut(*folder)?.recent = *from;
                Ok(())
            }
            // What can be purged then is found anew when the index stands.
            Record::Purge { .. } if self.rebuilding => Ok(()),
            Record::Purge { folder, expunged_at, first } => self.apply_purge(*folder, *expunged_at, *first),
            Record::Moved { body, from, to } => self.apply_moved(*body, *from, *to),
            Record::FolderSnapshot(snapshot) => self.apply_folder_snapshot(snapshot),
            Record::AccountSnapshot(snapshot) => self.apply_account_snapshot(snapshot),
            Record::ForgetDeliveries { generation } => self.apply_forget_deliveries(*generation),
            Record::Counters(counters) => {
                self.counters.content = self.counters.content.max(counters.content);
                self.counters.account = self.counters.account.max(counters.account);
                self.counters.uid_validity = self.counters.uid_validity.max(counters.uid_validity);
                Ok(())
            }
            Record::MessageMoved { message, from, to } => self.apply_message_moved(*message, *from, *to),
            Record::Deliveries(rows) if !self.rebuilding => {
                rows.iter().try_for_each(|(account, id, _)| self.move_delivery(*account, *id))
            }
            Record::Deliveries(rows) => {
                rows.iter().try_for_each(|(account, id, row)| self.remember(*account, *id, row))
            }
            Record::Raised { folder, uid_next, modseq } => {
                self.folder_mut(*folder)?.listing.raise(*uid_next, *modseq);
                self.raise_modseq(folder.account(), *modseq)
            }
            Record::AccountsGone(_) | Record::SettingsSnapshot(_) if !self.rebuilding => Ok(()),
            Record::AccountsGone(ranges) => self.drop_accounts(ranges),
            Record::SettingsSnapshot(settings) => self.install_settings(settings),
            Record::Restored { folder, places } => self.apply_restored(*folder, places),
        }
    }

    fn raise_modseq(&mut self, account: AccountId, modseq: ModSeq) -> Result<()> {
        self.change_account_state(account, |state| state.modseq = state.modseq.max(modseq))
    }
}
