//! `Test-Store`, `Backup-Store`, `Restore-Mailbox`.
//!
//! What stands behind the commands can be called without a server too: the store of one that is stopped gives the
//! same results.

use ::store::Address;
use serde_json::Value;

use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, StoreMaintenance};

const PATH: Parameter =
    Parameter::new("Path", Kind::Text, "the backup's directory, as an absolute path on the server's machine")
        .required();

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "Test",
        noun: "Store",
        synopsis: "Reads and checks the whole store while mail goes on",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(verify(world.maintenance())),
    },
    Command {
        verb: "Backup",
        noun: "Store",
        synopsis: "Makes a backup of the whole server while mail goes on",
        parameters: &[Parameter {
            meaning: "an empty or new directory, as an absolute path on the server's machine",
            ..PATH.positional()
        }],
        destroys: None,
        run: |world, given| Box::pin(async move { backup(world.maintenance(), path(given)?).await }),
    },
    Command {
        verb: "Restore",
        noun: "Mailbox",
        synopsis: "Brings back from a backup what a mailbox had and has no more",
        parameters: &[super::mailbox::IDENTITY, PATH],
        destroys: None,
        run: |world, given| {
            Box::pin(async move {
                let address = super::mailbox::identity(world, given).await?;
                restore_mailbox(world.maintenance(), &address, path(given)?).await
            })
        },
    },
];

/// The server's working directory is nothing that an administrator knows.
fn path(given: Given<'_>) -> Result<&str, Failure> {
    let path = given.required(PATH.name)?;
    if path.starts_with('/') {
        return Ok(path);
    }
    Err(Failure(format!("-Path {path}: give it as an absolute path, such as /var/backups/mail-1")))
}

/// What is checked is shown; a fault is told, with its cure, in the outcome.
pub async fn verify(store: &dyn StoreMaintenance) -> Result<Outcome, Failure> {
    let verified = store.verify().await.map_err(Failure)?;
    let result = Object::from_iter([
        ("Segments".into(), Value::from(verified.segments)),
        ("Mailboxes".into(), verified.mailboxes.into()),
        ("Folders".into(), verified.folders.into()),
        ("Messages".into(), verified.messages.into()),
        ("Octets".into(), verified.octets.into()),
        ("FaultCount".into(), verified.fault_count.into()),
        ("Faults".into(), verified.faults.into()),
    ]);
    let fault = (verified.fault_count > 0).then(|| {
        format!(
            "the store has {} faults. What is undamaged is served. The cure: restore what is missing from a backup \
             (gatepost store restore --mailbox), or end the server and use gatepost store repair.",
            verified.fault_count
        )
    });
    Ok(Outcome { results: vec![result], fault, ..Outcome::default() })
}

pub async fn backup(store: &dyn StoreMaintenance, path: &str) -> Result<Outcome, Failure> {
    let backup = store.backup(path).await.map_err(Failure)?;
    Ok(Outcome::of(vec![Object::from_iter([
        ("Path".into(), Value::from(path)),
        ("Files".into(), backup.files.into()),
        ("Octets".into(), backup.octets.into()),
    ])]))
}

pub async fn restore_mailbox(store: &dyn StoreMaintenance, address: &Address, path: &str) -> Result<Outcome, Failure> {
    let restored = store.restore_mailbox(address, path).await.map_err(Failure)?;
    let result = Object::from_iter([
        ("Identity".into(), Value::from(address.as_str())),
        ("Made".into(), restored.made.into()),
        ("DroppedAliases".into(), restored.dropped_aliases.iter().map(|alias| Value::from(alias.as_str())).collect()),
        ("Folders".into(), restored.folders.into()),
        ("Restored".into(), restored.restored.into()),
        ("Appended".into(), restored.appended.into()),
        ("Present".into(), restored.present.into()),
    ]);
    let appended = (restored.appended > 0).then(|| {
        format!(
            "{} messages have new UIDs, for their folders had been made anew since the backup; clients load them again.",
            restored.appended
        )
    });
    let dropped = (!restored.dropped_aliases.is_empty()).then(|| {
        format!(
            "{} did not come back: another mailbox has that address now, or its domain is accepted no more.",
            restored.dropped_aliases.join(", ")
        )
    });
    Ok(Outcome { warnings: appended.into_iter().chain(dropped).collect(), ..Outcome::of(vec![result]) })
}
