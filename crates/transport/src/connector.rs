//! Receive connectors: where SMTP listens, for whom, and what is allowed there.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use identity::AuthMechanisms;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{PermissionGroup, RemoteRange, Rights};

/// All that decides about an SMTP session, as one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveConnector {
    pub name: String,
    pub bindings: Vec<Binding>,
    pub remote_ranges: Vec<RemoteRange>,
    #[serde(serialize_with = "write_mechanisms", deserialize_with = "read_mechanisms")]
    pub auth_mechanisms: AuthMechanisms,
    pub permission_groups: BTreeSet<PermissionGroup>,
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
            bindings: bind(addresses, 25, BindingTls::Explicit { implicit_tls_probe: Duration::ZERO }),
            permission_groups: [PermissionGroup::AnonymousUsers, PermissionGroup::ExchangeUsers].into(),
            ..Self::client_connector(&[])
        }
    }

    /// "Client": users' mail programs, by STARTTLS on port 587 and by TLS on port 465.
    pub fn client_connector(addresses: &[IpAddr]) -> Self {
        let explicit = BindingTls::Explicit { implicit_tls_probe: Self::IMPLICIT_TLS_PROBE };
        Self {
            name: "Client".to_owned(),
            bindings: [bind(addresses, 587, explicit), bind(addresses, 465, BindingTls::Implicit)].concat(),
            remote_ranges: RemoteRange::everywhere().to_vec(),
            auth_mechanisms: AuthMechanisms::TLS
                .with(AuthMechanisms::INTEGRATED)
                .with(AuthMechanisms::BASIC_AUTH)
                .with(AuthMechanisms::BASIC_AUTH_REQUIRE_TLS),
            permission_groups: [PermissionGroup::ExchangeUsers].into(),
            fqdn: None,
            banner: None,
            limits: Limits::default(),
        }
    }

    /// What a session may do that belongs to `group`; nothing, where the connector does not admit it.
    pub fn rights(&self, group: PermissionGroup) -> Rights {
        if self.permission_groups.contains(&group) { group.rights() } else { Rights::NONE }
    }

    /// What a session on this connector says of itself and keeps to: `host` and `largest` are the server's name
    /// and the octets of a message that it takes at most.
    pub fn session(&self, host: &str, largest: u64) -> proto::smtp::Configuration {
        let host = self.fqdn.as_deref().unwrap_or(host);
        proto::smtp::Configuration {
            host: host.to_owned(),
            banner: format!("{host} {}", self.banner.as_deref().unwrap_or(Self::BANNER)),
            limits: self.limits.session(largest),
        }
    }
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
    use super::*;
    use crate::Right;

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
        let submit = |connector: &ReceiveConnector, group| connector.rights(group).has(Right::Submit);
        assert!(submit(&default, PermissionGroup::AnonymousUsers) && submit(&default, PermissionGroup::ExchangeUsers));
        assert!(!submit(&client, PermissionGroup::AnonymousUsers) && submit(&client, PermissionGroup::ExchangeUsers));
        assert!(!submit(&default, PermissionGroup::Partners));
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
