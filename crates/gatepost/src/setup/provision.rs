//! Domains, mailboxes and settings, made where they are missing.

use management::settings::SettingValue;
use management::{Service, ServiceSettings};
use serde_json::Value;
use store::{AccountChange, Address, Error, NewAccount, SettingsMap, Timestamp};

use super::{Person, Plan, SetupError, User};
use crate::engine::Engine;
use crate::logon::{Hashing, generate};

/// What a command line asks for.
pub struct Provision {
    pub people: Vec<Person>,
    /// The name for greetings and the certificate; `None`: as it is.
    pub host: Option<String>,
    /// Where to listen; `None`: as it is.
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

/// Makes what is missing: done again after a crash, it goes on where it was. Answers the people in the
/// order given, each with the password that was made up for it now.
pub async fn provision(
    engine: &Engine,
    hashing: &Hashing,
    provision: Provision,
    now: Timestamp,
) -> Result<Vec<User>, SetupError> {
    let stored = engine.settings.snapshot().await?;
    let mut changes: Vec<(String, Option<Value>)> = Vec::new();
    if let Some(plan) = provision.plan {
        changes.extend(plan.changes(&stored)?);
    }
    if let Some(host) = provision.host {
        changes.push(("Server.HostName".to_owned(), Some(host.into())));
    }
    if provision.automatic_services {
        for service in Service::ALL {
            let name = format!("{}.StartupType", service.group());
            if !stored.contains_key(&name) {
                changes.push((name, Some(management::settings::StartupType::Automatic.write())));
            }
        }
    }
    changes.extend(provision.settings.into_iter().map(|(name, value)| (name, Some(value))));
    check_together(&stored, &changes)?;
    if !changes.is_empty() {
        engine.settings.change(changes).await?;
    }
    let mut users = Vec::new();
    for person in provision.people {
        users.push(ensure(engine, hashing, person, now).await?);
    }
    Ok(users)
}

/// Nothing is kept that the server could not start with.
fn check_together(stored: &SettingsMap, changes: &[(String, Option<Value>)]) -> Result<(), SetupError> {
    let mut after = stored.clone();
    after.extend(changes.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
    for service in Service::ALL {
        ServiceSettings::load(&after, service)?;
    }
    management::settings::ServerSettings::load(&after)?;
    crate::connectors::load(&after).map(drop)
}

async fn ensure(engine: &Engine, hashing: &Hashing, person: Person, now: Timestamp) -> Result<User, SetupError> {
    let Person { address, password } = person;
    match engine.directory.add_domain(address.domain()).await {
        Ok(()) | Err(Error::Exists(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let there = engine.directory.find(&address).await?;
    if there.as_ref().is_some_and(|account| account.password.is_some()) {
        return Ok(User { address, password: None });
    }
    let (secret, shown) = match password {
        Some(secret) => (secret, None),
        None => {
            let made = generate().map_err(|_| SetupError::Refused("the system gives no random numbers".to_owned()))?;
            let text: String = made.as_str().to_owned();
            (proto::logon::Secret::new(text.clone()), Some(text))
        }
    };
    let hash = Some(hashing.hash(secret).await?);
    match there {
        Some(account) => {
            let change = AccountChange { password: Some(hash), ..AccountChange::default() };
            engine.directory.change(account.id, change).await?;
        }
        None => create(engine, &address, hash, now).await?,
    }
    Ok(User { address, password: shown })
}

async fn create(
    engine: &Engine,
    address: &Address,
    password: Option<store::PasswordHash>,
    created: Timestamp,
) -> Result<(), SetupError> {
    let account = NewAccount { address: address.clone(), aliases: Vec::new(), password, quota: None, created };
    engine.directory.create(account).await?;
    Ok(())
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
