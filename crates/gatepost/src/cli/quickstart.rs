//! `gatepost quickstart`: from nothing to a server that people can use.

use management::settings::{HostName, ServerSettings};

use super::Quickstart;
use super::serve::{Newcomers, Ran, logged, refuse_unfinished, serve};
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
    let notes = match prepare(&given, &data, &engine).await {
        Ok(notes) => notes,
        Err(error) => {
            engine.close().await;
            return Err(error.into());
        }
    };
    let engine = engine.with_its_settings().await?;
    let newcomers = Newcomers { domain: given.address.domain().to_owned(), people, notes };
    serve(&data, engine, log, &given.run, Some(newcomers)).await
}

/// Makes the settings what the command line says. Answers what is to be said of them.
async fn prepare(given: &Quickstart, data: &DataDirectory, engine: &Engine) -> Result<Vec<String>, SetupError> {
    refuse_unfinished(data, engine).await?;
    let first = !is_provisioned(engine).await?;
    let before = Plan::stored(&*engine.settings.snapshot().await?);
    let plan = plan(given, first, before)?;
    let configuration = Configuration {
        host: given.host.clone().or_else(|| first.then(localhost)),
        plan,
        automatic_services: true,
        settings: given.settings.clone(),
    };
    configure(engine, configuration).await?;
    let host = ServerSettings::load(&*engine.settings.snapshot().await?)?.host_name;
    Ok(notes(given, before, plan, &host))
}

fn localhost() -> HostName {
    HostName::parse(LOCALHOST).unwrap_or_default()
}

const LOCALHOST: &str = "localhost";

/// Where to listen, if the command line or a first run says so. Of what it does not say, what is stored stays.
fn plan(given: &Quickstart, first: bool, before: Option<Plan>) -> Result<Option<Plan>, SetupError> {
    let before = before.filter(|plan| !plan.listen.free_ports);
    let listen = given.listen.or(before.map(|plan| plan.listen)).unwrap_or_default();
    match (given.port_offset, before) {
        (Some(offset), _) => Ok(Some(Plan { listen, offset })),
        (None, Some(Plan { offset, .. })) => Ok(given.listen.map(|listen| Plan { listen, offset })),
        (None, None) if first || given.listen.is_some() => Ok(Some(Plan::find(listen)?)),
        (None, None) => Ok(None),
    }
}

/// What is to be said of the addresses beside the settings themselves.
fn notes(given: &Quickstart, before: Option<Plan>, plan: Option<Plan>, host: &HostName) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(before), Some(plan)) = (before, plan)
        && before != plan
    {
        notes.push(
            "The server listens elsewhere than before: mail programs that were set up need these settings.".into(),
        );
    }
    let Some(now) = plan.or(before) else { return notes };
    if now.offset == SHIFT && given.port_offset.is_none() {
        notes.push(format!(
            "Every port is its standard one + {SHIFT}, for the standard ones could not be bound. Once they can be: --port-offset 0"
        ));
    }
    if !now.listen.address.is_loopback() && host.as_str() == LOCALHOST {
        notes.push("Other machines need a name to connect to, and a certificate for it: --host NAME".into());
    }
    notes
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

    fn given(listen: Option<&str>, port_offset: Option<u16>) -> Quickstart {
        Quickstart {
            address: store::Address::parse("ann@example.test").unwrap(),
            data: "x".into(),
            host: None,
            listen: listen.map(|text| text.parse().unwrap()),
            port_offset,
            users: Vec::new(),
            password_file: None,
            settings: Vec::new(),
            run: crate::cli::Run { log_file: None, json: true },
        }
    }

    #[test]
    fn a_later_run_keeps_the_half_of_its_addresses_that_it_does_not_name() {
        let before = Plan { listen: "0.0.0.0".parse().unwrap(), offset: 24_000 };
        let after = |listen, offset| plan(&given(listen, offset), false, Some(before)).unwrap();
        assert_eq!(after(None, Some(24_100)), Some(Plan { offset: 24_100, ..before }));
        let loopback = Plan { listen: Listen::default(), ..before };
        assert_eq!(after(Some("127.0.0.1"), None), Some(loopback));
        assert_eq!(after(None, None), None);

        let changed = given(Some("127.0.0.1"), None);
        assert!(notes(&changed, Some(before), Some(loopback), &localhost())[0].contains("elsewhere than before"));
        assert!(notes(&given(None, None), Some(before), None, &localhost())[0].contains("--host NAME"));
    }

    #[test]
    fn that_ports_are_shifted_is_said_each_time_with_the_way_back() {
        let shifted = Plan { listen: Listen::default(), offset: SHIFT };
        for plan in [Some(shifted), None] {
            let notes = notes(&given(None, None), Some(shifted), plan, &localhost());
            assert!(notes.len() == 1 && notes[0].contains("--port-offset 0"), "{notes:?}");
        }
    }
}
