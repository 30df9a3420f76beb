//! Domains, mailboxes and settings, made where they are missing.

use management::settings::{HostName, SettingValue};
use management::{Service, ServiceSettings};
use proto::logon::Secret;
use serde_json::Value;
use store::{AccountChange, Address, Directory, Error, NewAccount, PasswordHash, SettingsMap, Timestamp};

use super::{Password, Person, Plan, SetupError, User};
use crate::engine::Engine;
use crate::logon::{Hashing, generate};

/// How the server is to be set up; what is not said stays as it is.
pub struct Configuration {
    /// The name for greetings and the certificate.
    pub host: Option<HostName>,
    /// Where to listen.
    pub plan: Option<Plan>,
    /// Start POP3 and IMAP4 with the server. An administrator's later choice is left alone.
    pub automatic_services: bool,
    /// `--set`: checked names and values.
    pub settings: Vec<(String, Value)>,
}

/// Whether anything was set up here before.
pub async fn is_provisioned(engine: &Engine) -> Result<bool, SetupError> {
    Ok(!engine.directory.domains().await?.is_empty())
}

/// Makes the settings what is asked for.
pub async fn configure(engine: &Engine, configuration: Configuration) -> Result<(), SetupError> {
    let stored = engine.settings.snapshot().await?;
    let mut changes: Vec<(String, Option<Value>)> = Vec::new();
    if let Some(plan) = configuration.plan {
        changes.extend(plan.changes(&stored)?);
    }
    if let Some(host) = configuration.host {
        changes.push(("Server.HostName".to_owned(), Some(host.write())));
    }
    if configuration.automatic_services {
        for service in Service::ALL {
            let name = format!("{}.StartupType", service.group());
            if !stored.contains_key(&name) {
                changes.push((name, Some(management::settings::StartupType::Automatic.write())));
            }
        }
    }
    changes.extend(configuration.settings.into_iter().map(|(name, value)| (name, Some(value))));
    check_together(&stored, &changes)?;
    if !changes.is_empty() {
        engine.settings.change(changes).await?;
    }
    Ok(())
}

/// Makes the domains and mailboxes that are missing: done again after a crash, it goes on where it was. Answers
/// the people in the order given.
pub async fn admit(
    directory: &dyn Directory,
    hashing: &Hashing,
    people: Vec<Person>,
    now: Timestamp,
) -> Result<Vec<User>, SetupError> {
    let mut users = Vec::with_capacity(people.len());
    for person in people {
        users.push(ensure(directory, hashing, person, now).await?);
    }
    Ok(users)
}

/// Nothing is kept that the server could not start with.
fn check_together(stored: &SettingsMap, changes: &[(String, Option<Value>)]) -> Result<(), SetupError> {
    let mut after = stored.clone();
    after.extend(changes.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
    for service in Service::ALL {
        ServiceSettings::load(&after, service)?.check()?;
    }
    management::settings::ServerSettings::load(&after)?;
    crate::connectors::load(&after).map(drop)
}

async fn ensure(
    directory: &dyn Directory,
    hashing: &Hashing,
    person: Person,
    now: Timestamp,
) -> Result<User, SetupError> {
    let Person { address, password } = person;
    match directory.add_domain(address.domain()).await {
        Ok(()) | Err(Error::Exists(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let there = directory.find(&address).await?;
    if let Some(hash) = there.as_ref().and_then(|account| account.password.clone()) {
        return Ok(User { password: still(hashing, hash, password, &address).await, address });
    }
    let password = match password {
        Some(secret) => Password::Given(secret),
        None => {
            let made = generate().map_err(|_| SetupError::Refused("the system gives no random numbers".to_owned()))?;
            Password::Made(Secret::new(made.as_str().to_owned()))
        }
    };
    let hash = match &password {
        Password::Given(secret) | Password::Made(secret) => Some(hashing.hash(secret.clone()).await?),
        Password::SetBefore => None,
    };
    match there {
        Some(account) => {
            let change = AccountChange { password: Some(hash), ..AccountChange::default() };
            directory.change(account.id, change).await?;
        }
        None => {
            let aliases = Vec::new();
            let account = NewAccount { address: address.clone(), aliases, password: hash, quota: None, created: now };
            directory.create(account).await?;
        }
    }
    Ok(User { address, password })
}

/// A password that is set already stays; whether it is the one of the password file is found out.
async fn still(hashing: &Hashing, hash: PasswordHash, listed: Option<Secret>, address: &Address) -> Password {
    let Some(secret) = listed else { return Password::SetBefore };
    if hashing.verify(Some(hash), secret.clone()).await {
        return Password::Given(secret);
    }
    tracing::warn!(
        address = address.as_str(),
        "the mailbox has another password than the password file says, and keeps it; Set-Mailbox -Password changes it"
    );
    Password::SetBefore
}

/// The name that clients connect to: the setting, or this machine's own.
pub fn host_name(setting: &str) -> String {
    if !setting.is_empty() {
        return setting.to_owned();
    }
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let own = own.trim().to_ascii_lowercase();
    let valid = !own.is_empty() && own.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if valid { own } else { "localhost".to_owned() }
}
