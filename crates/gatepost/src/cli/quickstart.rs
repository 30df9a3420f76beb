//! `gatepost quickstart`: from nothing to a server that people can use.

use management::settings::HostName;

use super::Quickstart;
use super::serve::{Newcomers, Ran, logged, serve};
use crate::engine::Engine;
use crate::logs::{Detail, Log};
use crate::setup::{
    Configuration, DataDirectory, Person, Plan, SHIFT, SetupError, configure, is_provisioned, parse_password_file,
};

pub fn run(given: Quickstart) -> Ran {
    let run = given.run.clone();
    let detail = if run.json { Detail::Sessions } else { Detail::ForPeople };
    logged(&run, detail, async |log| quickstart(given, log).await)
}

async fn quickstart(given: Quickstart, log: Log) -> Ran {
    let people = people(&given)?;
    let data = DataDirectory::create(&given.data)?;
    let engine = Engine::open(&data.store()).await?;
    let first = !is_provisioned(&engine).await?;
    let plan = plan(&given, first)?;
    let configuration = Configuration {
        host: given.host.clone().or_else(|| first.then(localhost)),
        plan,
        automatic_services: true,
        settings: given.settings,
    };
    configure(&engine, configuration).await?;
    let engine = engine.with_its_settings().await?;
    let shifted = given.port_offset.is_none() && plan.is_some_and(|plan| plan.offset == SHIFT);
    let newcomers = Newcomers { domain: given.address.domain().to_owned(), people, shifted };
    serve(&data, engine, log, &given.run, Some(newcomers)).await
}

fn localhost() -> HostName {
    HostName::parse("localhost").unwrap_or_default()
}

/// Where to listen, if the command line or a first run says so.
fn plan(given: &Quickstart, first: bool) -> Result<Option<Plan>, SetupError> {
    let listen = given.listen.unwrap_or_default();
    match given.port_offset {
        Some(offset) if u32::from(offset) + 995 > u32::from(u16::MAX) => {
            Err(SetupError::Refused(format!("--port-offset {offset} leads past port 65535; 64540 is the most")))
        }
        Some(offset) => Ok(Some(Plan { listen, offset })),
        None if first || given.listen.is_some() => Ok(Some(Plan::find(listen)?)),
        None => Ok(None),
    }
}

/// Everybody named on the command line, with the passwords of the file; then those of the file alone.
fn people(given: &Quickstart) -> Result<Vec<Person>, SetupError> {
    let mut listed = given.password_file.as_deref().map(parse_password_file).transpose()?.unwrap_or_default();
    let mut people: Vec<Person> = Vec::new();
    for address in std::iter::once(&given.address).chain(&given.users) {
        if people.iter().any(|person| person.address == *address) {
            continue;
        }
        let place = listed.iter().position(|person| person.address == *address);
        let password = place.and_then(|place| listed.swap_remove(place).password);
        people.push(Person { address: address.clone(), password });
    }
    if let Some(stray) = listed.first() {
        return Err(SetupError::Refused(format!(
            "the password file names {0}, who gets no mailbox: add --user {0}",
            stray.address
        )));
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::Listen;

    #[test]
    fn an_offset_that_leads_past_the_last_port_is_refused() {
        let given = |offset| Quickstart {
            address: store::Address::parse("ann@example.test").unwrap(),
            data: "x".into(),
            host: None,
            listen: Some(Listen::default()),
            port_offset: Some(offset),
            users: Vec::new(),
            password_file: None,
            settings: Vec::new(),
            run: crate::cli::Run { log_file: None, json: true },
        };
        assert!(plan(&given(64_540), true).is_ok());
        assert!(plan(&given(64_541), true).is_err());
    }
}
