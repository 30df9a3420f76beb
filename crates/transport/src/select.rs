//! Which connector a connection belongs to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::ReceiveConnector;

/// Those connectors are candidates that are bound to the local end most closely (its address before the
/// unspecified one); of them the one whose range holds the peer most narrowly wins. `None`: nobody is there
/// for this peer.
pub fn select(
    connectors: &[Arc<ReceiveConnector>],
    local: SocketAddr,
    remote: IpAddr,
) -> Option<&Arc<ReceiveConnector>> {
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let connectors = || connectors.iter().filter(|connector| connector.enabled);
    let closest = connectors().filter_map(|connector| closeness(connector, local)).max()?;
    connectors()
        .filter(|connector| closeness(connector, local) == Some(closest))
        .filter_map(|connector| breadth(connector, remote).map(|breadth| (breadth, connector)))
        .min_by_key(|&(breadth, _)| breadth)
        .map(|(_, connector)| connector)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Unspecified,
    Exact,
}

fn closeness(connector: &ReceiveConnector, local: SocketAddr) -> Option<Closeness> {
    let bindings = connector.bindings.iter().filter(|binding| binding.port == local.port());
    bindings
        .filter_map(|binding| match binding.address {
            address if address.to_canonical() == local.ip() => Some(Closeness::Exact),
            // [::] takes IPv4 as well where the system lets it.
            address if address.is_unspecified() && (address.is_ipv6() || local.is_ipv4()) => {
                Some(Closeness::Unspecified)
            }
            _ => None,
        })
        .max()
}

fn breadth(connector: &ReceiveConnector, remote: IpAddr) -> Option<u128> {
    connector.remote_ranges.iter().filter(|range| range.contains(remote)).map(crate::RemoteRange::breadth).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RemoteRange;

    fn connector(name: &str, addresses: &[&str], ranges: &[&str]) -> Arc<ReceiveConnector> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let mut connector = ReceiveConnector::default_connector(&addresses);
        connector.name = name.to_owned();
        connector.remote_ranges = ranges.iter().map(|range| range.parse::<RemoteRange>().unwrap()).collect();
        Arc::new(connector)
    }

    fn chosen(connectors: &[Arc<ReceiveConnector>], local: &str, remote: &str) -> Option<String> {
        select(connectors, local.parse().unwrap(), remote.parse().unwrap()).map(|connector| connector.name.clone())
    }

    #[test]
    fn the_narrowest_range_wins() {
        let all = [
            connector("all", &["0.0.0.0"], &["0.0.0.0/0", "::/0"]),
            connector("a", &["0.0.0.0"], &["192.168.1.0/24"]),
            connector("b", &["0.0.0.0"], &["10.0.0.0/8", "192.168.1.75"]),
        ];
        for (remote, name) in [("192.168.1.75", "b"), ("192.168.1.76", "a"), ("192.0.2.1", "all"), ("10.1.2.3", "b")] {
            assert_eq!(chosen(&all, "192.168.1.1:25", remote).as_deref(), Some(name), "{remote}");
        }
        assert_eq!(chosen(&all, "192.168.1.1:587", "192.0.2.1"), None);
        assert_eq!(chosen(&all[1..], "192.168.1.1:25", "192.0.2.1"), None);
        assert_eq!(chosen(&all, "[::ffff:192.168.1.1]:25", "::ffff:192.168.1.75").as_deref(), Some("b"));
    }

    #[test]
    fn the_local_binding_comes_before_the_remote_range() {
        let all = [
            connector("everywhere", &["0.0.0.0", "::"], &["192.0.2.1"]),
            connector("inside", &["10.0.0.1"], &["0.0.0.0/0"]),
        ];
        assert_eq!(chosen(&all, "10.0.0.1:25", "192.0.2.1").as_deref(), Some("inside"));
        assert_eq!(chosen(&all, "10.0.0.2:25", "192.0.2.1").as_deref(), Some("everywhere"));
        // The socket that the peer reached is the connector's that is bound there, and it is not for this peer.
        assert_eq!(
            chosen(&[all[0].clone(), connector("inside", &["10.0.0.1"], &["10.0.0.0/8"])], "10.0.0.1:25", "192.0.2.1"),
            None
        );
    }
}
