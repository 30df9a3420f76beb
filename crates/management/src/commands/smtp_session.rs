//! `Test-SmtpSession`: what would be answered to whom, and why.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;
use transport::{Destination, Peer, ReceiveConnector, Refusal, Right, forward_path, reverse_path, select};

use super::mailbox;
use crate::{Command, Failure, Given, Kind, Object, Outcome, Parameter, World};

const REMOTE: Parameter = Parameter::new("RemoteIP", Kind::Text, "the client's address").positional().required();
const LOCAL_IP: Parameter =
    Parameter::new("LocalIP", Kind::Text, "the server's address that the client connects to; 127.0.0.1 unless given");
const LOCAL_PORT: Parameter = Parameter::new("LocalPort", Kind::Text, "the server's port; 25 unless given");
const USER: Parameter = Parameter::new("User", Kind::Text, "the mailbox that is logged on; nobody unless given");
const FROM: Parameter = Parameter::new("From", Kind::Text, "the sender of MAIL; <> is the empty one");
const TO: Parameter = Parameter::new("To", Kind::Text, "the recipient of RCPT");
const TLS: Parameter = Parameter::new("Tls", Kind::Text, "whether TLS has begun: true (the default) or false");

pub const COMMANDS: &[Command] = &[Command {
    verb: "Test",
    noun: "SmtpSession",
    synopsis: "Says which connector would take a client, what it would answer, and why",
    parameters: &[REMOTE, LOCAL_IP, LOCAL_PORT, USER, FROM, TO, TLS],
    destroys: None,
    run: |world, given| Box::pin(test(world, given)),
}];

async fn test(world: &dyn World, given: Given<'_>) -> Result<Outcome, Failure> {
    let remote = address(REMOTE, given.required(REMOTE.name)?)?;
    let ip = given.text(LOCAL_IP.name)?.map_or(Ok(Ipv4Addr::LOCALHOST.into()), |text| address(LOCAL_IP, text))?;
    let port = match given.read::<u32>(LOCAL_PORT.name)? {
        None => 25,
        Some(port) => u16::try_from(port).map_err(|_| Failure(format!("-LocalPort: {port} is no port")))?,
    };
    let local = SocketAddr::new(ip, port);
    let connectors: Vec<Arc<ReceiveConnector>> = world.connectors().all().into_iter().map(Arc::new).collect();
    let Some(connector) = select(&connectors, local, remote) else {
        let why = format!("no receive connector that is bound to {local} has {remote} in its RemoteIPRanges");
        return Ok(Outcome::of(vec![step(
            "connect",
            None,
            "554",
            &why,
            "New-ReceiveConnector, or Set-ReceiveConnector -RemoteIPRanges",
        )]));
    };
    let mut steps = vec![step("connect", Some(connector), "220", "its binding and range are the closest", "")];
    let user = match given.text(USER.name)? {
        Some(name) => Some(mailbox::named(world, name).await?),
        None => None,
    };
    let peer = Peer { connector: connector.clone(), user, is_private: given.read(TLS.name)?.unwrap_or(true) };
    let domains = world.directory().domains().await?;
    if let Some(text) = given.text(FROM.name)? {
        let from = reverse_path(text).ok_or_else(|| no_path(FROM, text))?;
        steps.push(judged("MAIL", &peer, peer.may_send(&from, &domains)));
    }
    if let Some(text) = given.text(TO.name)? {
        let to = forward_path(text).ok_or_else(|| no_path(TO, text))?;
        let destination = Destination::of(&to, &domains);
        let mut found = match destination.address() {
            Some(address) => world.directory().find(address).await?,
            None => None,
        };
        if found.is_none() && destination.has_stand_in() {
            found = world.directory().accounts(None, 1).await?.pop();
        }
        steps.push(judged("RCPT", &peer, peer.may_receive(&to, &destination, found).map(drop)));
    }
    Ok(Outcome::of(steps))
}

fn judged(name: &str, peer: &Peer, outcome: Result<(), Box<Refusal>>) -> Object {
    match outcome {
        Ok(()) => step(name, Some(&peer.connector), "250", "allowed", ""),
        Err(refusal) => {
            let cure = refusal.missing.map(|right| cure(peer, right)).unwrap_or_default();
            let missing = refusal.missing.map(|right| format!(" (missing {right})")).unwrap_or_default();
            step(
                name,
                Some(&peer.connector),
                &refusal.reply.to_string(),
                &format!("{}{missing}", refusal.reason),
                &cure,
            )
        }
    }
}

/// What would give the right.
fn cure(peer: &Peer, right: Right) -> String {
    let name = &peer.connector.name;
    match (&peer.user, right) {
        (None, Right::Submit) => {
            format!("log on, or Set-ReceiveConnector {name:?} -PermissionGroups with AnonymousUsers")
        }
        (Some(_), Right::Submit) => format!("Set-ReceiveConnector {name:?} -PermissionGroups with ExchangeUsers"),
        // Not on a connector for everybody: that would be an open relay.
        (None, Right::AcceptAnyRecipient) => {
            "log on; a device that cannot has a connector of its own: New-ReceiveConnector -RemoteIPRanges".to_owned()
        }
        (None, right) => {
            format!("log on, or Add-ADPermission {name:?} -User \"ANONYMOUS LOGON\" -ExtendedRights {right}")
        }
        (Some(user), right) => format!("Add-ADPermission {name:?} -User {} -ExtendedRights {right}", user.address),
    }
}

fn step(name: &str, connector: Option<&Arc<ReceiveConnector>>, reply: &str, reason: &str, cure: &str) -> Object {
    Object::from_iter([
        ("Step".into(), Value::from(name)),
        ("Connector".into(), connector.map_or(Value::Null, |connector| connector.name.as_str().into())),
        ("Reply".into(), reply.into()),
        ("Reason".into(), reason.into()),
        ("Cure".into(), cure.into()),
    ])
}

fn address(parameter: Parameter, text: &str) -> Result<IpAddr, Failure> {
    text.parse().map_err(|_| Failure(format!("-{}: {text:?} is no address such as 192.0.2.1", parameter.name)))
}

fn no_path(parameter: Parameter, text: &str) -> Failure {
    Failure(format!("-{}: {text:?} is no address such as ann@example.test", parameter.name))
}
