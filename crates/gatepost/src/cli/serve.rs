//! `gatepost serve`: runs the server of a data directory.

use std::io::{Write, stdout};
use std::time::Duration;

use super::{Run, Serve};
use crate::engine::Engine;
use crate::logon::Hashing;
use crate::logs::Log;
use crate::server::{Server, Signals};
use crate::setup::{DataDirectory, Ready, SetupError, User, is_provisioned};

/// Boxed for there is nothing to tell apart: the text goes to a person.
pub type Ran = Result<(), Box<dyn std::error::Error>>;

pub fn run(given: &Serve) -> Ran {
    runtime()?.block_on(async {
        let log = Log::begin(given.run.log_file.as_deref())?;
        let data = DataDirectory::open(&given.data)?;
        let engine = Engine::open(&data.store()).await?;
        if !is_provisioned(&engine).await? {
            let data = given.data.display();
            return Err(
                SetupError::Refused(format!("nothing is set up in {data}; use: gatepost init --data {data}")).into()
            );
        }
        let engine = engine.with_its_settings().await?;
        serve(&data, engine, Hashing::new()?, log, &given.run, None).await
    })
}

/// All of the server runs on this. Passwords are hashed and files read on its blocking threads.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_keep_alive(Duration::from_secs(10)).build()
}

/// Starts, says so, and serves until it is told to end. `card`: the domain and users to show, and whether
/// the ports had to be shifted.
pub async fn serve(
    data: &DataDirectory,
    engine: Engine,
    hashing: Hashing,
    log: Log,
    run: &Run,
    card: Option<(String, Vec<User>, bool)>,
) -> Ran {
    let domains = engine.directory.domains().await?;
    let signals = Signals::catch()?;
    let server = Server::start(data, engine, hashing).await?;
    let shows_card = card.is_some();
    let (domain, users, shifted) = card.unwrap_or_else(|| {
        let default = domains.iter().find(|domain| domain.default);
        (default.map(|domain| domain.name.clone()).unwrap_or_default(), Vec::new(), false)
    });
    let ready = Ready {
        host: server.host().to_owned(),
        domain,
        authority: server.certificate().files().authority(),
        data: data.path().to_owned(),
        ports: server.ports().await,
        users,
        shifted,
    };
    if run.json {
        writeln!(stdout(), "{}", ready.to_json())?;
    } else if shows_card {
        write!(stdout(), "{ready}\nServing until Ctrl-C or SIGTERM.\n")?;
    }
    stdout().flush()?;
    tracing::info!(host = ready.host, data = %ready.data.display(), "ready");
    drop(ready);
    server.run(signals, log).await;
    Ok(())
}
