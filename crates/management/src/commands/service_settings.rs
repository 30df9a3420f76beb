//! `Get-PopSettings`, `Set-PopSettings`, `Get-ImapSettings`, `Set-ImapSettings`.

use store::SettingsMap;

use super::service::stored;
use super::settings::{changes, describe, parameters};
use crate::{Command, Failure, Given, Outcome, Parameter, Service, ServiceSettings, World};

const PARAMETERS: [Parameter; ServiceSettings::DECLARATIONS.len()] = parameters(ServiceSettings::DECLARATIONS);

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "Get",
        noun: "PopSettings",
        synopsis: "Shows the settings of POP3, and those it still runs with",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(get(world, Service::Pop3)),
    },
    Command {
        verb: "Set",
        noun: "PopSettings",
        synopsis: "Changes settings of POP3; they take effect at Restart-Service POP3",
        parameters: &PARAMETERS,
        destroys: None,
        run: |world, given| Box::pin(set(world, given, Service::Pop3)),
    },
    Command {
        verb: "Get",
        noun: "ImapSettings",
        synopsis: "Shows the settings of IMAP4, and those it still runs with",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(get(world, Service::Imap4)),
    },
    Command {
        verb: "Set",
        noun: "ImapSettings",
        synopsis: "Changes settings of IMAP4; they take effect at Restart-Service IMAP4",
        parameters: &PARAMETERS,
        destroys: None,
        run: |world, given| Box::pin(set(world, given, Service::Imap4)),
    },
];

/// Whether a service runs with other settings than are stored. How it starts is not in question.
pub(super) fn pending(running: Option<&ServiceSettings>, stored: &ServiceSettings) -> bool {
    running.is_some_and(|running| ServiceSettings { startup_type: stored.startup_type, ..running.clone() } != *stored)
}

/// What is to be said of settings that let log-ons travel in clear.
pub(super) fn risk(service: Service, settings: &ServiceSettings) -> Option<String> {
    let warning = settings.login_type.warning()?;
    Some(format!(
        "{} with {}: {warning} Use: Set-{}Settings -LoginType SecureLogin",
        service.name(),
        settings.login_type,
        service.group()
    ))
}

async fn get(world: &dyn World, service: Service) -> Result<Outcome, Failure> {
    let settings = stored(world, service).await?;
    let running = world.services().running(service);
    Ok(Outcome {
        results: vec![describe(&settings.values(), running.as_ref().map(ServiceSettings::values))],
        warnings: risk(service, &settings).into_iter().collect(),
        fault: None,
    })
}

async fn set(world: &dyn World, given: Given<'_>, service: Service) -> Result<Outcome, Failure> {
    let changes = changes(service.group(), ServiceSettings::DECLARATIONS, given)?;
    let mut after = SettingsMap::clone(&*world.settings().snapshot().await?);
    after.extend(changes.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
    let checked = ServiceSettings::load(&after, service).and_then(|settings| settings.check());
    checked.map_err(|invalid| Failure(invalid.0))?;
    world.settings().change(changes).await?;
    let mut outcome = get(world, service).await?;
    let settings = stored(world, service).await?;
    if pending(world.services().running(service).as_ref(), &settings) {
        outcome.warnings.push(format!("The change takes effect after: Restart-Service {}", service.name()));
    }
    Ok(outcome)
}
