//! Claims about domains and accounts.

use super::harness::Open;
use super::letters::letter;
use super::trial::{Trial, address, new_account, wait};
use crate::{
    AcceptedDomain, Account, AccountChange, AccountId, Address, AppPassword, AppPasswordChange, AppPasswordDigest,
    ClientAccess, Entry, Error, FullAccessChange, NewAccount, Password, PasswordHash, Protocols, SealedVerifiers,
    Source, SpecialUse,
};

pub fn a_new_account_has_its_special_folders_subscribed(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    trial.holds(|trial| {
        let tree = trial.tree(ann);
        let mut expected = vec![("INBOX", None)];
        expected.extend(SpecialUse::DEFAULT_FOLDERS.map(|(name, special_use)| (name, Some(special_use))));
        expected.sort_unstable_by_key(|(name, _)| *name);
        let found: Vec<_> = tree.iter().map(|folder| (folder.name.as_str(), folder.special_use)).collect();
        assert_eq!(found, expected);
        assert!(tree.iter().all(|folder| folder.subscribed && folder.id.account() == ann));
        assert!(tree.iter().all(|folder| trial.listing(folder.id).is_empty()));
        assert_eq!((trial.usage(ann).octets, trial.usage(ann).messages), (0, 0));
    });
}

/// A password with all that may be kept of one.
fn kept() -> Password {
    Password { verifiers: Some(SealedVerifiers(Box::from(*b"\0sealed\xff"))), ..Password::hashed("$argon2id$1") }
}

pub fn a_password_is_replaced_only_while_it_is_the_one_that_was_meant(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let change = |trial: &Trial, new: &str, provided: Option<&str>| {
        let provided = provided.map(|hash| PasswordHash(hash.into()));
        let password = Some(Some(Password::hashed(new)));
        wait(trial.directory().change(ann, AccountChange { password, provided, ..AccountChange::default() }))
    };
    assert!(matches!(change(&trial, "b", Some("a")), Err(Error::Conflict)), "there is none yet");
    change(&trial, "a", None).unwrap();
    change(&trial, "b", Some("a")).unwrap();
    assert!(matches!(change(&trial, "c", Some("a")), Err(Error::Conflict)));
    trial.holds(|trial| {
        let found = wait(trial.directory().account(ann)).unwrap().unwrap();
        assert_eq!(found.password, Some(Password::hashed("b")));
        assert_eq!(found.access, ClientAccess::default());
    });
}

pub fn what_an_account_may_be_used_by_is_kept(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let access = ClientAccess { protocols: Protocols { imap4: true, ..Protocols::NONE }, ntlm: true };
    wait(trial.directory().change(ann, AccountChange { access: Some(access), ..AccountChange::default() })).unwrap();
    wait(trial.directory().change(ann, AccountChange { quota: Some(Some(7)), ..AccountChange::default() })).unwrap();
    // A change that was made up when it was otherwise is none.
    let stale =
        AccountChange { quota: Some(None), provided_access: Some(ClientAccess::default()), ..AccountChange::default() };
    assert!(matches!(wait(trial.directory().change(ann, stale)), Err(Error::Conflict)));
    trial.holds(|trial| {
        assert_eq!(wait(trial.directory().account(ann)).unwrap().map(|ann| ann.access), Some(access));
    });
}

pub fn where_an_account_comes_from_is_kept(open: Open) {
    let mut trial = Trial::new(open);
    let source =
        |seen, verified| Source::Directory(Entry { name: "uid=ann,dc=example".into(), id: "7".into(), seen, verified });
    let bob = trial.account("bob");
    let new = NewAccount { source: source(Some(1), None), ..new_account("ann") };
    let ann = wait(trial.directory().create(new)).unwrap();
    let of = |trial: &Trial, id| wait(trial.directory().account(id)).unwrap().unwrap().source.clone();
    trial.holds(|trial| assert_eq!((of(trial, ann), of(trial, bob)), (source(Some(1), None), Source::Local)));
    let change = |trial: &Trial, to, provided| {
        let change = AccountChange { source: Some(to), provided_source: Some(provided), ..AccountChange::default() };
        wait(trial.directory().change(ann, change))
    };
    change(&trial, source(None, Some(2)), source(Some(1), None)).unwrap();
    // One that was made up when it was otherwise is none.
    let stale = change(&trial, Source::Local, source(Some(1), None));
    assert!(matches!(stale, Err(Error::Conflict)));
    trial.holds(|trial| assert_eq!(of(trial, ann), source(None, Some(2))));
}

