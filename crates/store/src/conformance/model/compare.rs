//! All that can be seen of the engine, held against the model. What only the engine can choose is checked by the
//! rules it must keep, and learned.

use std::collections::BTreeMap;

use super::Run;
use super::state::{Folder, Mailbox, Model};
use crate::conformance::trial::{Trial, address, uid, wait};
use crate::{Difference, FolderName, Listing, ModSeq, Uid};

impl Run {
    pub fn compare(&mut self) {
        let reopened = std::mem::take(&mut self.reopened);
        compare_directory(&self.trial, &self.model);
        assert_eq!(*wait(self.trial.settings().snapshot()).unwrap(), self.model.settings);
        let ids: Vec<_> = self.model.accounts.keys().copied().collect();
        for id in ids {
            self.compare_tree(id);
            let Model { accounts, messages, .. } = &mut self.model;
            let mailbox = accounts.get_mut(&id).unwrap();
            let mut highest = mailbox.modseq;
            for folder in mailbox.folders.values_mut() {
                let listing = self.trial.listing(folder.id.unwrap());
                highest = highest.max(compare_listing(folder, &listing, mailbox.modseq, reopened));
                follow_differences(folder, listing);
                for row in folder.rows.values() {
                    let known = messages.entry(row.message.unwrap()).or_insert_with(|| row.letter.clone());
                    assert!(*known == row.letter, "{:?} names two messages", row.message);
                }
                let recent = wait(self.trial.mailboxes().first_recent(folder.id.unwrap())).unwrap().get();
                if reopened {
                    assert!(recent <= folder.recent_from, "messages that nobody saw as recent are not lost");
                    folder.recent_from = recent;
                }
                assert_eq!(recent, folder.recent_from);
            }
            mailbox.modseq = highest;
            let usage = self.trial.usage(id);
            let messages: usize = mailbox.folders.values().map(|folder| folder.rows.len()).sum();
            assert_eq!((usage.octets, usage.messages), (mailbox.octets(), messages as u64));
            assert_eq!(usage.quota, mailbox.quota);
        }
    }

    fn compare_tree(&mut self, id: crate::AccountId) {
        let mailbox = self.model.accounts.get_mut(&id).unwrap();
        let tree = wait(self.trial.mailboxes().folders(id)).unwrap();
        let names = tree.folders.iter().map(|folder| &folder.name);
        assert!(names.eq(mailbox.folders.keys()), "{:?} are not {:?}", tree.folders, mailbox.folders.keys());
        let Mailbox { folders, subscribed, folder_ids, uid_validity, .. } = mailbox;
        let before = *uid_validity;
        for (found, (name, folder)) in tree.folders.iter().zip(folders.iter_mut()) {
            assert_eq!((found.subscribed, found.special_use), (subscribed.contains(name), folder.special_use));
            if folder.id.is_none() {
                assert!(folder_ids.insert(found.id), "{:?} was used before", found.id);
                assert!(Some(found.uid_validity) > before, "UIDVALIDITY rises with every new folder");
                *uid_validity = (*uid_validity).max(Some(found.uid_validity));
                (folder.id, folder.uid_validity) = (Some(found.id), Some(found.uid_validity));
            }
            assert_eq!((Some(found.id), Some(found.uid_validity)), (folder.id, folder.uid_validity));
            assert_eq!(found.id.account(), id);
        }
        let alone: Vec<&FolderName> = subscribed.iter().filter(|name| !folders.contains_key(name)).collect();
        assert!(tree.subscribed_names.iter().eq(alone));
    }
}

