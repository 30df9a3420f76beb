//! `gatepost serve`: runs the server of a data directory.

use std::io::{Write, stdout};
use std::time::Duration;

use super::{Run, Serve};
use crate::engine::Engine;
use crate::logs::{Detail, Log};
use crate::server::{Server, Signals};
use crate::setup::{DataDirectory, Person, Ready, SetupError, is_provisioned};

/// Boxed for there is nothing to tell apart: the text goes to a person.
pub type Ran<T = ()> = Result<T, Box<dyn std::error::Error>>;

pub fn run(given: &Serve) -> Ran {
    logged(&given.run, Detail::Sessions, async |log| {
        let nothing = || {
            let data = given.data.display();
            SetupError::Refused(format!("nothing is set up in {data}; use: gatepost init --data {data}"))
        };
        let data = DataDirectory::open(&given.data)?;
        // Looked for first: opening a store makes one.
        if !data.store().is_dir() {
            return Err(nothing().into());
        }
        let engine = Engine::open(&data.store()).await?;
        if !is_provisioned(&engine).await? {
            return Err(nothing().into());
        }
        let engine = engine.with_its_settings().await?;
        serve(&data, engine, log, &given.run, None).await
    })
}

/// A task with a log, whose last lines are written before this returns.
pub fn logged(run: &Run, detail: Detail, task: impl AsyncFnOnce(Log) -> Ran) -> Ran {
    let log = Log::begin(run.log_file.as_deref(), detail)?;
    let ran = block_on(task(log.clone()));
    log.flush();
    ran
}

/// All of the server runs on this. Passwords are hashed and files read on its blocking threads; what is not done
/// when `task` has ended is not waited for.
pub fn block_on<T>(task: impl Future<Output = Ran<T>>) -> Ran<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_keep_alive(Duration::from_secs(10)).build()?;
    let ran = runtime.block_on(task);
    runtime.shutdown_background();
    ran
}

/// Who is to be shown the client settings card.
pub struct Newcomers {
    pub domain: String,
    pub people: Vec<Person>,
    /// The ports are not the standard ones, for those could not be had.
    pub shifted: bool,
}

/// Starts, says so, and serves until it is told to end.
pub async fn serve(data: &DataDirectory, engine: Engine, log: Log, run: &Run, newcomers: Option<Newcomers>) -> Ran {
    let domains = engine.directory.domains().await?;
    let signals = Signals::catch()?;
    let server = Server::start(data, engine).await?;
    let shows_card = newcomers.is_some();
    let Newcomers { domain, people, shifted } = newcomers.unwrap_or_else(|| {
        let domain = domains.iter().find(|domain| domain.default).map(|domain| domain.name.clone());
        Newcomers { domain: domain.unwrap_or_default(), people: Vec::new(), shifted: false }
    });
    // Only now, when nothing can keep the server from running any more: a password that is made up here is
    // shown this once.
    let users = match server.admit(people).await {
        Ok(users) => users,
        Err(error) => {
            server.stop().await;
            return Err(error.into());
        }
    };
    let ready = Ready {
        host: server.host().to_owned(),
        domain,
        authority: server.certificate().files().authority(),
        data: data.path().to_owned(),
        ports: server.ports().await,
        users,
        shifted,
        failures: server.failures(),
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
