//! `Add-`, `Get-`, `Remove-ADPermission`: rights on a connector beyond its permission groups, by the names that
//! scripts for Exchange use.

use serde_json::Value;
use transport::{Grant, PermissionGroup, Principal, ReceiveConnector, Right, Rights};

use super::{IDENTITY, find, put};
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

const USER: Parameter = Parameter::new(
    "User",
    Kind::Text,
    "whom: \"ANONYMOUS LOGON\", \"Authenticated Users\", \"Externally Secured Servers\" or a mailbox's address",
)
.required();
const RIGHTS: Parameter =
    Parameter { form: Some(rights), ..Parameter::new("ExtendedRights", Kind::List, "what they may do").required() };

fn rights() -> String {
    format!("of {}", Right::ALL.map(Right::name).join(", "))
}

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "Add",
        noun: "ADPermission",
        synopsis: "Gives rights on a receive connector, beyond its permission groups",
        parameters: &[IDENTITY.required(), USER, RIGHTS],
        destroys: None,
        run: |world, given| Box::pin(change(world, given, Rights::with)),
    },
    Command {
        verb: "Get",
        noun: "ADPermission",
        synopsis: "Shows who has which rights on a receive connector, and by what",
        parameters: &[IDENTITY.required()],
        destroys: None,
        run: |world, given| Box::pin(async move { Ok(Outcome::of(describe(&find(world, given)?))) }),
    },
    Command {
        verb: "Remove",
        noun: "ADPermission",
        synopsis: "Takes rights on a receive connector away that Add-ADPermission gave",
        parameters: &[IDENTITY.required(), USER, RIGHTS],
        destroys: None,
        run: |world, given| Box::pin(change(world, given, Rights::without)),
    },
];

async fn change(world: &dyn World, given: Given<'_>, how: fn(Rights, Rights) -> Rights) -> Result<Outcome, Failure> {
    let mut connector = find(world, given)?;
    let principal = Principal::parse(given.required(USER.name)?).map_err(|why| Failure(format!("-User: {why}")))?;
    if let Principal::Mailbox(address) = &principal
        && world.directory().find(address).await?.is_none_or(|account| account.address != *address)
    {
        return Err(Failure(format!("-User: {address} is no mailbox's own address. Get-Mailbox shows them all.")));
    }
    let mut wanted = Rights::NONE;
    for text in given.list(RIGHTS.name)?.unwrap_or_default() {
        let right = Right::parse(text.trim());
        let right = right.ok_or_else(|| Failure(format!("-ExtendedRights: {text:?} is not one {}", rights())))?;
        wanted = wanted.with(Rights::of(&[right]));
    }
    let before = connector.grants.iter().find(|grant| grant.principal == principal);
    let rights = how(before.map_or(Rights::NONE, |grant| grant.rights), wanted);
    connector.grants.retain(|grant| grant.principal != principal);
    if rights != Rights::NONE {
        connector.grants.push(Grant { principal, rights });
    }
    let name = connector.name.clone();
    let Outcome { warnings, .. } = put(world, connector).await?;
    let connector = world.connectors().all().into_iter().find(|connector| connector.name == name);
    Ok(Outcome { warnings, ..Outcome::of(connector.as_ref().map(describe).unwrap_or_default()) })
}

/// A row for each principal and right.
fn describe(connector: &ReceiveConnector) -> Vec<Object> {
    let row = |user: String, right: Right, by: &str| {
        Object::from_iter([
            ("Identity".into(), Value::from(connector.name.as_str())),
            ("User".into(), user.into()),
            ("ExtendedRight".into(), right.name().into()),
            ("By".into(), by.into()),
        ])
    };
    let of_groups = connector.permission_groups.iter().filter_map(|group| {
        let (principal, rights) = match group {
            PermissionGroup::AnonymousUsers => (Principal::AnonymousLogon, group.rights()),
            PermissionGroup::ExchangeUsers => (Principal::AuthenticatedUsers, group.rights()),
            PermissionGroup::ExchangeServers => (Principal::ExternallySecuredServers, Rights::EXTERNALLY_SECURED),
            PermissionGroup::Partners => return None,
        };
        Some(rights.iter().map(move |right| row(principal.to_string(), right, group.name())))
    });
    let granted = connector
        .grants
        .iter()
        .flat_map(|grant| grant.rights.iter().map(|right| row(grant.principal.to_string(), right, "Add-ADPermission")));
    of_groups.flatten().chain(granted).collect()
}
