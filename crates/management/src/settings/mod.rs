//! Every setting, declared once: its name, type, default and meaning.
//!
//! From a declaration come the typed value, the check of what an administrator gives, the parameters of the
//! `Set-` commands and the reference. Values are kept in the store as JSON under `Group.Name`; an absent
//! one has its default.

mod declare;
mod server;
mod service;
mod value;

use serde_json::Value;
use store::SettingsMap;

pub use declare::{Declaration, Invalid};
pub use server::ServerSettings;
pub use service::{Service, ServiceSettings, StartupType};
pub use value::SettingValue;

/// All declarations with their full names, in the order of the reference.
pub fn declarations() -> impl Iterator<Item = (String, &'static Declaration)> {
    let services = Service::ALL.into_iter().flat_map(|service| {
        ServiceSettings::DECLARATIONS.iter().map(move |d| (format!("{}.{}", service.group(), d.name), d))
    });
    services.chain(ServerSettings::DECLARATIONS.iter().map(|d| (format!("Server.{}", d.name), d)))
}

/// Checks `Group.Name` and a value written as text; what to keep in the store.
pub fn parse(name: &str, text: &str) -> Result<(String, Value), Invalid> {
    let found = declarations().find(|(full, _)| full.eq_ignore_ascii_case(name));
    let Some((full, declaration)) = found else {
        let names = declarations().map(|(full, _)| full).collect::<Vec<_>>().join(", ");
        return Err(Invalid(format!("there is no setting {name:?}. Settings are: {names}.")));
    };
    let value = (declaration.check)(&Value::String(text.to_owned()))
        .map_err(|Invalid(why)| Invalid(format!("{full}: {why}")))?;
    Ok((full, value))
}

/// What stands in the store under `group.name`.
fn stored<'a>(map: &'a SettingsMap, group: &str, name: &str) -> Option<&'a Value> {
    map.get(&format!("{group}.{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_checked_by_its_declaration() {
        assert_eq!(
            parse("imap.logintype", "plaintextlogin").unwrap(),
            ("Imap.LoginType".into(), "PlainTextLogin".into())
        );
        assert_eq!(parse("Server.DeletedItemRetention", "0").unwrap().1, Value::from("00:00:00"));
        for (name, least, past) in [
            ("Imap.MaxCommandSize", "512", "511"),
            ("Imap.MaxCommandSize", "65536", "65537"),
            ("Pop.PreAuthenticatedConnectionTimeout", "1", "0"),
            ("Server.MaxMessageSize", "64KB", "65535"),
            ("Imap.ImplicitTlsProbe", "10000", "10001"),
        ] {
            assert!(parse(name, least).is_ok(), "{name} {least}");
            assert!(parse(name, past).unwrap_err().0.contains(" to "), "{name} {past}");
        }
        assert!(parse("Imap.LoginType", "Whatever").unwrap_err().0.contains("SecureLogin"));
        assert!(parse("Imap.Nothing", "1").unwrap_err().0.contains("Imap.LoginType"));
    }

    #[test]
    fn every_default_is_a_value_that_its_own_declaration_accepts() {
        for service in Service::ALL {
            let settings = ServiceSettings::load(&SettingsMap::new(), service).unwrap();
            for (declaration, (_, value)) in ServiceSettings::DECLARATIONS.iter().zip(settings.values()) {
                assert_eq!((declaration.check)(&value), Ok(value), "{}", declaration.name);
            }
        }
        let settings = ServerSettings::load(&SettingsMap::new()).unwrap();
        for (declaration, (_, value)) in ServerSettings::DECLARATIONS.iter().zip(settings.values()) {
            assert_eq!((declaration.check)(&value), Ok(value), "{}", declaration.name);
        }
    }
}
