//! `Get-PopSettings`, `Set-PopSettings`, `Get-ImapSettings`, `Set-ImapSettings`.

use serde_json::Value;

use super::service::stored;
use crate::settings::Declaration;
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, Service, ServiceSettings, World};

const COUNT: usize = ServiceSettings::DECLARATIONS.len();

/// A parameter for each declared setting.
const PARAMETERS: [Parameter; COUNT] = {
    let mut parameters = [Parameter::new("", Kind::Text, ""); COUNT];
    let mut at = 0;
    while at < COUNT {
        #[expect(clippy::indexing_slicing, reason = "both have COUNT elements; checked by the compiler")]
        let (parameter, declaration): (&mut Parameter, &Declaration) =
            (&mut parameters[at], &ServiceSettings::DECLARATIONS[at]);
        parameter.name = declaration.name;
        parameter.meaning = declaration.meaning;
        parameter.form = Some(declaration.form);
        at += 1;
    }
    parameters
};

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
        results: vec![describe(&settings, running.as_ref())],
        warnings: risk(service, &settings).into_iter().collect(),
        fault: None,
    })
}

/// The stored settings; where the running service has others, those too.
fn describe(settings: &ServiceSettings, running: Option<&ServiceSettings>) -> Object {
    let stored = settings.values();
    let mut object: Object = stored.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let in_force: Object = running
        .map(ServiceSettings::values)
        .unwrap_or_default()
        .into_iter()
        .zip(&stored)
        .filter(|((name, old), (_, new))| *name != "StartupType" && old != new)
        .map(|((name, old), _)| (name.to_owned(), old))
        .collect();
    object.insert("PendingRestart".into(), (!in_force.is_empty()).into());
    object.insert("InForceUntilRestart".into(), Value::Object(in_force));
    object
}

async fn set(world: &dyn World, given: Given<'_>, service: Service) -> Result<Outcome, Failure> {
    let mut changes = Vec::new();
    for declaration in ServiceSettings::DECLARATIONS {
        let Some(value) = given.value(declaration.name) else { continue };
        let value = (declaration.check)(value).map_err(|why| Failure(format!("-{}: {why}", declaration.name)))?;
        changes.push((format!("{}.{}", service.group(), declaration.name), Some(value)));
    }
    if changes.is_empty() {
        return Err(Failure(format!("name a setting to change; Get-{}Settings shows them all", service.group())));
    }
    world.settings().change(changes).await?;
    let mut outcome = get(world, service).await?;
    let settings = stored(world, service).await?;
    if pending(world.services().running(service).as_ref(), &settings) {
        outcome.warnings.push(format!("The change takes effect after: Restart-Service {}", service.name()));
    }
    Ok(outcome)
}
