//! `gatepost serve`: runs the server of a data directory.

use std::io::{Write, stdout};
use std::time::Duration;

use management::settings::ServerSettings;

use super::{Run, Serve};
use crate::engine::Engine;
use crate::logon::{begin_anew, is_in_use};
use crate::logs::{Detail, Log};
use crate::server::{Server, Signals};
use crate::setup::{DataDirectory, NotShown, Person, Ready, SetupError, Unfinished, is_provisioned};

/// Boxed for there is nothing to tell apart: the text goes to a person.
pub type Ran<T = ()> = Result<T, Box<dyn std::error::Error>>;

pub fn run(given: &Serve) -> Ran {
    logged(&given.run, Detail::Sessions, async |log| {
        let data = DataDirectory::of_server(&given.data)?;
        let engine = Engine::open(&data.store()).await?;
        refuse_unfinished(&data, &engine).await?;
        if !is_provisioned(&engine).await? {
            return Err(DataDirectory::nothing_in(&given.data).into());
        }
        let not_shown = NotShown::load(&*engine.settings).await?;
        for address in not_shown.addresses() {
            tracing::warn!(
                address,
                "a password was made for this mailbox and perhaps never shown; Set-Mailbox -Password gives it one, and so does gatepost quickstart"
            );
        }
        let engine = engine.with_its_settings().await?;
        serve(&data, engine, log, &given.run, None).await
    })
}

/// What was half set up is not served as if it were whole.
pub async fn refuse_unfinished(data: &DataDirectory, engine: &Engine) -> Result<(), SetupError> {
    if !Unfinished::is_set(&*engine.settings).await? {
        return Ok(());
    }
    let data = data.path().display();
    Err(SetupError::Refused(format!(
        "the setup of {data} was cut short; finish it with the same command: gatepost init --data {data} --domain D --users-file F"
    )))
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(Duration::from_secs(10))
        // Sockets are looked at after so many turns of tasks also while all threads have work: a turn may take a
        // millisecond.
        .event_interval(16)
        .build()?;
    let ran = runtime.block_on(task);
    runtime.shutdown_background();
    ran
}

/// Who is to be shown the client settings card.
pub struct Newcomers {
    pub domain: String,
    pub people: Vec<Person>,
    /// What else is to be said.
    pub notes: Vec<String>,
}

/// Starts, says so, and serves until it is told to end.
pub async fn serve(data: &DataDirectory, engine: Engine, log: Log, run: &Run, newcomers: Option<Newcomers>) -> Ran {
    let engine = with_its_keytab(engine, &log).await?;
    let domains = engine.directory.domains().await?;
    let signals = Signals::catch()?;
    let server = Server::start(data, engine).await?;
    let shows_card = newcomers.is_some();
    let Newcomers { domain, people, notes } = newcomers.unwrap_or_else(|| {
        let domain = domains.iter().find(|domain| domain.default).map(|domain| domain.name.clone());
        Newcomers { domain: domain.unwrap_or_default(), people: Vec::new(), notes: Vec::new() }
    });
    // Only now, when nothing but the card itself can fail any more: a password that is made up here is shown this
    // once.
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
        notes,
        failures: server.failures(),
    };
    let text = match (run.json, shows_card) {
        (true, _) => format!("{}\n", ready.to_json()),
        (false, true) => format!("{ready}\nServing until Ctrl-C or SIGTERM.\n"),
        (false, false) => String::new(),
    };
    if let Err(error) = show(&text) {
        server.stop().await;
        let why = format!(
            "the settings could not be shown ({error}), and a password that nobody has seen is made anew the next time"
        );
        return Err(SetupError::Refused(why).into());
    }
    server.shown(&ready.users).await?;
    tracing::info!(host = ready.host, data = %ready.data.display(), "ready");
    drop(ready);
    Ok(server.run(signals, log).await?)
}

/// The program is run anew if the library of Kerberos is to use another keytab than it would.
async fn with_its_keytab(engine: Engine, log: &Log) -> Ran<Engine> {
    let keytab = ServerSettings::load(&*engine.settings.snapshot().await?)?.kerberos_keytab;
    if keytab.is_empty() || is_in_use(&keytab) {
        return Ok(engine);
    }
    engine.close().await;
    tracing::info!(keytab, "begins anew, for the library of Kerberos to use this keytab");
    log.flush();
    Err(begin_anew(&keytab).into())
}

fn show(text: &str) -> std::io::Result<()> {
    let mut stdout = stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
