//! `Get-Service`, `Start-Service`, `Stop-Service`, `Restart-Service`, `Set-Service`.

use serde_json::{Value, json};

use crate::settings::{SettingValue, StartupType};
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, Service, ServiceSettings, World};

const ANY: Parameter =
    Parameter::new("Name", Kind::Text, "POP3 (MSExchangePOP3) or IMAP4 (MSExchangeIMAP4)").positional();
const NAME: Parameter = ANY.required();

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "Get",
        noun: "Service",
        synopsis: "Shows the protocol services, whether they run and how they start",
        parameters: &[ANY],
        destroys: None,
        run: |world, given| Box::pin(get(world, given)),
    },
    Command {
        verb: "Start",
        noun: "Service",
        synopsis: "Starts a service with its stored settings",
        parameters: &[NAME],
        destroys: None,
        run: |world, given| Box::pin(start(world, given)),
    },
    Command {
        verb: "Stop",
        noun: "Service",
        synopsis: "Stops a service and ends its sessions",
        parameters: &[NAME],
        destroys: None,
        run: |world, given| Box::pin(stop(world, given)),
    },
    Command {
        verb: "Restart",
        noun: "Service",
        synopsis: "Starts a service anew, so that changed settings take effect; one that runs is stopped for it",
        parameters: &[NAME],
        destroys: None,
        run: |world, given| Box::pin(restart(world, given)),
    },
    Command {
        verb: "Set",
        noun: "Service",
        synopsis: "Sets how a service starts",
        parameters: &[
            NAME,
            Parameter::new(
                "StartupType",
                Kind::Text,
                "Automatic: with the server. Manual: by Start-Service. Disabled: not at all",
            )
            .required(),
        ],
        destroys: None,
        run: |world, given| Box::pin(set(world, given)),
    },
];

fn service(given: Given<'_>) -> Result<Option<Service>, Failure> {
    given.text("Name")?.map(parse).transpose()
}

fn parse(name: &str) -> Result<Service, Failure> {
    Service::parse(name).ok_or_else(|| {
        let names = Service::ALL.map(|s| format!("{} ({})", s.name(), s.long_name())).join(", ");
        Failure(format!("there is no service {name:?}. Services are: {names}."))
    })
}

/// What the store holds for a service.
pub(super) async fn stored(world: &dyn World, service: Service) -> Result<ServiceSettings, Failure> {
    let map = world.settings().snapshot().await?;
    ServiceSettings::load(&map, service).map_err(|invalid| Failure(invalid.0))
}

async fn get(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let chosen = service(given)?;
    let mut outcome = Outcome::default();
    for service in Service::ALL.into_iter().filter(|s| chosen.is_none_or(|chosen| chosen == *s)) {
        let settings = stored(world, service).await?;
        outcome.results.push(describe(world, service, &settings));
        // Whoever looks is told, for as long as it is so.
        outcome.warnings.extend(super::service_settings::risk(service, &settings));
        outcome.warnings.extend(world.services().failure(service));
    }
    Ok(outcome)
}

fn describe(world: &dyn World, service: Service, settings: &ServiceSettings) -> Object {
    let running = world.services().running(service);
    Object::from_iter([
        ("Name".into(), Value::from(service.name())),
        ("Status".into(), if running.is_some() { "Running" } else { "Stopped" }.into()),
        ("StartupType".into(), settings.startup_type.name().into()),
        ("LoginType".into(), settings.login_type.write()),
        ("PendingRestart".into(), super::service_settings::pending(running.as_ref(), settings).into()),
    ])
}

async fn done(world: &dyn World, service: Service) -> Result<Outcome, Failure> {
    let settings = stored(world, service).await?;
    Ok(Outcome::of(vec![describe(world, service, &settings)]))
}

async fn start(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let service = may_start(world, given).await?;
    world.services().start(service).await.map_err(Failure)?;
    done(world, service).await
}

async fn stop(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let service = parse(given.required("Name")?)?;
    world.services().stop(service).await.map_err(Failure)?;
    done(world, service).await
}

async fn restart(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let service = may_start(world, given).await?;
    world.services().restart(service).await.map_err(Failure)?;
    done(world, service).await
}

async fn may_start(world: &dyn World, given: Given<'_>) -> Result<Service, Failure> {
    let service = parse(given.required("Name")?)?;
    if stored(world, service).await?.startup_type == StartupType::Disabled {
        let name = service.name();
        return Err(Failure(format!("{name} is disabled. Use: Set-Service {name} -StartupType Manual")));
    }
    Ok(service)
}

async fn set(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let service = parse(given.required("Name")?)?;
    let startup = StartupType::read(&json!(given.required("StartupType")?)).map_err(|invalid| Failure(invalid.0))?;
    world.settings().change(vec![(format!("{}.StartupType", service.group()), Some(startup.write()))]).await?;
    done(world, service).await
}