pub fn the_right_to_open_a_mailbox_is_given_and_taken(open: Open) {
    let mut trial = Trial::new(open);
    let (ann, bob) = (trial.account("ann"), trial.account("bob"));
    let change = |trial: &Trial, full_access| {
        let change = AccountChange { full_access: Some(full_access), ..AccountChange::default() };
        wait(trial.directory().change(ann, change))
    };
    let of = |trial: &Trial, id| wait(trial.directory().account(id)).unwrap().unwrap().full_access.clone();
    change(&trial, FullAccessChange::Give(bob)).unwrap();
    assert!(matches!(change(&trial, FullAccessChange::Give(bob)), Err(Error::Exists(_))));
    trial.holds(|trial| assert_eq!((of(trial, ann), of(trial, bob)), (vec![bob], Vec::new())));
    change(&trial, FullAccessChange::Take(bob)).unwrap();
    assert!(matches!(change(&trial, FullAccessChange::Take(bob)), Err(Error::NotFound(_))));
    trial.holds(|trial| assert!(of(trial, ann).is_empty()));
}

pub fn app_passwords_are_added_used_and_removed_one_by_one(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let change = |trial: &Trial, app_password| {
        let change = AccountChange { app_password: Some(app_password), ..AccountChange::default() };
        wait(trial.directory().change(ann, change))
    };
    let one = |name: &str, octet| AppPassword {
        name: name.into(),
        digest: AppPasswordDigest([octet; 32]),
        protocols: Protocols { smtp: true, ..Protocols::NONE },
        created: 1_100_000_000,
        expires: Some(1_200_000_000),
        last_used: None,
    };
    let used = |octet, at| AppPasswordChange::Used { digest: AppPasswordDigest([octet; 32]), at };
    change(&trial, AppPasswordChange::Add(one("Phone", 1))).unwrap();
    change(&trial, AppPasswordChange::Add(one("Printer", 2))).unwrap();
    assert!(matches!(change(&trial, AppPasswordChange::Add(one("pHONE", 3))), Err(Error::Exists(_))));
    change(&trial, used(2, 7)).unwrap();
    change(&trial, used(2, 5)).unwrap();
    change(&trial, AppPasswordChange::Remove { name: "PHONE".into() }).unwrap();
    assert!(matches!(change(&trial, AppPasswordChange::Remove { name: "Phone".into() }), Err(Error::NotFound(_))));
    assert!(matches!(change(&trial, used(1, 9)), Err(Error::NotFound(_))));
    trial.holds(|trial| {
        let kept = wait(trial.directory().account(ann)).unwrap().unwrap().app_passwords.clone();
        assert_eq!(kept, [AppPassword { last_used: Some(7), ..one("Printer", 2) }]);
    });
}

pub fn an_account_has_so_many_app_passwords_and_no_more(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account("ann");
    let add = |number: usize| {
        let new = AppPassword {
            name: number.to_string(),
            digest: AppPasswordDigest([0; 32]),
            protocols: Protocols::ALL,
            created: 0,
            expires: None,
            last_used: None,
        };
        let app_password = Some(AppPasswordChange::Add(new));
        wait(trial.directory().change(ann, AccountChange { app_password, ..AccountChange::default() }))
    };
    for number in 0..Account::MOST_APP_PASSWORDS {
        add(number).unwrap();
    }
    assert!(matches!(add(Account::MOST_APP_PASSWORDS), Err(Error::Limit(_))));
}

