//! Receive connectors as they are kept: one setting each, `ReceiveConnector.Name`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;
use store::SettingsMap;
use transport::ReceiveConnector;

use crate::setup::SetupError;

/// Those of the store. "Default" and "Client" are there also when the store has none of them.
pub fn load(stored: &SettingsMap) -> Result<Vec<ReceiveConnector>, SetupError> {
    let everywhere = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
    let mut connectors =
        vec![ReceiveConnector::default_connector(&everywhere), ReceiveConnector::client_connector(&everywhere)];
    for (name, value) in stored.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        let connector: ReceiveConnector = serde_json::from_value(value.clone())
            .map_err(|error| SetupError::Refused(format!("the setting {name} is damaged: {error}")))?;
        match connectors.iter_mut().find(|known| known.name == connector.name) {
            Some(known) => *known = connector,
            None => connectors.push(connector),
        }
    }
    Ok(connectors)
}

/// What to keep for a connector.
pub fn change(connector: &ReceiveConnector) -> Result<(String, Option<Value>), SetupError> {
    let value = serde_json::to_value(connector)
        .map_err(|error| SetupError::Refused(format!("{} cannot be kept: {error}", connector.name)))?;
    Ok((format!("{PREFIX}{}", connector.name), Some(value)))
}

const PREFIX: &str = "ReceiveConnector.";
