//! Claims about the folder tree.

use super::harness::{End, Open};
use super::letters::letter;
use super::trial::{Trial, folder_name, uid, wait};
use crate::{AccountId, Error, Flags, FolderChange, SpecialUse, UidSet};

fn own_names(trial: &Trial, account: AccountId) -> Vec<String> {
    let standard =
        |name: &String| name != "INBOX" && !SpecialUse::DEFAULT_FOLDERS.iter().any(|(known, _)| known == name);
    trial.tree(account).iter().map(|folder| folder.name.as_str().to_string()).filter(standard).collect()
}

pub fn missing_parents_are_made(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let change = FolderChange::Create { name: folder_name("a/b/c"), special_use: Some(SpecialUse::Junk) };
    trial.change_folders(ann, change).unwrap();
    trial.create(ann, "inbox/x/y").unwrap();
    trial.create(ann, "q").unwrap();
    trial.rename(ann, "q", "r/s/t").unwrap();
    trial.holds(|trial| {
        assert_eq!(own_names(trial, ann), ["INBOX/x", "INBOX/x/y", "a", "a/b", "a/b/c", "r", "r/s", "r/s/t"]);
        let tree = trial.tree(ann);
        assert!(tree.iter().all(|folder| trial.listing(folder.id).uid_validity() == folder.uid_validity));
        assert_eq!(trial.folder(ann, "a/b/c").special_use, Some(SpecialUse::Junk));
        assert_eq!(trial.folder(ann, "a/b").special_use, None);
        assert!(!trial.folder(ann, "a").subscribed);
    });
}

pub fn a_name_is_there_once(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    trial.create(ann, "a/b").unwrap();
    for name in ["a", "a/b", "Inbox", "Sent"] {
        assert!(matches!(trial.create(ann, name), Err(Error::Exists(_))), "{name}");
        assert!(matches!(trial.rename(ann, "Junk", name), Err(Error::Exists(_))), "{name}");
    }
    for name in ["a", "INBOX"] {
        assert!(matches!(trial.rename(ann, name, name), Err(Error::Exists(_))), "{name}");
    }
    trial.create(ann, "A").unwrap();
    trial.holds(|trial| assert_eq!(own_names(trial, ann), ["A", "a", "a/b"]));
}

pub fn a_rename_takes_children_uids_and_subscription_along(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    for name in ["a/b/c", "ab", "a-b"] {
        trial.create(ann, name).unwrap();
    }
    trial.subscribe(ann, "a/b", true).unwrap();
    let before = ["a", "a/b", "a/b/c"].map(|name| trial.folder(ann, name));
    for folder in &before {
        trial.deliver(folder.id, &letter(1, 100));
        trial.deliver(folder.id, &letter(2, 100));
    }
    trial.apply(before[1].id, &UidSet::all(), crate::Change::Expunge).unwrap();
    trial.rename(ann, "a", "x/y").unwrap();
    trial.holds(|trial| {
        assert_eq!(own_names(trial, ann), ["a-b", "ab", "x", "x/y", "x/y/b", "x/y/b/c"]);
        for (old, name) in before.iter().zip(["x/y", "x/y/b", "x/y/b/c"]) {
            let new = trial.folder(ann, name);
            assert_eq!((new.id, new.uid_validity, new.subscribed), (old.id, old.uid_validity, old.subscribed));
        }
        assert_eq!((trial.uids(before[0].id), trial.uids(before[1].id)), (vec![1, 2], vec![]));
        assert!(trial.listing(before[1].id).uid_next() >= uid(3));
        assert!(wait(trial.mailboxes().folders(ann)).unwrap().subscribed_names.is_empty());
    });
}

pub fn a_rename_into_itself_is_refused(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    trial.create(ann, "a/b").unwrap();
    for to in ["a/x", "a/b/x"] {
        assert!(matches!(trial.rename(ann, "a", to), Err(Error::Invalid(_))));
    }
    trial.holds(|trial| assert_eq!(own_names(trial, ann), ["a", "a/b"]));
}

