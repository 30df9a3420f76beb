//! Rights that a connector gives beyond its permission groups.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::{Account, Address};

use crate::{Right, Rights};

/// Whom a right is given to, by the names that Exchange administrators know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Principal {
    /// Whoever has not logged on.
    AnonymousLogon,
    /// Whoever has.
    AuthenticatedUsers,
    /// Whoever the network vouches for.
    ExternallySecuredServers,
    Mailbox(Address),
}

const WELL_KNOWN: [(&str, Principal); 3] = [
    ("ANONYMOUS LOGON", Principal::AnonymousLogon),
    ("Authenticated Users", Principal::AuthenticatedUsers),
    ("Externally Secured Servers", Principal::ExternallySecuredServers),
];

impl Principal {
    /// `NT AUTHORITY\ANONYMOUS LOGON`, `MS Exchange\Externally Secured Servers`, with or without what is before the
    /// backslash, or a mailbox's address. The error tells the cure.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.rsplit_once('\\').map_or(text, |(_, name)| name).trim();
        let known = WELL_KNOWN.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some((_, principal)) = known {
            return Ok(principal);
        }
        Address::parse(text.trim()).map(Self::Mailbox).map_err(|_| {
            format!("{text:?} is not ANONYMOUS LOGON, Authenticated Users, Externally Secured Servers or a mailbox's address")
        })
    }
}

impl TryFrom<String> for Principal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.to_string()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(address) => write!(f, "{address}"),
            known => {
                f.write_str(WELL_KNOWN.iter().find(|(_, principal)| principal == known).map_or("", |(name, _)| name))
            }
        }
    }
}

/// What one principal may do on a connector, whatever groups the connector admits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub principal: Principal,
    #[serde(serialize_with = "write_rights", deserialize_with = "read_rights")]
    pub rights: Rights,
}

impl Grant {
    /// Whether a session of this user, or of nobody, has it. `is_secured`: the network vouches for it.
    pub fn is_for(&self, user: Option<&Account>, is_secured: bool) -> bool {
        match (&self.principal, user) {
            (Principal::AnonymousLogon, None) => true,
            (Principal::AuthenticatedUsers, Some(_)) => true,
            (Principal::ExternallySecuredServers, None) => is_secured,
            // By the address that stays; an alias may be another's tomorrow.
            (Principal::Mailbox(address), Some(user)) => user.address == *address,
            _ => false,
        }
    }
}

fn write_rights<S: Serializer>(rights: &Rights, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rights.iter().map(Right::name))
}

fn read_rights<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rights, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().try_fold(Rights::NONE, |rights, name| {
        let right = Right::parse(name).ok_or_else(|| serde::de::Error::custom(format!("{name:?} is no right")))?;
        Ok(rights.with(Rights::of(&[right])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_read_as_exchange_writes_them() {
        for (text, principal) in [
            ("NT AUTHORITY\\ANONYMOUS LOGON", Principal::AnonymousLogon),
            ("anonymous logon", Principal::AnonymousLogon),
            ("Authenticated Users", Principal::AuthenticatedUsers),
            ("MS Exchange\\Externally Secured Servers", Principal::ExternallySecuredServers),
            ("Ann@Example.test", Principal::Mailbox(Address::parse("ann@example.test").unwrap())),
        ] {
            assert_eq!(Principal::parse(text).as_ref(), Ok(&principal), "{text}");
            assert_eq!(Principal::parse(&principal.to_string()), Ok(principal));
        }
        assert!(Principal::parse("somebody").unwrap_err().contains("ANONYMOUS LOGON"));
    }

    #[test]
    fn a_grant_is_read_back_as_it_was_written() {
        let rights = Rights::of(&[Right::AcceptAnyRecipient, Right::BypassAntiSpam]);
        let grant = Grant { principal: Principal::AnonymousLogon, rights };
        let text = serde_json::to_string(&grant).unwrap();
        assert!(text.contains("ms-Exch-SMTP-Accept-Any-Recipient"), "{text}");
        assert_eq!(serde_json::from_str::<Grant>(&text).unwrap(), grant);
    }
}