pub fn an_account_is_found_by_every_address_in_any_case(open: Open) {
    let mut trial = Trial::new(open);
    trial.account("bob");
    let directory = trial.directory();
    let password = Some(kept());
    let new =
        NewAccount { aliases: vec![address("sales"), address("info")], password, quota: Some(9), ..new_account("ann") };
    let ann = wait(directory.create(new)).unwrap();
    trial.holds(|trial| {
        let find = |text| wait(trial.directory().find(&Address::parse(text).unwrap())).unwrap();
        for text in ["ann@example.test", "ANN@Example.TEST", "Sales@example.test", "info@example.test"] {
            let found = find(text).unwrap_or_else(|| panic!("{text} is not found"));
            assert_eq!((found.id, &found.address, found.quota), (ann, &address("ann"), Some(9)));
            assert_eq!(found.password, Some(kept()));
            assert_eq!((found.aliases.len(), found.created), (2, 1_100_000_000));
            assert_eq!(wait(trial.directory().account(ann)).unwrap(), Some(found));
        }
        assert_eq!(find("nobody@example.test"), None);
    });
}

pub fn an_address_is_taken_once(open: Open) {
    let trial = Trial::new(open);
    let directory = trial.directory();
    trial.account("ann");
    wait(directory.create(NewAccount { aliases: vec![address("info")], ..new_account("bob") })).unwrap();
    let with = |local, alias: Option<&str>| NewAccount {
        aliases: alias.map(address).into_iter().collect(),
        ..new_account(local)
    };
    for taken in [
        with("ann", None),
        with("info", None),
        with("cid", Some("ann")),
        with("cid", Some("info")),
        with("cid", Some("cid")),
    ] {
        assert!(matches!(wait(directory.create(taken)), Err(Error::Exists(_))));
    }
    assert_eq!(wait(directory.find(&address("cid"))).unwrap(), None);
    wait(directory.create(with("cid", Some("cidre")))).unwrap();
}

pub fn addresses_need_an_accepted_domain(open: Open) {
    let trial = Trial::new(open);
    let ann = trial.account("ann");
    let foreign = Address::parse("ann@elsewhere.test").unwrap();
    let directory = trial.directory();
    let create = |new| matches!(wait(directory.create(new)), Err(Error::NotFound(_)));
    assert!(create(NewAccount { address: foreign.clone(), ..new_account("x") }));
    assert!(create(NewAccount { aliases: vec![foreign.clone()], ..new_account("x") }));
    let change = AccountChange { aliases: Some(vec![foreign.clone()]), ..AccountChange::default() };
    assert!(matches!(wait(directory.change(ann, change)), Err(Error::NotFound(_))));
    wait(directory.add_domain("elsewhere.test")).unwrap();
    assert_eq!(wait(directory.find(&foreign)).unwrap(), None);
    wait(directory.create(NewAccount { address: foreign, ..new_account("x") })).unwrap();
}

pub fn a_refused_change_of_an_account_changes_nothing(open: Open) {
    let mut trial = Trial::new(open);
    let (ann, _) = (trial.account("ann"), trial.account("bob"));
    let change = |trial: &Trial, aliases: &[&str], quota| {
        let aliases = Some(aliases.iter().map(|local| address(local)).collect());
        wait(trial.directory().change(ann, AccountChange { aliases, quota: Some(quota), ..AccountChange::default() }))
    };
    change(&trial, &["first"], Some(1)).unwrap();
    assert!(matches!(change(&trial, &["second", "bob"], Some(2)), Err(Error::Exists(_))));
    let missing = wait(trial.directory().change(AccountId(4_000_000_000), AccountChange::default()));
    assert!(matches!(missing, Err(Error::NotFound(_))));
    trial.holds(|trial| {
        let find = |local| wait(trial.directory().find(&address(local))).unwrap();
        assert_eq!(find("first").map(|account| (account.id, account.quota)), Some((ann, Some(1))));
        assert_eq!((find("second"), find("bob").map(|bob| bob.id == ann)), (None, Some(false)));
    });
    change(&trial, &["second", "first"], None).unwrap();
    change(&trial, &["second"], None).unwrap();
    trial.holds(|trial| {
        let find = |local| wait(trial.directory().find(&address(local))).unwrap();
        assert_eq!((find("second").map(|account| account.quota), find("first")), (Some(None), None));
    });
}

