//! `New-`, `Get-`, `Set-`, `Remove-ReceiveConnector`, and what is granted on one.

mod limits;
mod permission;
mod usage;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use identity::AuthMechanisms;
use serde_json::Value;
use transport::{Binding, BindingTls, PermissionGroup, ReceiveConnector, RemoteRange};

use crate::settings::SmtpSettings;
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

const IDENTITY: Parameter =
    Parameter::new("Identity", Kind::Text, "the connector's name, such as Default").positional();
const NAME: Parameter = Parameter::new("Name", Kind::Text, "what it is to be called").positional().required();
const USAGE: Parameter = Parameter::new(
    "Usage",
    Kind::Text,
    "what it is for, which sets what is not given: Client, Internet, Internal or Custom (the default)",
);
const ENABLED: Parameter = Parameter::new("Enabled", Kind::Text, "whether it takes connections: true or false");
const BINDINGS: Parameter =
    Parameter::new("Bindings", Kind::List, "where it listens, such as 0.0.0.0:25,[::]:25; TLS begins with STARTTLS");
const SSL_BINDINGS: Parameter =
    Parameter::new("SSLBindings", Kind::List, "where it listens for TLS from the first octet, such as 0.0.0.0:465");
const REMOTE: Parameter = Parameter::new(
    "RemoteIPRanges",
    Kind::List,
    "whose connections it takes: 192.0.2.1, 10.0.0.1-10.0.0.9 or 10.0.0.0/8; of several connectors the narrowest wins",
);
const AUTH: Parameter = Parameter::new(
    "AuthMechanism",
    Kind::List,
    "None, Tls, BasicAuth, BasicAuthRequireTLS, Integrated or ExternalAuthoritative; replaces the list",
);
const GROUPS: Parameter = Parameter::new(
    "PermissionGroups",
    Kind::List,
    "who may send: None, AnonymousUsers, ExchangeUsers, ExchangeServers; replaces the list",
);
const REQUIRE_TLS: Parameter =
    Parameter::new("RequireTLS", Kind::Text, "whether nothing is taken before TLS: true or false");
const FQDN: Parameter = Parameter::new("Fqdn", Kind::Text, "its name in the greeting; empty: the server's");
const BANNER: Parameter =
    Parameter::new("Banner", Kind::Text, "the greeting's text after that name; empty: the usual one");

/// Of New- and Set-; limits follow.
const COMMON: [Parameter; 9] = [ENABLED, BINDINGS, SSL_BINDINGS, REMOTE, AUTH, GROUPS, REQUIRE_TLS, FQDN, BANNER];
const COUNT: usize = COMMON.len() + limits::PARAMETERS.len();
const NEW: [Parameter; 2 + COUNT] = with_common(&[NAME, USAGE]);
const SET: [Parameter; 1 + COUNT] = with_common(&[IDENTITY.required()]);

/// Those of the command itself, those of both, and the limits.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses what is out of bounds")]
const fn with_common<const OWN: usize, const ALL: usize>(own: &[Parameter; OWN]) -> [Parameter; ALL] {
    let mut all = [ENABLED; ALL];
    let mut at = 0;
    while at < ALL {
        all[at] = if at < OWN {
            own[at]
        } else if at < OWN + COMMON.len() {
            COMMON[at - OWN]
        } else {
            limits::PARAMETERS[at - OWN - COMMON.len()]
        };
        at += 1;
    }
    all
}

