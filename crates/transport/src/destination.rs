//! Where a recipient's address leads, before anybody is looked up.

use proto::smtp::{ForwardPath, Mailbox};
use store::{AcceptedDomain, Address};

/// What is to be looked up in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The account of this address or nobody.
    Mailbox(Address),
    /// The account of this address, else the organisation's first mailbox: RFC 5321 §4.5.1 and RFC 2142 §1
    /// want `postmaster` and `abuse` to reach a person.
    Role(Address),
    /// An accepted domain, but no address that anybody here could have.
    Nobody,
    /// No accepted domain.
    Outside,
}

impl Destination {
    const ROLES: [&'static str; 2] = ["postmaster", "abuse"];

    pub fn of(to: &ForwardPath, domains: &[AcceptedDomain]) -> Self {
        match to {
            ForwardPath::Postmaster => {
                let default = domains.iter().find(|domain| domain.default).or(domains.first());
                let address = default.and_then(|domain| Address::parse(&format!("postmaster@{}", domain.name)).ok());
                address.map_or(Self::Outside, Self::Role)
            }
            ForwardPath::Mailbox(mailbox) if !is_accepted(mailbox, domains) => Self::Outside,
            ForwardPath::Mailbox(mailbox) => match local_address(mailbox) {
                Some(address) if Self::ROLES.contains(&address.local()) => Self::Role(address),
                Some(address) => Self::Mailbox(address),
                None => Self::Nobody,
            },
        }
    }

    /// The address to look up.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Mailbox(address) | Self::Role(address) => Some(address),
            Self::Nobody | Self::Outside => None,
        }
    }

    /// Whether the first mailbox stands in when nobody has the address.
    pub fn has_stand_in(&self) -> bool {
        matches!(self, Self::Role(_))
    }
}

/// Whether the mailbox is in a domain that we receive mail for. An address literal is none of them.
pub(crate) fn is_accepted(mailbox: &Mailbox, domains: &[AcceptedDomain]) -> bool {
    mailbox.domain().name().is_some_and(|name| domains.iter().any(|domain| domain.name.eq_ignore_ascii_case(name)))
}

/// The mailbox as an address of an account; `None` if no account can have it. The local part goes in without
/// quotes, so that `"ann"@example.test` is ann.
pub(crate) fn local_address(mailbox: &Mailbox) -> Option<Address> {
    // An `@` within the local part would make another domain of what follows it.
    if mailbox.local().contains('@') {
        return None;
    }
    Address::parse(&format!("{}@{}", mailbox.local(), mailbox.domain().name()?)).ok()
}