pub fn accounts_come_in_the_order_of_their_addresses(open: Open) {
    let mut trial = Trial::new(open);
    for local in ["eve", "ann", "dan"] {
        trial.account(local);
    }
    let alias = NewAccount { aliases: vec![address("bob")], ..new_account("cid") };
    wait(trial.directory().create(alias)).unwrap();
    trial.holds(|trial| {
        let page = |after: Option<&str>, limit| {
            let found = wait(trial.directory().accounts(after.map(address).as_ref(), limit)).unwrap();
            found.iter().map(|account| account.address.local().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(page(None, 9), ["ann", "cid", "dan", "eve"]);
        assert_eq!(page(None, 2), ["ann", "cid"]);
        assert_eq!(page(Some("cid"), 1), ["dan"]);
        assert_eq!(page(Some("b"), 9), ["cid", "dan", "eve"]);
        assert!(page(Some("eve"), 9).is_empty() && page(None, 0).is_empty());
    });
}

pub fn a_removed_account_is_gone_with_all_it_had(open: Open) {
    let mut trial = Trial::new(open);
    let (ann, bob) = (trial.account("ann"), trial.account("bob"));
    let (inbox, other) = (trial.inbox(ann), trial.inbox(bob));
    trial.deliver(inbox, &letter(1, 500));
    trial.deliver(other, &letter(2, 500));
    wait(trial.directory().remove(ann)).unwrap();
    trial.holds(|trial| {
        assert_eq!(wait(trial.directory().find(&address("ann"))).unwrap(), None);
        assert_eq!(wait(trial.directory().account(ann)).unwrap(), None);
        assert_eq!(wait(trial.directory().accounts(None, 9)).unwrap().len(), 1);
        assert!(matches!(wait(trial.mailboxes().folders(ann)), Err(Error::NotFound(_))));
        assert!(matches!(wait(trial.mailboxes().listing(inbox)), Err(Error::NotFound(_))));
        assert!(matches!(wait(trial.mailboxes().usage(ann)), Err(Error::NotFound(_))));
        assert!(matches!(wait(trial.directory().remove(ann)), Err(Error::NotFound(_))));
        assert_eq!(trial.uids(other).len(), 1, "the other account is unharmed");
    });
}

pub fn account_numbers_are_never_used_again(open: Open) {
    let mut trial = Trial::new(open);
    let mut seen = vec![trial.account("ann")];
    for end in [super::End::Closed, super::End::Killed, super::End::Closed] {
        wait(trial.directory().remove(seen[seen.len() - 1])).unwrap();
        trial.reopen(end);
        let id = trial.account("ann");
        assert!(!seen.contains(&id), "{id:?} came again");
        seen.push(id);
    }
}

pub fn the_first_domain_is_the_default(open: Open) {
    let mut trial = Trial::new(open);
    assert!(wait(trial.directory().domains()).unwrap().is_empty());
    wait(trial.directory().add_domain("Example.TEST")).unwrap();
    wait(trial.directory().add_domain("b.test")).unwrap();
    for again in ["example.test", "B.TEST"] {
        assert!(matches!(wait(trial.directory().add_domain(again)), Err(Error::Exists(_))));
    }
    for none in ["", "a b", "-a.test", "a..b", "a@b", "[127.0.0.1]"] {
        assert!(matches!(wait(trial.directory().add_domain(none)), Err(Error::Invalid(_))), "{none:?}");
    }
    trial.holds(|trial| {
        let expected = [("example.test", true), ("b.test", false)]
            .map(|(name, default)| AcceptedDomain { name: name.into(), default });
        assert_eq!(**wait(trial.directory().domains()).unwrap(), expected);
    });
}

pub fn an_account_made_anew_has_higher_uid_validities(open: Open) {
    let mut trial = Trial::new(open);
    let ann = trial.account("ann");
    let highest = trial.tree(ann).iter().map(|folder| folder.uid_validity).max();
    wait(trial.directory().remove(ann)).unwrap();
    trial.reopen(super::End::Killed);
    let again = trial.account("ann");
    assert!(trial.tree(again).iter().all(|folder| Some(folder.uid_validity) > highest));
}