const COMMANDS: &[Command] = &[
    Command {
        verb: "New",
        noun: "ReceiveConnector",
        synopsis: "Makes a receive connector: who may bring mail, from where, and what is allowed to them",
        parameters: &NEW,
        destroys: None,
        run: |world, given| Box::pin(new(world, given)),
    },
    Command {
        verb: "Get",
        noun: "ReceiveConnector",
        synopsis: "Shows receive connectors",
        parameters: &[IDENTITY],
        destroys: None,
        run: |world, given| Box::pin(async move { get(world, given) }),
    },
    Command {
        verb: "Set",
        noun: "ReceiveConnector",
        synopsis: "Changes a receive connector, from the next connection on",
        parameters: &SET,
        destroys: None,
        run: |world, given| Box::pin(set(world, given)),
    },
    Command {
        verb: "Remove",
        noun: "ReceiveConnector",
        synopsis: "Removes a receive connector",
        parameters: &[IDENTITY.required()],
        destroys: Some("remove the receive connector"),
        run: |world, given| Box::pin(remove(world, given)),
    },
];

pub fn commands() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().chain(permission::COMMANDS)
}

fn find(world: &dyn World, given: Given<'_>) -> Result<ReceiveConnector, Failure> {
    let name = given.required(IDENTITY.name)?;
    let found = world.connectors().all().into_iter().find(|connector| connector.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| Failure(format!("there is no receive connector {name}. Get-ReceiveConnector shows them all.")))
}

/// Checks it beside the others and puts it to work.
async fn put(world: &dyn World, connector: ReceiveConnector) -> Result<Outcome, Failure> {
    let mut others = world.connectors().all();
    others.retain(|other| other.name != connector.name);
    connector.check(&others).map_err(Failure)?;
    world.connectors().put(connector.clone()).await.map_err(Failure)?;
    let all = world.connectors().all();
    let made = all.into_iter().find(|one| one.name == connector.name).unwrap_or(connector);
    Ok(Outcome { warnings: made.risks(), ..Outcome::of(vec![describe(&made)]) })
}

async fn new(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let name = given.required(NAME.name)?;
    let all = world.connectors().all();
    if let Some(other) = all.iter().find(|other| other.name.eq_ignore_ascii_case(name)) {
        return Err(Failure(format!(
            "there is a receive connector {} already; Set-ReceiveConnector changes it",
            other.name
        )));
    }
    let stored = world.settings().snapshot().await?;
    let limits = SmtpSettings::load(&stored).map_err(|invalid| Failure(invalid.0))?.limits();
    let mut connector = usage::connector(name, given.text(USAGE.name)?.unwrap_or("Custom"), limits)?;
    change(&mut connector, given)?;
    put(world, connector).await
}

async fn set(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let before = find(world, given)?;
    let mut connector = before.clone();
    change(&mut connector, given)?;
    if SET.iter().skip(1).all(|parameter| given.value(parameter.name).is_none()) {
        return Err(Failure("name what to change; Get-ReceiveConnector shows what there is".to_owned()));
    }
    put(world, connector).await
}

async fn remove(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let connector = find(world, given)?;
    world.connectors().remove(&connector.name).await.map_err(Failure)?;
    Ok(Outcome::default())
}

fn get(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    if given.text(IDENTITY.name)?.is_some() {
        let connector = find(world, given)?;
        return Ok(Outcome { warnings: connector.risks(), ..Outcome::of(vec![describe(&connector)]) });
    }
    let all = world.connectors().all();
    let warnings = all.iter().filter(|connector| connector.enabled).flat_map(ReceiveConnector::risks).collect();
    Ok(Outcome { warnings, ..Outcome::of(all.iter().map(describe).collect()) })
}

/// Replaces what is given.
fn change(connector: &mut ReceiveConnector, given: Given<'_>) -> Result<(), Failure> {
    connector.enabled = given.read(ENABLED.name)?.unwrap_or(connector.enabled);
    connector.require_tls = given.read(REQUIRE_TLS.name)?.unwrap_or(connector.require_tls);
    change_bindings(connector, given)?;
    if let Some(texts) = given.list(REMOTE.name)? {
        connector.remote_ranges = parse_all(REMOTE, &texts, |text| text.parse::<RemoteRange>())?;
    }
    if let Some(texts) = given.list(AUTH.name)? {
        connector.auth_mechanisms =
            AuthMechanisms::parse(&texts.join(",")).map_err(|why| Failure(format!("-{}: {why}", AUTH.name)))?;
    }
    if let Some(texts) = given.list(GROUPS.name)? {
        connector.permission_groups = permission_groups(&texts)?;
    }
    let text = |parameter: Parameter, was: &Option<String>| -> Result<Option<String>, Failure> {
        Ok(match given.read::<String>(parameter.name)? {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => was.clone(),
        })
    };
    connector.fqdn = text(FQDN, &connector.fqdn)?;
    connector.banner = text(BANNER, &connector.banner)?;
    limits::change(&mut connector.limits, given)
}

