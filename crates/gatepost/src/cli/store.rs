//! `gatepost store`: what an operator does with a store as a whole.
//!
//! A server that runs on the data does it itself; else this process opens the store. The results are the same.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use management::{Failure, Object, Outcome, Request, StoreMaintenance};
use serde_json::Value;
use store::Address;
use store_embedded::{Harmed, Repaired};

use super::serve::{Ran, block_on};
use super::{DEFAULT_DATA, address};
use crate::manage::{self, Maintenance};
use crate::setup::{DataDirectory, SetupError};

#[derive(Subcommand)]
pub enum Store {
    /// Read and check everything; mail goes on. The exit status is 1 when something is wrong
    Verify {
        #[command(flatten)]
        common: Common,
    },
    /// Make the index anew from the log, for a store that is damaged; the server must be stopped
    Repair {
        #[command(flatten)]
        common: Common,
    },
    /// Make a backup of everything: mail, accounts, settings, keys and certificates; mail goes on
    Backup {
        #[command(flatten)]
        common: Common,
        /// A new or empty directory
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Make a data directory from a backup; or, with --mailbox, bring back what one mailbox lost
    Restore {
        #[command(flatten)]
        common: Common,
        /// The backup
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Only this mailbox, into the server of --data DIR, which may run
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        mailbox: Option<Address>,
    },
}

#[derive(Args)]
pub struct Common {
    /// The data directory of the server
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    /// Results as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(given: Store) -> Ran {
    let (outcome, json) = match given {
        Store::Verify { common } => (anywhere(&common.data, &Act::Verify)?, common.json),
        Store::Backup { common, to } => (anywhere(&common.data, &Act::Backup { to: absolute(&to)? })?, common.json),
        Store::Restore { common, from, mailbox: Some(address) } => {
            let act = Act::RestoreMailbox { from: absolute(&from)?, address };
            (anywhere(&common.data, &act)?, common.json)
        }
        Store::Restore { common, from, mailbox: None } => {
            (repaired(&common.data, &manage::restore(&from, &common.data)?), common.json)
        }
        Store::Repair { common } => {
            let data = DataDirectory::open(&common.data)?;
            (repaired(&common.data, &manage::repair(&data)?), common.json)
        }
    };
    Ok(manage::show(outcome, json)?)
}

/// What can be done by a server that runs and without one.
enum Act {
    Verify,
    Backup { to: String },
    RestoreMailbox { from: String, address: Address },
}

impl Act {
    fn request(&self) -> Request {
        let (command, parameters) = match self {
            Self::Verify => ("Test-Store", vec![]),
            Self::Backup { to } => ("Backup-Store", vec![("Path", to.as_str())]),
            Self::RestoreMailbox { from, address } => {
                ("Restore-Mailbox", vec![("Identity", address.as_str()), ("Path", from)])
            }
        };
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
        Request { command: command.to_owned(), parameters: parameters.collect() }
    }

    async fn carry_out(&self, store: &dyn StoreMaintenance) -> Result<Outcome, Failure> {
        match self {
            Self::Verify => management::store::verify(store).await,
            Self::Backup { to } => management::store::backup(store, to).await,
            Self::RestoreMailbox { from, address } => management::store::restore_mailbox(store, address, from).await,
        }
    }
}

fn anywhere(data: &Path, act: &Act) -> Ran<Outcome> {
    let data = DataDirectory::open(data)?;
    if let Some(outcome) = manage::ask_if_running(&data, &act.request())? {
        return Ok(outcome);
    }
    block_on(async {
        let maintenance = Maintenance::open(data)?;
        let outcome = act.carry_out(&maintenance).await;
        maintenance.close()?;
        Ok(outcome?)
    })
}

/// A server has another working directory.
fn absolute(path: &Path) -> Result<String, SetupError> {
    let path = std::path::absolute(path).map_err(SetupError::file(path))?;
    path.into_os_string().into_string().map_err(|path| {
        SetupError::Refused(format!("{} cannot be told to a server: it is not UTF-8", path.to_string_lossy()))
    })
}

fn repaired(data: &Path, repaired: &Repaired) -> Outcome {
    let Repaired { points, damaged, lost, unreadable, named, unreferenced } = repaired;
    let damaged = damaged.iter().map(|(segment, octets)| {
        Value::from(format!("segment {segment:x}: octets {} to {} are no record", octets.start, octets.end))
    });
    let named =
        named.iter().map(|Harmed { mailbox, folder, uid }| Value::from(format!("{mailbox}: {folder}, UID {uid}")));
    let result = Object::from_iter([
        ("Data".into(), Value::from(data.display().to_string())),
        ("DurablePoints".into(), (*points).into()),
        ("Damaged".into(), damaged.collect()),
        ("Lost".into(), (*lost).into()),
        ("Unreadable".into(), (*unreadable).into()),
        ("Messages".into(), named.collect()),
        ("Unreferenced".into(), (*unreferenced).into()),
    ]);
    let cure = "Bring them back from a backup: gatepost store restore --mailbox";
    let lost = (*lost > 0).then(|| format!("{lost} messages are nowhere any more. {cure}"));
    let unreadable = (*unreadable > 0)
        .then(|| format!("{unreadable} messages are damaged and were taken out of their folders. {cure}"));
    Outcome { warnings: lost.into_iter().chain(unreadable).collect(), ..Outcome::of(vec![result]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_is_asked_for_is_a_command_with_all_it_needs() {
        let address = Address::parse("ann@example.test").unwrap();
        let path = absolute(Path::new("backup")).unwrap();
        assert!(path.starts_with('/') && path.ends_with("/backup"));
        for act in [Act::Verify, Act::Backup { to: path.clone() }, Act::RestoreMailbox { from: path, address }] {
            let request = act.request();
            let command = management::find(&request.command).unwrap();
            let names: Vec<&str> = command.parameters.iter().map(|parameter| parameter.name).collect();
            assert_eq!(request.parameters.keys().map(String::as_str).collect::<Vec<_>>(), names);
        }
    }
}
