//! `New-AcceptedDomain`, `Get-AcceptedDomain`.

use serde_json::Value;
use store::{AcceptedDomain, Error};

use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

const NAME: Parameter =
    Parameter::new("DomainName", Kind::Text, "a domain that mail is received for, such as example.test").positional();

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "New",
        noun: "AcceptedDomain",
        synopsis: "Receives mail for a further domain",
        parameters: &[NAME.required()],
        destroys: None,
        run: |world, given| Box::pin(new(world, given)),
    },
    Command {
        verb: "Get",
        noun: "AcceptedDomain",
        synopsis: "Shows the domains that mail is received for",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(get(world)),
    },
];

async fn new(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let name = AcceptedDomain::parse_name(given.required(NAME.name)?)?;
    match world.directory().add_domain(&name).await {
        Ok(()) => get(world).await,
        Err(Error::Exists(_)) => Err(Failure(format!("{name} is an accepted domain already"))),
        Err(error) => Err(error.into()),
    }
}

async fn get(world: &dyn World) -> Result<Outcome, Failure> {
    let domains = world.directory().domains().await?;
    let shown = domains.iter().map(|domain| {
        Object::from_iter([
            ("DomainName".into(), Value::from(domain.name.as_str())),
            ("Default".into(), domain.default.into()),
        ])
    });
    Ok(Outcome::of(shown.collect()))
}