/// Each of the two lists replaces those of its own kind.
fn change_bindings(connector: &mut ReceiveConnector, given: Given<'_>) -> Result<(), Failure> {
    let (mut explicit, mut implicit): (Vec<Binding>, Vec<Binding>) =
        connector.bindings.iter().partition(|binding| matches!(binding.tls, BindingTls::Explicit { .. }));
    let read = |texts: &[&str], parameter: Parameter, tls: fn(u16) -> BindingTls| {
        let parse = |text: &str| {
            let address = text
                .parse::<SocketAddr>()
                .map_err(|_| format!("{text:?} is no address with a port, such as 0.0.0.0:25"));
            address.map(|address| Binding { address: address.ip(), port: address.port(), tls: tls(address.port()) })
        };
        parse_all(parameter, texts, parse)
    };
    if let Some(texts) = given.list(BINDINGS.name)? {
        explicit = read(&texts, BINDINGS, BindingTls::explicit)?;
    }
    if let Some(texts) = given.list(SSL_BINDINGS.name)? {
        implicit = read(&texts, SSL_BINDINGS, |_| BindingTls::Implicit)?;
    }
    connector.bindings = [explicit, implicit].concat();
    Ok(())
}

/// An empty text is an empty list.
fn parse_all<T, E: std::fmt::Display>(
    parameter: Parameter,
    texts: &[&str],
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, Failure> {
    let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    texts.map(|text| parse(text).map_err(|why| Failure(format!("-{}: {why}", parameter.name)))).collect()
}

fn permission_groups(texts: &[&str]) -> Result<BTreeSet<PermissionGroup>, Failure> {
    if let [one] = texts
        && one.eq_ignore_ascii_case("None")
    {
        return Ok(BTreeSet::new());
    }
    let parse = |text: &str| {
        let known = PermissionGroup::ALL.map(PermissionGroup::name).join(", ");
        PermissionGroup::parse(text).ok_or_else(|| format!("{text:?} is not None or one of {known}"))
    };
    Ok(parse_all(GROUPS, texts, parse)?.into_iter().collect())
}

fn describe(connector: &ReceiveConnector) -> Object {
    let bindings = |implicit: bool| -> Value {
        let wanted = connector.bindings.iter().filter(|binding| (binding.tls == BindingTls::Implicit) == implicit);
        wanted.map(|binding| Value::from(SocketAddr::new(binding.address, binding.port).to_string())).collect()
    };
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    let mut object = Object::from_iter([
        ("Identity".into(), Value::from(connector.name.as_str())),
        (ENABLED.name.into(), connector.enabled.into()),
        (BINDINGS.name.into(), bindings(false)),
        (SSL_BINDINGS.name.into(), bindings(true)),
        (REMOTE.name.into(), connector.remote_ranges.iter().map(|range| Value::from(range.to_string())).collect()),
        (AUTH.name.into(), connector.auth_mechanisms.to_string().split(", ").map(Value::from).collect()),
        (GROUPS.name.into(), connector.permission_groups.iter().map(|group| Value::from(group.name())).collect()),
        (REQUIRE_TLS.name.into(), connector.require_tls.into()),
        (FQDN.name.into(), text(&connector.fqdn)),
        (BANNER.name.into(), text(&connector.banner)),
    ]);
    object.extend(limits::describe(&connector.limits));
    object
}
