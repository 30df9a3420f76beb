//! Mailboxes, made where they are missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use proto::logon::Secret;
use store::{Account, AccountChange, Address, Directory, Error, NewAccount, PasswordHash, Settings, Source, Timestamp};

use super::marks::NotShown;
use super::{Password, Person, SetupError, User};
use crate::logon::{Hashing, Urgency, generate};

/// Makes the domains and mailboxes that are missing: done again after a crash, it goes on where it was. Answers
/// the people in the order given. Passwords that are made up are marked until [`shown`] says that somebody has seen
/// them: a run after one that was cut short makes others.
pub async fn admit(
    directory: &dyn Directory,
    settings: &dyn Settings,
    hashing: &Hashing,
    people: Vec<Person>,
    now: Timestamp,
) -> Result<Vec<User>, SetupError> {
    let mut not_shown = NotShown::load(settings).await?;
    let mut under_way = Vec::with_capacity(people.len());
    for person in people {
        let account = directory.find(&person.address).await?;
        let stays = account.as_ref().is_some_and(|account| account.password.is_some() && !not_shown.has(account));
        // All at once: the pool of hashing says how many there are at a time.
        under_way.push(tokio::spawn(prepare(hashing.clone(), person, account, stays)));
    }
    let mut prepared = Vec::with_capacity(under_way.len());
    for task in under_way {
        let ended = task.await.map_err(|panic| SetupError::Refused(format!("hashing failed: {panic}")))?;
        prepared.push(ended?);
    }

    let mut marks = 0;
    for one in &prepared {
        if let (Password::Made(_), Some(kept)) = (&one.password, &one.kept) {
            not_shown.add(&one.address, &kept.hash);
            marks += 1;
        }
    }
    if marks > 0 {
        not_shown.store(settings).await?;
    }
    let domains: BTreeSet<&str> = prepared.iter().map(|one| one.address.domain()).collect();
    // The first is the default.
    for domain in prepared.first().map(|one| one.address.domain()).into_iter().chain(domains) {
        match directory.add_domain(domain).await {
            Ok(()) | Err(Error::Exists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut users = Vec::with_capacity(prepared.len());
    for one in prepared {
        users.push(one.commit(directory, now).await?);
    }
    Ok(users)
}

/// Somebody has seen the passwords that were made up for these.
pub async fn shown(settings: &dyn Settings, users: &[User]) -> Result<(), SetupError> {
    let mut not_shown = NotShown::load(settings).await?;
    let removed = users.iter().filter(|user| not_shown.remove(&user.address)).count();
    if removed > 0 { not_shown.store(settings).await } else { Ok(()) }
}

/// A mailbox, and what is still to be done for it.
struct Prepared {
    address: Address,
    account: Option<Arc<Account>>,
    password: Password,
    /// To be stored; `None`: the password stays.
    kept: Option<store::Password>,
}

async fn prepare(
    hashing: Hashing,
    person: Person,
    account: Option<Arc<Account>>,
    stays: bool,
) -> Result<Prepared, SetupError> {
    let Person { address, password } = person;
    if stays {
        let hash = account.as_ref().and_then(|account| Some(account.password.as_ref()?.hash.clone()));
        let password = still(&hashing, hash, password, &address).await;
        return Ok(Prepared { address, account, password, kept: None });
    }
    let (secret, password) = match password {
        Some(secret) => (secret.clone(), Password::Given(secret)),
        None => {
            let made = generate().map_err(|_| SetupError::Refused("the system gives no random numbers".to_owned()))?;
            let secret = Secret::new(made.as_str().to_owned());
            (secret.clone(), Password::Made(secret))
        }
    };
    let kept = Some(hashing.hash(secret, false).await?);
    Ok(Prepared { address, account, password, kept })
}

impl Prepared {
    async fn commit(self, directory: &dyn Directory, now: Timestamp) -> Result<User, SetupError> {
        let Self { address, account, password, kept } = self;
        match account {
            Some(account) if kept.is_some() => {
                let change = AccountChange { password: Some(kept), ..AccountChange::default() };
                directory.change(account.id, change).await?;
            }
            Some(_) => {}
            None => {
                let (aliases, password) = (Vec::new(), kept);
                let account = NewAccount {
                    address: address.clone(),
                    aliases,
                    source: Source::Local,
                    password,
                    quota: None,
                    created: now,
                };
                directory.create(account).await?;
            }
        }
        Ok(User { address, password })
    }
}

/// A password that is set already stays; whether it is the one of the password file is found out.
async fn still(hashing: &Hashing, hash: Option<PasswordHash>, listed: Option<Secret>, address: &Address) -> Password {
    let Some(secret) = listed else { return Password::SetBefore };
    if hashing.verify(hash, secret.clone(), Urgency::KNOWN).await {
        return Password::Given(secret);
    }
    tracing::warn!(
        address = address.as_str(),
        "the mailbox has another password than the password file says, and keeps it; Set-Mailbox -Password changes it"
    );
    Password::SetBefore
}

#[cfg(test)]
mod tests {
    use store::memory::Memory;

    use super::*;
    use crate::logon::Vault;

    fn people() -> Vec<Person> {
        ["ann@example.test", "bob@other.test"]
            .map(|address| Person { address: Address::parse(address).unwrap(), password: None })
            .into()
    }

    async fn run(store: &Memory) -> Vec<User> {
        admit(store, store, &Hashing::new(4, Vault::fleeting().unwrap(), 1).unwrap(), people(), 0).await.ok().unwrap()
    }

    fn made(user: &User) -> Option<String> {
        match &user.password {
            Password::Made(secret) => Some(secret.expose().to_owned()),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_password_that_was_never_shown_is_made_anew_and_one_that_was_stays() {
        let store = Memory::new();
        // Cut short before the card.
        let first = run(&store).await;
        let second = run(&store).await;
        assert!(made(&second[0]).is_some() && made(&second[0]) != made(&first[0]));
        let ann = store.find(&second[0].address).await.unwrap().unwrap();
        let hashing = Hashing::new(4, Vault::fleeting().unwrap(), 1).unwrap();
        assert!(
            hashing
                .verify(
                    ann.password.as_ref().map(|kept| kept.hash.clone()),
                    Secret::new(made(&second[0]).unwrap()),
                    Urgency::KNOWN
                )
                .await
        );

        // Somebody gives Bob a password of his own meanwhile.
        let bob = store.find(&second[1].address).await.unwrap().unwrap();
        let own = Some(Some(store::Password::hashed("of his own")));
        Directory::change(&store, bob.id, AccountChange { password: own, ..AccountChange::default() }).await.unwrap();
        let third = run(&store).await;
        assert!(made(&third[0]).is_some() && matches!(third[1].password, Password::SetBefore));

        shown(&store, &third).await.unwrap();
        let fourth = run(&store).await;
        assert!(fourth.iter().all(|user| matches!(user.password, Password::SetBefore)));
        assert_eq!(store.snapshot().await.unwrap().len(), 0, "no mark is left");
        let domains = store.domains().await.unwrap();
        assert!(domains.iter().any(|domain| domain.default && domain.name == "example.test"));
    }
}
