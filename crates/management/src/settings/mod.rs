//! Every setting, declared once: its name, type, default and meaning.
//!
//! From a declaration come the typed value, the check of what an administrator gives, the parameters of the
//! `Set-` commands and the reference. Values are kept in the store as JSON under `Group.Name`; an absent
//! one has its default.

mod declare;
mod ldap;
mod open_id;
mod server;
mod service;
mod smtp;
mod value;

use serde_json::Value;
use store::SettingsMap;

pub use declare::{Declaration, Invalid};
pub use ldap::LdapSettings;
pub use open_id::OpenIdSettings;
pub use server::{KERBEROS_IS_MISSING, ServerSettings, needs_kerberos};
pub use service::{Service, ServiceSettings, StartupType};
pub use smtp::SmtpSettings;
pub use value::{HostName, LongText, SettingValue};

/// All declarations with their full names, in the order of the reference.
pub fn declarations() -> impl Iterator<Item = (String, &'static Declaration)> {
    let services = Service::ALL.into_iter().map(|service| (service.group(), ServiceSettings::DECLARATIONS));
    let groups = services.chain([
        ("Smtp", SmtpSettings::DECLARATIONS),
        ("OpenId", OpenIdSettings::DECLARATIONS),
        ("Ldap", LdapSettings::DECLARATIONS),
        ("Server", ServerSettings::DECLARATIONS),
    ]);
    groups.flat_map(|(group, declarations)| declarations.iter().map(move |d| (format!("{group}.{}", d.name), d)))
}

/// The defaults, in the order of [`declarations`].
fn defaults() -> Result<Vec<Value>, Invalid> {
    let none = SettingsMap::new();
    let mut values = Vec::new();
    for service in Service::ALL {
        values.extend(ServiceSettings::load(&none, service)?.values());
    }
    values.extend(SmtpSettings::load(&none)?.values());
    values.extend(OpenIdSettings::load(&none)?.values());
    values.extend(LdapSettings::load(&none)?.values());
    values.extend(ServerSettings::load(&none)?.values());
    Ok(values.into_iter().map(|(_, value)| value).collect())
}

/// Every setting with its default, form and meaning, for people.
pub fn reference() -> Result<String, Invalid> {
    let mut text = String::new();
    for ((name, declaration), default) in declarations().zip(defaults()?) {
        let default = crate::outcome::plain(&default);
        text += &format!(
            "{name}\n    {}\n    Default: {default}\n    Takes:   {}\n\n",
            declaration.meaning,
            (declaration.form)()
        );
    }
    Ok(text)
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
        let defaults = defaults().unwrap();
        assert_eq!(defaults.len(), declarations().count());
        for ((name, declaration), value) in declarations().zip(defaults) {
            assert_eq!((declaration.check)(&value), Ok(value), "{name}");
        }
    }

    #[test]
    fn the_reference_has_every_setting_with_its_default_and_what_it_takes() {
        let text = reference().unwrap();
        for (name, _) in declarations() {
            assert!(text.contains(&format!("{name}\n")), "{name}");
        }
        assert!(text.contains("Smtp.TarpitInterval\n"));
        assert!(text.contains("    Default: 00:00:05\n"));
    }

    #[test]
    fn a_limit_that_would_lock_everybody_out_is_refused() {
        for wrong in
            ["Imap.MaxConnections=0", "Server.MaxFailedLogonsPerMinute=0", "Imap.AuthenticatedConnectionTimeout=1"]
        {
            let (name, value) = wrong.split_once('=').unwrap();
            assert!(parse(name, value).is_err(), "{wrong}");
        }
        let none: SettingsMap = ["UnencryptedOrTLSBindings", "SSLBindings"]
            .map(|name| (format!("Pop.{name}"), Value::Array(Vec::new())))
            .into();
        assert!(ServiceSettings::load(&none, Service::Pop3).unwrap().check().unwrap_err().0.contains("Stop-Service"));
    }
}
