//! Which addresses and ports the protocols get.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use management::Service;
use management::settings::SettingValue;
use store::SettingsMap;
use transport::ReceiveConnector;

use super::SetupError;
use crate::connectors;
use crate::listen::{BindError, bind};

/// `--listen`: an address, with `:0` for ports that the kernel gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    pub address: IpAddr,
    pub free_ports: bool,
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), free_ports: false }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.trim_matches(['[', ']']).parse() {
            return Ok(Self { address, free_ports: false });
        }
        match text.parse::<SocketAddr>() {
            Ok(socket) if socket.port() == 0 => Ok(Self { address: socket.ip(), free_ports: true }),
            _ => Err("expected an address of this machine such as 127.0.0.1 or 0.0.0.0 (all of IPv4), or one with :0 for free ports; shift the standard ports with --port-offset".to_owned()),
        }
    }
}

/// Where everything is to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub listen: Listen,
    pub offset: u16,
}

/// What is added to the standard ports when they cannot be had.
pub const SHIFT: u16 = 10_000;

impl Plan {
    /// For a first run that names no offset: the standard ports if all can be bound now, else the shifted ones.
    pub fn find(listen: Listen) -> Result<Self, BindError> {
        let standard = Self { listen, offset: 0 };
        if listen.free_ports || standard.try_all().is_ok() {
            return Ok(standard);
        }
        let shifted = Self { listen, offset: SHIFT };
        shifted.try_all().map(|()| shifted)
    }

    /// What an earlier run has stored, as far as it was a plan: an administrator may have bound services otherwise.
    pub fn stored(stored: &SettingsMap) -> Option<Self> {
        let bindings = stored.get("Imap.SSLBindings").map(Vec::<SocketAddr>::read)?.ok()?;
        let [binding] = bindings[..] else { return None };
        let listen = Listen { address: binding.ip(), free_ports: binding.port() == 0 };
        let offset = if listen.free_ports { 0 } else { binding.port().checked_sub(Service::Imap4.tls_port())? };
        Some(Self { listen, offset })
    }

    fn try_all(self) -> Result<(), BindError> {
        let services = Service::ALL.into_iter().flat_map(|service| [service.clear_port(), service.tls_port()]);
        // All are held until the last is bound.
        let bound: Result<Vec<_>, _> = services.chain([25, 465, 587]).map(|port| bind(self.socket(port))).collect();
        bound.map(drop)
    }

    fn socket(self, standard: u16) -> SocketAddr {
        let port = if self.listen.free_ports { 0 } else { standard.saturating_add(self.offset) };
        SocketAddr::new(self.listen.address, port)
    }

    /// The bindings as settings: those of the services, and the connectors as they are otherwise.
    pub fn changes(self, stored: &SettingsMap) -> Result<Vec<(String, Option<serde_json::Value>)>, SetupError> {
        let mut changes = Vec::new();
        for service in Service::ALL {
            let group = service.group();
            let clear = vec![self.socket(service.clear_port())].write();
            changes.push((format!("{group}.UnencryptedOrTLSBindings"), Some(clear)));
            changes.push((format!("{group}.SSLBindings"), Some(vec![self.socket(service.tls_port())].write())));
        }
        let address = [self.listen.address];
        let fresh = [ReceiveConnector::default_connector(&address), ReceiveConnector::client_connector(&address)];
        for mut connector in connectors::load(stored)? {
            let Some(fresh) = fresh.iter().find(|fresh| fresh.name == connector.name) else { continue };
            connector.bindings.clone_from(&fresh.bindings);
            for binding in &mut connector.bindings {
                binding.port = self.socket(binding.port).port();
            }
            changes.push(connectors::change(&connector, stored)?);
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_listen_on_is_an_address_and_never_a_fixed_port() {
        let listen = |text: &str| text.parse::<Listen>();
        assert_eq!(listen("0.0.0.0"), Ok(Listen { address: [0, 0, 0, 0].into(), free_ports: false }));
        assert_eq!(listen("127.0.0.1:0"), Ok(Listen { address: [127, 0, 0, 1].into(), free_ports: true }));
        assert_eq!(listen("[::1]:0").map(|listen| listen.free_ports), Ok(true));
        assert_eq!(listen("::1"), listen("[::1]"));
        assert!(listen("127.0.0.1:143").unwrap_err().contains("--port-offset"));
        assert!(listen("localhost").is_err());
    }

    #[tokio::test]
    async fn when_one_standard_port_cannot_be_had_all_are_shifted() {
        let listen: Listen = "127.84.15.9".parse().unwrap();
        // Who may not bind it at all is led to the same answer.
        let _taken = bind((listen.address, 993).into());
        assert_eq!(Plan::find(listen).unwrap().offset, SHIFT);
        let _taken_too = bind((listen.address, 10_465).into()).unwrap();
        let error = Plan::find(listen).unwrap_err().to_string();
        assert!(error.contains("10465") && error.contains("--port-offset"), "{error}");
    }

    #[test]
    fn every_port_is_shifted_alike_and_the_rest_of_a_connector_stays() {
        let mut client = ReceiveConnector::client_connector(&[]);
        client.banner = Some("ours".into());
        let (name, value) = connectors::change(&client, &SettingsMap::new()).unwrap();
        let mut stored = SettingsMap::from([(name, value.unwrap())]);
        let plan = Plan { listen: Listen::default(), offset: SHIFT };
        for (name, value) in plan.changes(&stored).unwrap() {
            stored.insert(name, value.unwrap());
        }
        assert_eq!(stored["Pop.SSLBindings"], serde_json::json!(["127.0.0.1:10995"]));
        assert_eq!(stored["Imap.UnencryptedOrTLSBindings"], serde_json::json!(["127.0.0.1:10143"]));
        let connectors = connectors::load(&stored).unwrap();
        let ports: Vec<_> = connectors.iter().flat_map(|c| &c.bindings).map(|binding| binding.port).collect();
        assert_eq!(ports, [10025, 10587, 10465]);
        assert_eq!(connectors[1].banner.as_deref(), Some("ours"));
        assert_eq!(Plan::stored(&stored), Some(plan), "and a later run knows");
    }
}
