//! `Add-`, `Get-`, `Remove-MailboxPermission`: who may open a mailbox beside its owner.

use std::sync::Arc;

use serde_json::Value;
use store::{Account, AccountChange, FullAccessChange};

use super::mailbox::{IDENTITY, find, named};
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

const USER: Parameter = Parameter::new("User", Kind::Text, "the mailbox whose owner it is about").required();
const RIGHTS: Parameter = Parameter::new("AccessRights", Kind::Text, "FullAccess: to open it as one's own").required();

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "Add",
        noun: "MailboxPermission",
        synopsis: "Lets a user open the mailbox of another, as DOMAIN\\user\\mailbox",
        parameters: &[IDENTITY, USER, RIGHTS],
        destroys: None,
        run: |world, given| Box::pin(change(world, given, true)),
    },
    Command {
        verb: "Get",
        noun: "MailboxPermission",
        synopsis: "Shows who may open a mailbox beside its owner",
        parameters: &[IDENTITY],
        destroys: None,
        run: |world, given| Box::pin(async move { describe(world, &find(world, given).await?).await }),
    },
    Command {
        verb: "Remove",
        noun: "MailboxPermission",
        synopsis: "Lets a user open the mailbox of another no more",
        parameters: &[IDENTITY, USER, RIGHTS],
        destroys: None,
        run: |world, given| Box::pin(change(world, given, false)),
    },
];

async fn change(world: &dyn World, given: Given<'_>, gives: bool) -> Result<Outcome, Failure> {
    let rights = given.required(RIGHTS.name)?;
    if !rights.eq_ignore_ascii_case("FullAccess") {
        return Err(Failure(format!("-AccessRights: {rights:?} is not FullAccess, which is all there is")));
    }
    let (mailbox, user) = (find(world, given).await?, named(world, given.required(USER.name)?).await?);
    if mailbox.id == user.id {
        return Err(Failure(format!("{} is the owner and needs no permission", user.address)));
    }
    let full_access = if gives { FullAccessChange::Give(user.id) } else { FullAccessChange::Take(user.id) };
    let change = AccountChange { full_access: Some(full_access), ..AccountChange::default() };
    match world.directory().change(mailbox.id, change).await {
        Ok(()) => {}
        Err(store::Error::Exists(_)) => return Err(Failure(format!("{} may open it already", user.address))),
        Err(store::Error::NotFound(_)) if !gives => {
            return Err(Failure(format!("{} may not open it anyway", user.address)));
        }
        Err(error) => return Err(error.into()),
    }
    if !gives {
        // Whoever is in it with the permission has to go; its owner comes again.
        world.passwords().revoke(mailbox.id);
    }
    describe(world, &find(world, given).await?).await
}

async fn describe(world: &dyn World, mailbox: &Arc<Account>) -> Result<Outcome, Failure> {
    let mut rows = Vec::new();
    for id in &mailbox.full_access {
        // A user who was removed may open nothing any more.
        let Some(user) = world.directory().account(*id).await? else { continue };
        rows.push(Object::from_iter([
            ("Identity".into(), Value::from(mailbox.address.as_str())),
            ("User".into(), user.address.as_str().into()),
            ("AccessRights".into(), "FullAccess".into()),
        ]));
    }
    Ok(Outcome::of(rows))
}
