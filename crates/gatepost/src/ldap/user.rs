//! What an entry of the directory says of its user.

use ldap3::SearchEntry;
use store::Address;

use super::ntlm_auth::DomainNames;

/// Where entries keep what never changes: RFC 4530, and Active Directory.
pub const IDENTIFIERS: [&str; 2] = ["entryUUID", "objectGUID"];

/// By what an entry's user is known in a Windows domain.
pub const DOMAIN_NAMES: [&str; 2] = ["sAMAccountName", "userPrincipalName"];

/// Addresses of one user that are looked at.
const MOST_ADDRESSES: usize = 200;

/// A user of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The distinguished name.
    pub name: String,
    /// What stays when the name changes; the name where there is nothing.
    pub id: String,
    /// The one that names the mailbox first. No two are the same.
    pub addresses: Vec<Address>,
}

impl User {
    /// `attributes`: that with the mail address, and that with further ones.
    pub fn read(entry: &SearchEntry, [mail, alias]: [&str; 2]) -> Self {
        let mails = values(entry, mail).into_iter().filter_map(|value| Address::parse(&value).ok());
        let marked: Vec<(bool, Address)> =
            values(entry, alias).iter().filter_map(|value| proxy_address(value)).collect();
        let primary = marked.iter().filter(|(primary, _)| *primary).map(|(_, address)| address.clone());
        let mut addresses: Vec<Address> = Vec::new();
        for address in primary.chain(mails).chain(marked.iter().map(|(_, address)| address.clone())) {
            if addresses.len() < MOST_ADDRESSES && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let id = IDENTIFIERS.into_iter().find_map(|attribute| identifier(entry, attribute));
        Self { name: entry.dn.clone(), id: id.unwrap_or_else(|| entry.dn.clone()), addresses }
    }
}

pub fn domain_names(entry: &SearchEntry) -> DomainNames {
    let [account, principal] = DOMAIN_NAMES.map(|attribute| values(entry, attribute).into_iter().next());
    DomainNames { account, principal }
}

/// An address with or without `smtp:` before it, and whether it is marked as the one that names the mailbox. What is of
/// other kinds (`x500:`, `sip:`) is nothing to us.
fn proxy_address(value: &str) -> Option<(bool, Address)> {
    let (kind, address) = value.split_once(':').unwrap_or(("smtp", value));
    let address = Address::parse(address).ok().filter(|_| kind.eq_ignore_ascii_case("smtp"))?;
    Some((kind == "SMTP", address))
}

/// The values of an attribute, whose name servers write as they like.
fn values(entry: &SearchEntry, attribute: &str) -> Vec<String> {
    let named = entry.attrs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    named.flat_map(|(_, values)| values.clone()).collect()
}

fn identifier(entry: &SearchEntry, attribute: &str) -> Option<String> {
    if let Some(text) = values(entry, attribute).into_iter().find(|text| !text.is_empty()) {
        // Of sixteen octets, some happen to be a text.
        return Some(if attribute == "objectGUID" { hexadecimal(text.as_bytes()) } else { text });
    }
    let mut binary = entry.bin_attrs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    binary.find_map(|(_, values)| Some(hexadecimal(values.first()?)))
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const ATTRIBUTES: [&str; 2] = ["mail", "proxyAddresses"];

    fn entry(attributes: &[(&str, &[&str])]) -> SearchEntry {
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let attrs = attributes.iter().map(|(name, of)| ((*name).to_owned(), values(of))).collect();
        SearchEntry { dn: "uid=ann,dc=example".to_owned(), attrs, bin_attrs: HashMap::new() }
    }

    fn addresses(attributes: &[(&str, &[&str])]) -> Vec<String> {
        let user = User::read(&entry(attributes), ATTRIBUTES);
        user.addresses.iter().map(|address| address.as_str().to_owned()).collect()
    }

    #[test]
    fn the_address_that_is_marked_names_the_mailbox_else_that_of_mail() {
        let proxies: &[&str] = &["smtp:b@example.test", "SMTP:Ann@Example.test", "smtp:ann@example.test"];
        assert_eq!(
            addresses(&[("MAIL", &["m@example.test"]), ("proxyaddresses", proxies)]),
            ["ann@example.test", "m@example.test", "b@example.test"]
        );
        assert_eq!(
            addresses(&[("mail", &["m@example.test", "n@example.test"]), ("proxyAddresses", &["smtp:b@example.test"])]),
            ["m@example.test", "n@example.test", "b@example.test"]
        );
        assert!(addresses(&[]).is_empty());
    }

    #[test]
    fn what_is_no_mail_address_is_passed_over() {
        let proxies: &[&str] = &[
            "x500:/o=Example/cn=ann",
            "sip:ann@example.test",
            "X400:C=US;A= ;P=Example;S=Ann",
            "smtp:",
            "smtp:not an address",
            "",
            "plain@example.test",
            "Smtp:mixed@example.test",
        ];
        assert_eq!(addresses(&[("proxyAddresses", proxies)]), ["plain@example.test", "mixed@example.test"]);
        let many: Vec<String> = (0..=MOST_ADDRESSES).map(|number| format!("a{number}@example.test")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(addresses(&[("mail", &many)]).len(), MOST_ADDRESSES);
    }

    #[test]
    fn an_entry_is_known_by_what_stays_when_its_name_changes() {
        let read = |entry: &SearchEntry| User::read(entry, ATTRIBUTES).id;
        assert_eq!(read(&entry(&[])), "uid=ann,dc=example");
        assert_eq!(read(&entry(&[("entryuuid", &["1-2-3"])])), "1-2-3");
        assert_eq!(read(&entry(&[("objectGUID", &["AB"])])), "4142");
        let mut binary = entry(&[]);
        binary.bin_attrs.insert("objectGUID".to_owned(), vec![vec![0, 255]]);
        assert_eq!(read(&binary), "00ff");
    }
}
