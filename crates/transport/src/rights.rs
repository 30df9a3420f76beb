//! Permission groups and the extended rights they hold.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a session may be allowed. Named as Exchange administrators know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// To send through this connector at all.
    Submit,
    /// To send to other domains than the accepted ones.
    AcceptAnyRecipient,
    /// To be believed any sender's address.
    AcceptAnySender,
    /// To be believed an address in an accepted domain.
    AcceptAuthoritativeDomainSender,
    /// To be believed that the sender was authenticated before.
    AcceptAuthenticationFlag,
    BypassAntiSpam,
    BypassMessageSizeLimit,
    /// To have Received and Resent fields kept.
    AcceptHeadersRouting,
    AcceptHeadersOrganization,
    AcceptHeadersForest,
}

impl Right {
    pub const ALL: [Self; 10] = [
        Self::Submit,
        Self::AcceptAnyRecipient,
        Self::AcceptAnySender,
        Self::AcceptAuthoritativeDomainSender,
        Self::AcceptAuthenticationFlag,
        Self::BypassAntiSpam,
        Self::BypassMessageSizeLimit,
        Self::AcceptHeadersRouting,
        Self::AcceptHeadersOrganization,
        Self::AcceptHeadersForest,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "ms-Exch-SMTP-Submit",
            Self::AcceptAnyRecipient => "ms-Exch-SMTP-Accept-Any-Recipient",
            Self::AcceptAnySender => "ms-Exch-SMTP-Accept-Any-Sender",
            Self::AcceptAuthoritativeDomainSender => "ms-Exch-SMTP-Accept-Authoritative-Domain-Sender",
            Self::AcceptAuthenticationFlag => "ms-Exch-SMTP-Accept-Authentication-Flag",
            Self::BypassAntiSpam => "ms-Exch-Bypass-Anti-Spam",
            Self::BypassMessageSizeLimit => "ms-Exch-Bypass-Message-Size-Limit",
            Self::AcceptHeadersRouting => "ms-Exch-Accept-Headers-Routing",
            Self::AcceptHeadersOrganization => "ms-Exch-Accept-Headers-Organization",
            Self::AcceptHeadersForest => "ms-Exch-Accept-Headers-Forest",
        }
    }
}

impl Right {
    /// By name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.name().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Self = Self(0);

    /// What servers may do that the network vouches for: all, but what only servers of one Exchange forest tell each other.
    pub const EXTERNALLY_SECURED: Self = Self::of(&[
        Right::Submit,
        Right::AcceptAnyRecipient,
        Right::AcceptAnySender,
        Right::AcceptAuthoritativeDomainSender,
        Right::AcceptAuthenticationFlag,
        Right::BypassAntiSpam,
        Right::BypassMessageSizeLimit,
        Right::AcceptHeadersRouting,
    ]);

    pub const fn of(rights: &[Right]) -> Self {
        let mut set = 0;
        let mut rest = rights;
        while let [right, tail @ ..] = rest {
            set |= 1 << *right as u16;
            rest = tail;
        }
        Self(set)
    }

    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u16) != 0
    }

    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |&right| self.has(right))
    }
}

/// Who a connector is for. What each may do is fixed; a connector names the groups it admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PermissionGroup {
    /// Whoever has not logged on.
    AnonymousUsers,
    /// Whoever has logged on to a mailbox.
    ExchangeUsers,
    /// Servers of the same organisation.
    ExchangeServers,
    /// Servers of organisations that are known and proven by their certificates.
    Partners,
}

impl PermissionGroup {
    pub const ALL: [Self; 4] = [Self::AnonymousUsers, Self::ExchangeUsers, Self::ExchangeServers, Self::Partners];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AnonymousUsers => "AnonymousUsers",
            Self::ExchangeUsers => "ExchangeUsers",
            Self::ExchangeServers => "ExchangeServers",
            Self::Partners => "Partners",
        }
    }

    /// By name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name().eq_ignore_ascii_case(text))
    }

    /// As in Exchange, but for one right that strangers lack here: to claim an address of an accepted domain.
    pub const fn rights(self) -> Rights {
        match self {
            Self::AnonymousUsers => Rights::of(&[Right::Submit, Right::AcceptAnySender, Right::AcceptHeadersRouting]),
            Self::ExchangeUsers => Rights::of(&[
                Right::Submit,
                Right::AcceptAnyRecipient,
                Right::BypassAntiSpam,
                Right::AcceptHeadersRouting,
            ]),
            Self::ExchangeServers => Rights::of(&Right::ALL),
            Self::Partners => Rights::of(&[Right::Submit, Right::AcceptHeadersRouting]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns in the order of `PermissionGroup::ALL`.
    /// The last column is of servers that are secured externally.
    const TABLE: [(&str, [bool; 5]); 10] = [
        ("ms-Exch-SMTP-Submit", [true, true, true, true, true]),
        ("ms-Exch-SMTP-Accept-Any-Recipient", [false, true, true, false, true]),
        ("ms-Exch-SMTP-Accept-Any-Sender", [true, false, true, false, true]),
        ("ms-Exch-SMTP-Accept-Authoritative-Domain-Sender", [false, false, true, false, true]),
        ("ms-Exch-SMTP-Accept-Authentication-Flag", [false, false, true, false, true]),
        ("ms-Exch-Bypass-Anti-Spam", [false, true, true, false, true]),
        ("ms-Exch-Bypass-Message-Size-Limit", [false, false, true, false, true]),
        ("ms-Exch-Accept-Headers-Routing", [true, true, true, true, true]),
        ("ms-Exch-Accept-Headers-Organization", [false, false, true, false, false]),
        ("ms-Exch-Accept-Headers-Forest", [false, false, true, false, false]),
    ];

    #[test]
    fn every_cell_of_the_table_holds() {
        for (right, (name, cells)) in Right::ALL.into_iter().zip(TABLE) {
            assert_eq!(right.name(), name);
            for (group, cell) in PermissionGroup::ALL.into_iter().zip(cells) {
                assert_eq!(group.rights().has(right), cell, "{name} {group:?}");
                assert!(!Rights::NONE.has(right));
            }
            assert_eq!(Rights::EXTERNALLY_SECURED.has(right), cells[4], "{name}, secured externally");
            assert_eq!(Right::parse(&name.to_lowercase()), Some(right));
        }
    }
}
