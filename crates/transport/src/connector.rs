//! Receive connectors: where SMTP listens, for whom, and what is allowed there.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use identity::AuthMechanisms;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use store::Account;

use crate::{Grant, PermissionGroup, RemoteRange, Right, Rights};

/// All that decides about an SMTP session, as one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveConnector {
    pub name: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    pub bindings: Vec<Binding>,
    pub remote_ranges: Vec<RemoteRange>,
    #[serde(serialize_with = "write_mechanisms", deserialize_with = "read_mechanisms")]
    pub auth_mechanisms: AuthMechanisms,
    /// Nothing is taken before TLS: no log-on and no mail.
    #[serde(default)]
    pub require_tls: bool,
    pub permission_groups: BTreeSet<PermissionGroup>,
    /// Beyond those of the groups; one for each principal.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The name in the greeting and the answer to EHLO; `None`: the server's.
    pub fqdn: Option<String>,
    /// The greeting's text after that name; `None`: [`ReceiveConnector::BANNER`].
    pub banner: Option<String>,
    pub limits: Limits,
}

/// Where a connector listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The unspecified address: all of its family.
    pub address: IpAddr,
    pub port: u16,
    pub tls: BindingTls,
}

/// How TLS begins on a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BindingTls {
    /// With the first octet (RFC 8314 §3.3).
    Implicit,
    /// With STARTTLS, if the connector has it. The greeting waits so long for clients that begin TLS unasked.
    Explicit { implicit_tls_probe: Duration },
}

impl BindingTls {
    /// As clients on this port expect it: some begin TLS at once on every port but 25.
    pub fn explicit(port: u16) -> Self {
        let implicit_tls_probe = if port == 25 { Duration::ZERO } else { ReceiveConnector::IMPLICIT_TLS_PROBE };
        Self::Explicit { implicit_tls_probe }
    }
}

/// What a session on the connector may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Octets; `None`: the server's. More than the server's is not taken.
    pub max_message_size: Option<u64>,
    pub max_recipients_per_message: usize,
    /// Octets before a message's empty line.
    pub max_header_size: u64,
    /// Received fields that a message may come with.
    pub max_hop_count: u32,
    pub max_protocol_errors: u32,
    pub max_logon_failures: u32,
    /// Recipients refused, after which a stranger's session ends.
    pub max_refused_recipients: u32,
    /// How long a refusal of a stranger's recipient is held back.
    pub tarpit_interval: Duration,
    pub connection_inactivity_timeout: Duration,
    /// How long a session may last without log-on and without a recipient that was accepted.
    pub pre_authenticated_connection_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let session = proto::smtp::Limits::default();
        Self {
            max_message_size: None,
            max_recipients_per_message: session.recipients,
            max_header_size: 256 * 1024,
            max_hop_count: 60,
            max_protocol_errors: session.bad_commands,
            max_logon_failures: session.logon_failures,
            max_refused_recipients: 20,
            tarpit_interval: Duration::from_secs(5),
            connection_inactivity_timeout: session.command_time,
            pre_authenticated_connection_timeout: Duration::from_secs(10 * 60),
        }
    }
}

impl Limits {
    /// The part that the session itself keeps. `largest`: the octets of a message that the server takes at most.
    pub fn session(&self, largest: u64) -> proto::smtp::Limits {
        proto::smtp::Limits {
            message_octets: self.max_message_size.map_or(largest, |own| own.min(largest)),
            recipients: self.max_recipients_per_message,
            bad_commands: self.max_protocol_errors,
            logon_failures: self.max_logon_failures,
            command_time: self.connection_inactivity_timeout,
            body_time: self.connection_inactivity_timeout,
        }
    }
}

impl ReceiveConnector {
    pub const BANNER: &'static str = "Gatepost ESMTP MAIL Service ready";
    /// How long port 587 waits for Outlook Express and its kin, which begin TLS at once on every port but 25.
    pub const IMPLICIT_TLS_PROBE: Duration = Duration::from_millis(200);

