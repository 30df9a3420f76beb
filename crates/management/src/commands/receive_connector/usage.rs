//! What a connector is for, and what that sets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use identity::AuthMechanisms;
use transport::{Limits, PermissionGroup, ReceiveConnector, RemoteRange};

use crate::Failure;

/// A connector with what its usage sets; everything of it can be changed afterwards.
pub fn connector(name: &str, usage: &str, limits: Limits) -> Result<ReceiveConnector, Failure> {
    let everywhere = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
    let on_25 = ReceiveConnector::default_connector(&everywhere);
    let mut made = match usage.to_ascii_lowercase().as_str() {
        // Users' mail programs. On one port: TLS from the first octet is for -SSLBindings to say.
        "client" => {
            let mut client = ReceiveConnector::client_connector(&everywhere);
            client.bindings.retain(|binding| binding.port == 587);
            client
        }
        // Strangers, to our own recipients.
        "internet" => ReceiveConnector {
            auth_mechanisms: AuthMechanisms::TLS,
            permission_groups: [PermissionGroup::AnonymousUsers].into(),
            remote_ranges: RemoteRange::everywhere().to_vec(),
            ..on_25
        },
        // Servers of the organisation, which the network vouches for: nobody is one until its address is named.
        "internal" => ReceiveConnector {
            auth_mechanisms: AuthMechanisms::TLS.with(AuthMechanisms::EXTERNAL_AUTHORITATIVE),
            permission_groups: [PermissionGroup::ExchangeServers].into(),
            remote_ranges: Vec::new(),
            ..on_25
        },
        // Nobody, until somebody is named.
        "custom" => ReceiveConnector {
            auth_mechanisms: AuthMechanisms::TLS,
            permission_groups: Default::default(),
            remote_ranges: Vec::new(),
            ..on_25
        },
        _ => return Err(Failure(format!("-Usage: {usage:?} is not one of Client, Internet, Internal, Custom"))),
    };
    name.clone_into(&mut made.name);
    made.limits = limits;
    Ok(made)
}