fn compare_directory(trial: &Trial, model: &Model) {
    assert_eq!(**wait(trial.directory().domains()).unwrap(), model.domains);
    let mut expected: Vec<_> = model.accounts.iter().map(|(id, mailbox)| (mailbox.local, *id)).collect();
    expected.sort_unstable();
    let found = wait(trial.directory().accounts(None, usize::MAX)).unwrap();
    let found: Vec<_> = found.iter().map(|account| (account.address.local(), account.id)).collect();
    assert_eq!(found, expected);
    for (id, mailbox) in &model.accounts {
        for local in [Some(mailbox.local), mailbox.alias].into_iter().flatten() {
            let account = wait(trial.directory().find(&address(local))).unwrap().unwrap();
            assert_eq!((account.id, account.quota), (*id, mailbox.quota));
            assert_eq!(account.password.as_ref().map(|password| &password.hash.0), mailbox.password.as_ref());
            assert_eq!(account.aliases, mailbox.alias.map(address).into_iter().collect::<Vec<_>>());
        }
    }
}

/// Answers the folder's greatest modseq.
fn compare_listing(folder: &mut Folder, listing: &Listing, before: ModSeq, reopened: bool) -> ModSeq {
    assert_eq!(Some(listing.uid_validity()), folder.uid_validity);
    if reopened {
        assert!(listing.uid_next().get() >= folder.uid_next && listing.highest_modseq() >= folder.highest_modseq);
        folder.uid_next = listing.uid_next().get();
        folder.highest_modseq = listing.highest_modseq();
    }
    assert_eq!(listing.uid_next().get(), folder.uid_next);
    if std::mem::take(&mut folder.changed) {
        assert!(listing.highest_modseq() > before, "a change has a greater modseq than all before it");
    } else {
        assert_eq!(listing.highest_modseq(), folder.highest_modseq, "what did not change keeps its modseq");
    }
    folder.highest_modseq = listing.highest_modseq();
    assert!(listing.rows().map(|row| row.uid.get()).eq(folder.rows.keys().copied()), "{listing:?}");
    for ((number, row), (index, found)) in folder.rows.iter_mut().zip((0..).zip(listing.rows())) {
        assert_eq!((found.flags.bits(), found.size, found.internal_date), (row.flags, row.letter.length(), row.date));
        let keywords = listing.keywords(found.keywords).map(|keyword| keyword.as_str().to_ascii_lowercase());
        assert_eq!(keywords.collect::<std::collections::BTreeSet<_>>(), row.keywords);
        match row.modseq {
            Some(modseq) => assert_eq!(found.modseq, modseq, "UID {number} did not change"),
            None => assert!(found.modseq > before && found.modseq <= listing.highest_modseq()),
        }
        assert_eq!(row.message.get_or_insert(found.message), &found.message, "a copy is the same message");
        row.modseq = Some(found.modseq);
        assert_eq!((listing.index_of(uid(*number)), listing.row_at(index)), (Ok(index), Some(found)));
    }
    let unseen = folder.rows.values().filter(|row| row.flags & 1 == 0).count();
    let octets: u64 = folder.rows.values().map(|row| row.letter.size()).sum();
    assert_eq!((listing.len() as usize, listing.unseen() as usize), (folder.rows.len(), unseen));
    assert_eq!(listing.octets(), octets);
    listing.highest_modseq()
}

/// The listing held since the last verb is as it was, and the differences from it lead to the new one.
fn follow_differences(folder: &mut Folder, listing: Listing) {
    let rows: Vec<crate::Row> = listing.rows().copied().collect();
    if let Some((held, held_rows)) = folder.held.take() {
        assert!(held.rows().eq(&held_rows), "a listing held does not change");
        let mut followed: BTreeMap<Uid, crate::Row> = held_rows.iter().map(|row| (row.uid, *row)).collect();
        for difference in held.diff(&listing) {
            let known = match difference {
                Difference::Appeared(row) => followed.insert(row.uid, *row).is_none(),
                Difference::Changed { old, new } => followed.insert(new.uid, *new) == Some(*old),
                Difference::Vanished(row) => followed.remove(&row.uid) == Some(*row),
            };
            assert!(known, "{difference:?}");
        }
        // Numbers of keyword sets belong to one listing alone.
        let plain = |row: &crate::Row| crate::Row { keywords: crate::KeywordSet(0), ..*row };
        assert!(followed.values().map(plain).eq(rows.iter().map(plain)));
    }
    folder.held = Some((listing, rows));
}