    /// "Default": strangers to local recipients on port 25. Users may log on after STARTTLS as well, for
    /// clients that know explicit TLS there only.
    pub fn default_connector(addresses: &[IpAddr]) -> Self {
        Self {
            name: "Default".to_owned(),
            bindings: bind(addresses, 25, BindingTls::explicit(25)),
            permission_groups: [PermissionGroup::AnonymousUsers, PermissionGroup::ExchangeUsers].into(),
            ..Self::client_connector(&[])
        }
    }

    /// "Client": users' mail programs, by STARTTLS on port 587 and by TLS on port 465.
    pub fn client_connector(addresses: &[IpAddr]) -> Self {
        Self {
            name: "Client".to_owned(),
            enabled: true,
            bindings: [bind(addresses, 587, BindingTls::explicit(587)), bind(addresses, 465, BindingTls::Implicit)]
                .concat(),
            remote_ranges: RemoteRange::everywhere().to_vec(),
            auth_mechanisms: AuthMechanisms::TLS
                .with(AuthMechanisms::INTEGRATED)
                .with(AuthMechanisms::BASIC_AUTH)
                .with(AuthMechanisms::BASIC_AUTH_REQUIRE_TLS),
            require_tls: false,
            permission_groups: [PermissionGroup::ExchangeUsers].into(),
            grants: Vec::new(),
            fqdn: None,
            banner: None,
            limits: Limits::default(),
        }
    }

    /// What a session of this user, or of nobody, may do.
    pub fn rights(&self, user: Option<&Account>) -> Rights {
        let is_secured = user.is_none() && self.auth_mechanisms.contains(AuthMechanisms::EXTERNAL_AUTHORITATIVE);
        let of_group = |group: PermissionGroup, rights: Rights| {
            if self.permission_groups.contains(&group) { rights } else { Rights::NONE }
        };
        let own = match user {
            Some(_) => of_group(PermissionGroup::ExchangeUsers, PermissionGroup::ExchangeUsers.rights()),
            None if is_secured => of_group(PermissionGroup::ExchangeServers, Rights::EXTERNALLY_SECURED),
            None => of_group(PermissionGroup::AnonymousUsers, PermissionGroup::AnonymousUsers.rights()),
        };
        let grants = self.grants.iter().filter(|grant| grant.is_for(user, is_secured));
        grants.fold(own, |rights, grant| rights.with(grant.rights))
    }

    /// What a session on this connector says of itself and keeps to: `host` and `largest` are the server's name
    /// and the octets of a message that it takes at most.
    pub fn session(&self, host: &str, largest: u64) -> proto::smtp::Configuration {
        let host = self.fqdn.as_deref().unwrap_or(host);
        // Who logs on later has been told the limit already.
        let mut limits = self.limits;
        if self.rights(None).has(Right::BypassMessageSizeLimit) {
            limits.max_message_size = None;
        }
        proto::smtp::Configuration {
            host: host.to_owned(),
            banner: format!("{host} {}", self.banner.as_deref().unwrap_or(Self::BANNER)),
            limits: limits.session(largest),
        }
    }
}

fn yes() -> bool {
    true
}

fn bind(addresses: &[IpAddr], port: u16, tls: BindingTls) -> Vec<Binding> {
    addresses.iter().map(|&address| Binding { address, port, tls }).collect()
}

fn write_mechanisms<S: Serializer>(mechanisms: &AuthMechanisms, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(mechanisms)
}

