//! Search filters (RFC 4515), made of settings and of what clients type.

use ldap3::{ldap_escape, parse_filter};
use management::settings::LdapSettings;
use store::Address;

/// Active Directory's LDAP_MATCHING_RULE_IN_CHAIN: through groups in groups.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// The filters of one directory.
pub struct Filters {
    user: String,
    mail: String,
    alias: String,
    names: Vec<String>,
}

impl Filters {
    /// `Err` says which of the settings makes no filter.
    pub fn new(settings: &LdapSettings) -> Result<Self, String> {
        let user = settings.user_filter.to_string();
        if !user.starts_with('(') || parse_filter(&user).is_err() {
            return Err(format!("Ldap.UserFilter {user:?} is no filter such as (objectClass=person)"));
        }
        let names: Vec<String> = listed(&settings.user_name_attributes).map(str::to_owned).collect();
        let (mail, alias) = (settings.mail_attribute.clone(), settings.alias_attribute.clone());
        for attribute in names.iter().chain([&mail, &alias]) {
            if !is_attribute(attribute) {
                return Err(format!("{attribute:?} is no attribute such as mail"));
            }
        }
        Ok(Self { user, mail, alias, names })
    }

    /// The attributes with addresses.
    pub fn addresses(&self) -> [&str; 2] {
        [&self.mail, &self.alias]
    }

    /// Any user.
    pub fn anybody(&self) -> &str {
        &self.user
    }

    /// The users with an address, of whom there should be one.
    pub fn with_address(&self, address: &Address) -> String {
        let Self { user, mail, alias, .. } = self;
        let address = ldap_escape(address.as_str());
        format!("(&{user}(|({mail}={address})({alias}=smtp:{address})({alias}={address})))")
    }

    /// The users with a name; `None` where they have none beside their addresses.
    pub fn with_name(&self, name: &str) -> Option<String> {
        if self.names.is_empty() || name.is_empty() {
            return None;
        }
        let name = ldap_escape(name);
        let any: String = self.names.iter().map(|attribute| format!("({attribute}={name})")).collect();
        Some(format!("(&{}(|{any}))", self.user))
    }
}

/// A group that has this entry as a member (RFC 4519 §3.5, §3.6).
pub fn with_member(name: &str) -> String {
    let name = ldap_escape(name);
    format!("(|(member={name})(uniqueMember={name}))")
}

/// An entry that says of itself that it is in this group, which may be in another.
pub fn member_of(group: &str) -> String {
    let group = ldap_escape(group);
    format!("(|(memberOf={group})(memberOf:{IN_CHAIN}:={group}))")
}

/// The items of a list, whatever parts them.
pub fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', ';']).filter(|item| !item.is_empty())
}

/// RFC 4512 §2.5: a name or a number, without options.
fn is_attribute(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use store::SettingsMap;

    use super::*;

    fn settings() -> LdapSettings {
        LdapSettings::load(&SettingsMap::new()).unwrap()
    }

    #[test]
    fn what_a_client_types_is_a_value_and_nothing_else() {
        let filters = Filters::new(&settings()).unwrap();
        assert_eq!(
            filters.with_name("*)(uid=*").unwrap(),
            "(&(objectClass=person)(|(uid=\\2a\\29\\28uid=\\2a)(sAMAccountName=\\2a\\29\\28uid=\\2a)(userPrincipalName=\\2a\\29\\28uid=\\2a)))"
        );
        assert_eq!(
            member_of("cn=a\\,b(c)\0"),
            format!("(|(memberOf=cn=a\\5c,b\\28c\\29\\00)(memberOf:{IN_CHAIN}:=cn=a\\5c,b\\28c\\29\\00))")
        );
        let address = Address::parse("a*@example.test").unwrap();
        assert_eq!(
            filters.with_address(&address),
            "(&(objectClass=person)(|(mail=a\\2a@example.test)(proxyAddresses=smtp:a\\2a@example.test)(proxyAddresses=a\\2a@example.test)))"
        );
        for name in ["*)(uid=*", "(", ")", "\\", "\0", "*", "é", "a&b|c!d=e~f>g<h:i"] {
            assert!(parse_filter(filters.with_name(name).unwrap()).is_ok(), "{name}");
            assert!(parse_filter(with_member(name)).is_ok() && parse_filter(member_of(name)).is_ok(), "{name}");
        }
        assert_eq!(filters.with_name(""), None);
    }

    #[test]
    fn settings_that_make_no_filter_are_told() {
        for user_filter in ["", "objectClass=person", "(objectClass=person", "(a=b)(c=d)", "(&)x"] {
            let settings = LdapSettings { user_filter: user_filter.into(), ..settings() };
            assert!(Filters::new(&settings).err().is_some_and(|why| why.contains("UserFilter")), "{user_filter}");
        }
        for mail_attribute in ["", "ma il", "mail)(a=*", "mail;lang-en"] {
            let settings = LdapSettings { mail_attribute: mail_attribute.into(), ..settings() };
            assert!(Filters::new(&settings).is_err(), "{mail_attribute}");
        }
        let none = LdapSettings { user_name_attributes: String::new(), ..settings() };
        assert_eq!(Filters::new(&none).unwrap().with_name("ann"), None);
    }
}
