//! Settings, made what is asked for.

use management::settings::{HostName, SettingValue};
use management::{Service, ServiceSettings};
use serde_json::Value;
use store::SettingsMap;

use super::{Plan, SetupError};
use crate::engine::Engine;

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
