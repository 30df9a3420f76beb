//! `Get-` and `Set-` of `SmtpSettings`, `OpenIdSettings`, `LdapSettings` and `ServerSettings`: what the server is started with.

use serde_json::Value;

use super::settings::{changes, describe, parameters};
use crate::settings::{
    Declaration, KERBEROS_IS_MISSING, LdapSettings, OpenIdSettings, ServerSettings, SmtpSettings, needs_kerberos,
};
use crate::{Command, Failure, Given, Outcome, Parameter, StartedWith, World};

const SMTP: [Parameter; SmtpSettings::DECLARATIONS.len()] = parameters(SmtpSettings::DECLARATIONS);
const OPEN_ID: [Parameter; OpenIdSettings::DECLARATIONS.len()] = parameters(OpenIdSettings::DECLARATIONS);
const LDAP: [Parameter; LdapSettings::DECLARATIONS.len()] = parameters(LdapSettings::DECLARATIONS);
const SERVER: [Parameter; ServerSettings::DECLARATIONS.len()] = parameters(ServerSettings::DECLARATIONS);

pub const COMMANDS: &[Command] = &[
    Command {
        verb: "Get",
        noun: "SmtpSettings",
        synopsis: "Shows the limits of SMTP sessions, and those the server still runs with",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(get(world, Group::Smtp)),
    },
    Command {
        verb: "Set",
        noun: "SmtpSettings",
        synopsis: "Changes limits of SMTP sessions; they take effect when the server is started again",
        parameters: &SMTP,
        destroys: None,
        run: |world, given| Box::pin(set(world, given, Group::Smtp)),
    },
    Command {
        verb: "Get",
        noun: "OpenIdSettings",
        synopsis: "Shows whose tokens are taken for log-on, and those settings the server still runs with",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(get(world, Group::OpenId)),
    },
    Command {
        verb: "Set",
        noun: "OpenIdSettings",
        synopsis: "Changes whose tokens are taken for log-on; it takes effect when the server is started again",
        parameters: &OPEN_ID,
        destroys: None,
        run: |world, given| Box::pin(set(world, given, Group::OpenId)),
    },
    Command {
        verb: "Get",
        noun: "LdapSettings",
        synopsis: "Shows which directory users are looked up in, and those settings the server still runs with",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(get(world, Group::Ldap)),
    },
    Command {
        verb: "Set",
        noun: "LdapSettings",
        synopsis: "Changes which directory users are looked up in; it takes effect when the server is started again",
        parameters: &LDAP,
        destroys: None,
        run: |world, given| Box::pin(set(world, given, Group::Ldap)),
    },
    Command {
        verb: "Get",
        noun: "ServerSettings",
        synopsis: "Shows the settings of the whole server, and those it still runs with",
        parameters: &[],
        destroys: None,
        run: |world, _| Box::pin(get(world, Group::Server)),
    },
    Command {
        verb: "Set",
        noun: "ServerSettings",
        synopsis: "Changes settings of the whole server; they take effect when it is started again",
        parameters: &SERVER,
        destroys: None,
        run: |world, given| Box::pin(set(world, given, Group::Server)),
    },
];

#[derive(Clone, Copy)]
enum Group {
    Smtp,
    OpenId,
    Ldap,
    Server,
}

type Values = Vec<(&'static str, Value)>;

impl Group {
    const fn name(self) -> &'static str {
        match self {
            Self::Smtp => "Smtp",
            Self::OpenId => "OpenId",
            Self::Ldap => "Ldap",
            Self::Server => "Server",
        }
    }

    const fn declarations(self) -> &'static [Declaration] {
        match self {
            Self::Smtp => SmtpSettings::DECLARATIONS,
            Self::OpenId => OpenIdSettings::DECLARATIONS,
            Self::Ldap => LdapSettings::DECLARATIONS,
            Self::Server => ServerSettings::DECLARATIONS,
        }
    }

    /// As stored, and as in force.
    async fn values(self, world: &dyn World) -> Result<(Values, Values), Failure> {
        let map = world.settings().snapshot().await?;
        let StartedWith { server, smtp, open_id, ldap } = world.started_with();
        let stored = match self {
            Self::Smtp => SmtpSettings::load(&map).map(|stored| (stored.values(), smtp.values())),
            Self::OpenId => OpenIdSettings::load(&map).map(|stored| (stored.values(), open_id.values())),
            Self::Ldap => LdapSettings::load(&map).map(|stored| (stored.values(), ldap.values())),
            Self::Server => ServerSettings::load(&map).map(|stored| (stored.values(), server.values())),
        };
        stored.map_err(|invalid| Failure(invalid.0))
    }
}

async fn get(world: &dyn World, group: Group) -> Result<Outcome, Failure> {
    let (stored, in_force) = group.values(world).await?;
    Ok(Outcome::of(vec![describe(&stored, Some(in_force))]))
}

async fn set(world: &dyn World, given: Given<'_>, group: Group) -> Result<Outcome, Failure> {
    let changes = changes(group.name(), group.declarations(), given)?;
    let mut set = changes.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    if !world.has_kerberos() && set.any(|(name, value)| needs_kerberos(name, value)) {
        return Err(Failure(KERBEROS_IS_MISSING.to_owned()));
    }
    world.settings().change(changes).await?;
    let (stored, in_force) = group.values(world).await?;
    let mut outcome = Outcome::of(vec![describe(&stored, Some(in_force.clone()))]);
    let map = world.settings().snapshot().await?;
    let lacks = match group {
        Group::OpenId => OpenIdSettings::load(&map).map(|set| set.lacks()),
        Group::Ldap => LdapSettings::load(&map).map(|set| set.lacks()),
        Group::Smtp | Group::Server => Ok(None),
    };
    outcome.warnings.extend(lacks.map_err(|invalid| Failure(invalid.0))?.map(str::to_owned));
    if stored != in_force {
        outcome.warnings.push("The change takes effect when the server is ended and started again.".to_owned());
    }
    Ok(outcome)
}
