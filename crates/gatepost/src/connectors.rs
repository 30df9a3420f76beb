//! Receive connectors as they are kept: one setting each, `ReceiveConnector.Name`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use management::settings::SmtpSettings;
use serde_json::Value;
use store::SettingsMap;
use transport::{Limits, ReceiveConnector};

use crate::setup::SetupError;

/// Those of the store. "Default" and "Client" are there also when the store has none of them.
pub fn load(stored: &SettingsMap) -> Result<Vec<ReceiveConnector>, SetupError> {
    let everywhere = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
    let mut connectors =
        vec![ReceiveConnector::default_connector(&everywhere), ReceiveConnector::client_connector(&everywhere)];
    let defaults = SmtpSettings::load(stored)?.limits();
    for connector in &mut connectors {
        connector.limits = defaults;
    }
    for (name, value) in stored.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value))) {
        // One of the two that are there without being stored, and was removed.
        if value.is_null() {
            connectors.retain(|connector| connector.name != name);
            continue;
        }
        let connector: ReceiveConnector = with_limits(value, &defaults)
            .and_then(serde_json::from_value)
            .map_err(|error| SetupError::Refused(format!("the setting {name} is damaged: {error}")))?;
        match connectors.iter_mut().find(|known| known.name == connector.name) {
            Some(known) => *known = connector,
            None => connectors.push(connector),
        }
    }
    Ok(connectors)
}

/// What to keep of one that is removed: "Default" and "Client" would be there again.
pub fn removal(name: &str) -> (String, Option<Value>) {
    let is_built_in = matches!(name, "Default" | "Client");
    (format!("{PREFIX}{name}"), is_built_in.then_some(Value::Null))
}

/// What to keep for a connector: of its limits those that are its own.
pub fn change(connector: &ReceiveConnector, stored: &SettingsMap) -> Result<(String, Option<Value>), SetupError> {
    let defaults = SmtpSettings::load(stored)?.limits();
    let value = own_limits(connector, &defaults)
        .map_err(|error| SetupError::Refused(format!("{} cannot be kept: {error}", connector.name)))?;
    Ok((format!("{PREFIX}{}", connector.name), Some(value)))
}

/// The limits that the settings of SMTP give, under those that a connector has of its own.
fn with_limits(connector: &Value, defaults: &Limits) -> serde_json::Result<Value> {
    let mut connector = connector.clone();
    let mut limits = serde_json::to_value(defaults)?;
    if let (Value::Object(limits), Some(Value::Object(own))) = (&mut limits, connector.get("limits")) {
        limits.extend(own.clone());
    }
    if let Value::Object(connector) = &mut connector {
        connector.insert("limits".to_owned(), limits);
    }
    Ok(connector)
}

fn own_limits(connector: &ReceiveConnector, defaults: &Limits) -> serde_json::Result<Value> {
    let (mut value, defaults) = (serde_json::to_value(connector)?, serde_json::to_value(defaults)?);
    if let Some(Value::Object(limits)) = value.get_mut("limits") {
        limits.retain(|name, limit| defaults.get(name) != Some(limit));
    }
    Ok(value)
}

const PREFIX: &str = "ReceiveConnector.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connectors_own_limit_holds_and_the_others_follow_the_settings_of_smtp() {
        let mut client = ReceiveConnector::client_connector(&[]);
        client.limits.max_hop_count = 7;
        let (name, value) = change(&client, &SettingsMap::new()).unwrap();
        let value = value.unwrap();
        assert_eq!(value["limits"], serde_json::json!({"max_hop_count": 7}));
        let (setting, changed) = management::settings::parse("Smtp.MaxProtocolErrors", "9").unwrap();
        let stored = SettingsMap::from([(name, value), (setting, changed)]);
        let loaded = load(&stored).unwrap();
        let limits = |name: &str| loaded.iter().find(|connector| connector.name == name).unwrap().limits;
        assert_eq!((limits("Client").max_hop_count, limits("Client").max_protocol_errors), (7, 9));
        assert_eq!((limits("Default").max_hop_count, limits("Default").max_protocol_errors), (60, 9));
    }
}