fn read_mechanisms<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AuthMechanisms, D::Error> {
    AuthMechanisms::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use store::{AccountId, Address, NewAccount, Source};

    use super::*;
    use crate::Principal;

    fn user(address: &str) -> Account {
        let address = Address::parse(address).unwrap();
        Account::new(
            AccountId(1),
            NewAccount { address, aliases: Vec::new(), source: Source::Local, password: None, quota: None, created: 0 },
        )
    }

    #[test]
    fn a_connector_is_read_back_as_it_was_written() {
        let all = [IpAddr::from([0, 0, 0, 0])];
        for connector in [ReceiveConnector::default_connector(&all), ReceiveConnector::client_connector(&all)] {
            let text = serde_json::to_string(&connector).unwrap();
            assert_eq!(serde_json::from_str::<ReceiveConnector>(&text).unwrap(), connector, "{text}");
        }
    }

    #[test]
    fn strangers_may_use_port_25_and_users_all_three() {
        let all = [IpAddr::from([0, 0, 0, 0])];
        let ports = |connector: &ReceiveConnector| connector.bindings.iter().map(|b| b.port).collect::<Vec<_>>();
        let (default, client) = (ReceiveConnector::default_connector(&all), ReceiveConnector::client_connector(&all));
        assert_eq!((ports(&default), ports(&client)), (vec![25], vec![587, 465]));
        let ann = user("ann@example.test");
        let submit = |connector: &ReceiveConnector, user| connector.rights(user).has(Right::Submit);
        assert!(submit(&default, None) && submit(&default, Some(&ann)));
        assert!(!submit(&client, None) && submit(&client, Some(&ann)));
    }

    #[test]
    fn grants_are_for_whom_they_name_and_beside_the_groups() {
        let (ann, bob) = (user("ann@example.test"), user("bob@example.test"));
        let relays = |connector: &ReceiveConnector, user| connector.rights(user).has(Right::AcceptAnyRecipient);
        let with = |principal: &str| {
            let mut connector = ReceiveConnector::default_connector(&[]);
            connector.permission_groups = [PermissionGroup::AnonymousUsers].into();
            let rights = Rights::of(&[Right::AcceptAnyRecipient]);
            connector.grants = vec![Grant { principal: Principal::parse(principal).unwrap(), rights }];
            connector
        };
        for (principal, cells) in [
            ("ANONYMOUS LOGON", [true, false, false]),
            ("Authenticated Users", [false, true, true]),
            ("ann@example.test", [false, true, false]),
            ("Externally Secured Servers", [false, false, false]),
        ] {
            let connector = with(principal);
            let found = [None, Some(&ann), Some(&bob)].map(|user| relays(&connector, user));
            assert_eq!(found, cells, "{principal}");
            assert!(connector.rights(None).has(Right::Submit), "what the group gives stays");
        }
        let mut secured = with("Externally Secured Servers");
        secured.auth_mechanisms = AuthMechanisms::EXTERNAL_AUTHORITATIVE;
        assert!(relays(&secured, None) && !secured.rights(None).has(Right::AcceptAnySender));
        secured.permission_groups = [PermissionGroup::ExchangeServers].into();
        assert!(secured.rights(None).has(Right::AcceptAnySender));
    }

    #[test]
    fn a_message_may_be_as_large_as_the_server_takes_unless_the_connector_takes_less() {
        let mut connector = ReceiveConnector::default_connector(&[]);
        let largest = |connector: &ReceiveConnector| connector.session("mx.test", 1000).limits.message_octets;
        assert_eq!(largest(&connector), 1000);
        for (own, taken) in [(999, 999), (1001, 1000)] {
            connector.limits.max_message_size = Some(own);
            assert_eq!(largest(&connector), taken);
        }
        connector.limits.max_message_size = Some(999);
        let rights = Rights::of(&[Right::BypassMessageSizeLimit]);
        connector.grants = vec![Grant { principal: Principal::AnonymousLogon, rights }];
        assert_eq!(largest(&connector), 1000, "what the server takes is the limit for those who pass the connector's");
    }

    #[test]
    fn the_greeting_begins_with_the_hosts_name() {
        let mut connector = ReceiveConnector::default_connector(&[]);
        assert_eq!(connector.session("mx.test", 1).banner, "mx.test Gatepost ESMTP MAIL Service ready");
        connector.fqdn = Some("other.test".into());
        connector.banner = Some("hello".into());
        assert_eq!(connector.session("mx.test", 1).banner, "other.test hello");
    }
}
