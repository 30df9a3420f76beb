//! The addresses that a connector takes connections from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// From one address to another, both of one family, both included. Written `10.0.0.0/8`, `10.0.0.1-10.0.0.9`
/// or as one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RemoteRange {
    first: IpAddr,
    last: IpAddr,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no range of addresses like 10.0.0.0/8, 10.0.0.1-10.0.0.9 or 10.0.0.1")]
pub struct RemoteRangeError(String);

impl RemoteRange {
    /// All of IPv4 and all of IPv6.
    pub fn everywhere() -> [Self; 2] {
        [
            Self { first: Ipv4Addr::UNSPECIFIED.into(), last: Ipv4Addr::BROADCAST.into() },
            Self { first: Ipv6Addr::UNSPECIFIED.into(), last: Ipv6Addr::from_bits(u128::MAX).into() },
        ]
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        // An IPv4 client of an IPv6 socket is an IPv4 client.
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    /// Whether the other lies in it.
    pub fn holds(&self, other: &Self) -> bool {
        self.contains(other.first) && self.contains(other.last)
    }

    /// Whether some address is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }

    /// Whether the Internet is not in it: networks of organisations and links, and this host itself (RFC 6890).
    pub fn is_private(&self) -> bool {
        PRIVATE.iter().any(|&(network, length)| block(network, length).is_some_and(|network| network.holds(self)))
    }

    /// Addresses in it, less one: the fewer, the narrower.
    pub fn breadth(&self) -> u128 {
        bits(self.last) - bits(self.first)
    }
}

const PRIVATE: [(IpAddr, u32); 8] = [
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn parse(text: &str) -> Option<RemoteRange> {
    let address = |text: &str| text.trim().parse::<IpAddr>().ok();
    if let Some((network, length)) = text.split_once('/') {
        return block(address(network)?, length.parse().ok()?);
    }
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (address(first)?, address(last)?),
        None => (address(text)?, address(text)?),
    };
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(RemoteRange { first, last })
}

/// Refuses a network with bits beyond its prefix: most likely one of the two was mistyped.
fn block(network: IpAddr, length: u32) -> Option<RemoteRange> {
    let width = if network.is_ipv4() { 32 } else { 128 };
    if length > width {
        return None;
    }
    // The bits behind the prefix; none of them when it is the whole address.
    let host = u128::MAX.checked_shr(128 - width + length).unwrap_or(0);
    let first = bits(network);
    let last = match network {
        IpAddr::V4(_) => Ipv4Addr::from_bits(u32::try_from(first | host).ok()?).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(first | host).into(),
    };
    (first & host == 0).then_some(RemoteRange { first: network, last })
}

impl FromStr for RemoteRange {
    type Err = RemoteRangeError;

    fn from_str(text: &str) -> Result<Self, RemoteRangeError> {
        parse(text).ok_or_else(|| RemoteRangeError(text.to_owned()))
    }
}

impl TryFrom<String> for RemoteRange {
    type Error = RemoteRangeError;

    fn try_from(text: String) -> Result<Self, RemoteRangeError> {
        text.parse()
    }
}

impl From<RemoteRange> for String {
    fn from(range: RemoteRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for RemoteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> RemoteRange {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_are_read_and_written() {
        for (given, written) in [
            ("10.0.0.0/8", "10.0.0.0-10.255.255.255"),
            ("0.0.0.0/0", "0.0.0.0-255.255.255.255"),
            ("192.0.2.1/32", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1 - 192.0.2.9", "192.0.2.1-192.0.2.9"),
            ("2001:db8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::1/128", "::1"),
        ] {
            assert_eq!(range(given).to_string(), written);
            assert_eq!(range(written), range(given));
        }
        assert_eq!([range("0.0.0.0/0"), range("::/0")], RemoteRange::everywhere());
        for text in
            ["", "x", "10.0.0.0/33", "10.0.0.1/8", "::/129", "::1/64", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "10.0.0.0/"]
        {
            assert!(text.parse::<RemoteRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_holds_its_ends_and_nothing_beyond() {
        let inside = range("192.0.2.4-192.0.2.6");
        for (address, held) in [
            ("192.0.2.3", false),
            ("192.0.2.4", true),
            ("192.0.2.6", true),
            ("192.0.2.7", false),
            ("::ffff:192.0.2.5", true),
            ("::1", false),
        ] {
            assert_eq!(inside.contains(address.parse().unwrap()), held, "{address}");
        }
        assert!(!range("::/0").contains("192.0.2.1".parse().unwrap()));
        assert_eq!(inside.breadth(), 2);
    }

    #[test]
    fn ranges_hold_and_overlap() {
        for (one, other, holds, overlaps) in [
            ("10.0.0.0/8", "10.1.0.0/16", true, true),
            ("10.1.0.0/16", "10.0.0.0/8", false, true),
            ("10.0.0.1-10.0.0.9", "10.0.0.5-10.0.0.20", false, true),
            ("10.0.0.1", "10.0.0.1", true, true),
            ("10.0.0.1", "10.0.0.2", false, false),
            ("0.0.0.0/0", "::/0", false, false),
        ] {
            assert_eq!(
                (range(one).holds(&range(other)), range(one).overlaps(&range(other))),
                (holds, overlaps),
                "{one} {other}"
            );
            assert_eq!(range(other).overlaps(&range(one)), overlaps, "{other} {one}");
        }
    }

    #[test]
    fn private_networks_are_known() {
        for private in ["10.1.2.3", "172.16.0.0/12", "192.168.1.0/24", "127.0.0.1", "::1", "fd00::/8", "fe80::/10"] {
            assert!(range(private).is_private(), "{private}");
        }
        for public in ["0.0.0.0/0", "::/0", "172.0.0.0/8", "192.0.2.1", "9.255.255.255-10.0.0.1", "2001:db8::/32"] {
            assert!(!range(public).is_private(), "{public}");
        }
    }
}
