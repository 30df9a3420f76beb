//! `Get-LogonRecord`: who logged on, or tried to.

use serde_json::Value;

use super::mailbox::{ANY, RESULT_SIZE, identity, result_size};
use super::moment::moment;
use crate::{Command, Failure, Given, LogOn, Object, Outcome, World};

pub const COMMANDS: &[Command] = &[Command {
    verb: "Get",
    noun: "LogonRecord",
    synopsis: "Shows the last log-ons to a mailbox, or to all, granted or not, newest first",
    parameters: &[ANY, RESULT_SIZE],
    destroys: None,
    run: |world, given| Box::pin(get(world, given)),
}];

async fn get(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    // A mailbox that is gone has its record still.
    let address = match given.text(ANY.name)? {
        Some(_) => Some(identity(world, given).await?),
        None => None,
    };
    let found = world.log_ons().recent(address.as_ref(), result_size(given)?).await.map_err(Failure)?;
    Ok(Outcome::of(found.iter().map(describe).collect()))
}

fn describe(one: &LogOn) -> Object {
    Object::from_iter([
        ("Time".into(), moment(one.time)),
        ("Identity".into(), Value::from(one.identity.as_str())),
        ("ClientAddress".into(), one.remote.as_str().into()),
        ("Protocol".into(), one.protocol.as_str().into()),
        ("Mechanism".into(), one.mechanism.as_str().into()),
        ("Tls".into(), one.tls.as_deref().unwrap_or("none").into()),
        ("Result".into(), if one.granted { "Granted" } else { "Refused" }.into()),
        ("Reason".into(), if one.granted { "" } else { one.reason.as_str() }.into()),
    ])
}