pub fn renaming_inbox_moves_its_messages_and_leaves_it_empty(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    trial.create(ann, "INBOX/child").unwrap();
    let (before, child) = (trial.folder(ann, "INBOX"), trial.folder(ann, "INBOX/child"));
    trial.deliver(child.id, &letter(9, 90));
    for seed in 1..=3 {
        trial.deliver(before.id, &letter(seed, 100 * seed as usize));
    }
    trial.flag(before.id, &UidSet::all(), crate::FlagChange::Add, Flags::FLAGGED, &["k"]);
    trial.rename(ann, "inbox", "old/mail").unwrap();
    trial.holds(|trial| {
        let now = trial.folder(ann, "INBOX");
        assert_eq!((now.id, now.uid_validity, now.subscribed), (before.id, before.uid_validity, true));
        assert!(trial.listing(now.id).is_empty() && trial.listing(now.id).uid_next() >= uid(4));
        let moved = trial.rows(trial.id(ann, "old/mail"));
        assert_eq!(moved.iter().map(|row| row.size.octets()).collect::<Vec<_>>(), [100, 200, 300]);
        assert!(moved.iter().all(|row| row.flags == Flags::FLAGGED));
        assert_eq!(trial.folder(ann, "INBOX/child"), child, "its children stay");
        assert_eq!(trial.uids(child.id), [1]);
        assert_eq!(trial.octets(ann), 690);
    });
}

pub fn inbox_and_parents_cannot_be_deleted(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    trial.create(ann, "a/b").unwrap();
    for name in ["INBOX", "inbox", "a"] {
        assert!(matches!(trial.delete(ann, name), Err(Error::Invalid(_))), "{name}");
    }
    trial.holds(|trial| assert_eq!(own_names(trial, ann), ["a", "a/b"]));
    trial.delete(ann, "a/b").unwrap();
    trial.delete(ann, "a").unwrap();
}

pub fn a_deleted_folder_is_gone_with_its_messages(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account_with_quota("ann", Some(100));
    trial.create(ann, "a").unwrap();
    let folder = trial.id(ann, "a");
    let uid = trial.deliver(folder, &letter(1, 100));
    let message = trial.message(folder, uid);
    trial.delete(ann, "a").unwrap();
    trial.holds(|trial| {
        assert!(matches!(wait(trial.mailboxes().listing(folder)), Err(Error::NotFound(_))));
        assert!(own_names(trial, ann).is_empty());
        assert_eq!((trial.usage(ann).octets, trial.usage(ann).messages), (0, 0));
        assert!(trial.read_whole(message).unwrap() == letter(1, 100), "the body stays for its retention");
    });
    trial.deliver(trial.inbox(ann), &letter(2, 100));
}

pub fn a_folder_made_anew_has_a_higher_uid_validity(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    trial.create(ann, "a").unwrap();
    let mut last = trial.folder(ann, "a");
    for end in [End::Closed, End::Killed, End::Killed] {
        trial.delete(ann, "a").unwrap();
        trial.reopen(end);
        trial.create(ann, "a").unwrap();
        let folder = trial.folder(ann, "a");
        assert!(folder.uid_validity > last.uid_validity && folder.id != last.id);
        last = folder;
    }
    // A name given away by a rename and made anew counts too.
    trial.rename(ann, "a", "b").unwrap();
    trial.create(ann, "a").unwrap();
    assert!(trial.folder(ann, "a").uid_validity > last.uid_validity);
}

pub fn subscriptions_outlive_their_folder(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    for name in ["a", "b", "c"] {
        trial.create(ann, name).unwrap();
        trial.subscribe(ann, name, name != "b").unwrap();
    }
    trial.subscribe(ann, "c", false).unwrap();
    trial.subscribe(ann, "never/there", true).unwrap();
    trial.subscribe(ann, "never/there", true).unwrap();
    trial.subscribe(ann, "not/subscribed", false).unwrap();
    for name in ["a", "b", "c"] {
        trial.delete(ann, name).unwrap();
    }
    trial.holds(|trial| {
        let folders = wait(trial.mailboxes().folders(ann)).unwrap();
        assert_eq!(folders.subscribed_names, [folder_name("a"), folder_name("never/there")]);
    });
    trial.create(ann, "a").unwrap();
    trial.subscribe(ann, "never/there", false).unwrap();
    trial.holds(|trial| {
        assert!(trial.folder(ann, "a").subscribed);
        assert!(wait(trial.mailboxes().folders(ann)).unwrap().subscribed_names.is_empty());
    });
}

pub fn what_is_missing_is_not_found(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account("ann");
    assert!(matches!(trial.delete(ann, "a"), Err(Error::NotFound(_))));
    assert!(matches!(trial.rename(ann, "a", "b"), Err(Error::NotFound(_))));
    let nobody = AccountId(4_000_000);
    assert!(matches!(wait(trial.mailboxes().folders(nobody)), Err(Error::NotFound(_))));
    assert!(matches!(trial.create(nobody, "a"), Err(Error::NotFound(_))));
    assert!(own_names(&trial, ann).is_empty());
}
