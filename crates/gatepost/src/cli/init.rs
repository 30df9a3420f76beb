//! `gatepost init`: sets a data directory up; an administrator starts the services later.

use std::io::{Write, stdout};

use management::settings::{HostName, ServerSettings};

use super::Init;
use super::serve::{Ran, block_on};
use crate::clock::now;
use crate::engine::Engine;
use crate::logon::{Hashing, Vault};
use crate::setup::{
    Configuration, DataDirectory, SetupError, Unfinished, admit, configure, host_name, is_provisioned,
    parse_password_file,
};
use crate::tls::{Certificate, TlsFiles};

pub fn run(given: &Init) -> Ran {
    block_on(init(given))
}

async fn init(given: &Init) -> Ran {
    let people = parse_password_file(&given.users_file)?;
    if people.is_empty() {
        let why = format!("{} names nobody; its lines are: address password", given.users_file.display());
        return Err(SetupError::Refused(why).into());
    }
    let domain = given.domain.to_ascii_lowercase();
    if let Some(stray) = people.iter().find(|person| person.address.domain() != domain) {
        let why = format!("{} is not of the domain {domain}", stray.address);
        return Err(SetupError::Refused(why).into());
    }
    let data = DataDirectory::create(&given.data)?;
    let engine = Engine::open(&data.store()).await?;
    let resumes = Unfinished::is_set(&*engine.settings).await?;
    if !resumes && is_provisioned(&engine).await? {
        let path = given.data.display();
        return Err(SetupError::Refused(format!(
            "{path} is set up already; run it with: gatepost serve --data {path}"
        ))
        .into());
    }
    Unfinished::set(&*engine.settings).await?;
    let count = people.len();
    let configuration =
        Configuration { host: given.host.clone(), plan: None, automatic_services: false, settings: Vec::new() };
    configure(&engine, configuration).await?;
    let settings = ServerSettings::load(&*engine.settings.snapshot().await?).map_err(SetupError::from)?;
    let vault = Vault::open(data.path())?;
    let hashing = Hashing::new(settings.max_concurrent_password_hashes as usize, vault, settings.scram_iterations)?;
    admit(&*engine.directory, &*engine.settings, &hashing, people, now()).await?;
    let host = host_name(given.host.as_ref().map_or("", HostName::as_str));
    Certificate::load(TlsFiles::new(data.path()), &host, time::OffsetDateTime::now_utc())?;
    Unfinished::clear(&*engine.settings).await?;
    engine.close().await;
    let path = given.data.display();
    write!(
        stdout(),
        "Set up {domain} in {path}; mailboxes: {count}.\n\nPOP3 and IMAP4 are Manual and stopped. To use them:\n  gatepost serve --data {path}\n  gatepost Set-Service IMAP4 -StartupType Automatic --data {path}\n  gatepost Start-Service IMAP4 --data {path}\n"
    )?;
    Ok(())
}
