//! Whether a receive connector can be, beside the others.

use std::net::SocketAddr;

use identity::AuthMechanisms;

use crate::{Binding, BindingTls, PermissionGroup, ReceiveConnector, Right};

/// Octets of a name.
const NAME: std::ops::RangeInclusive<usize> = 1..=64;

impl ReceiveConnector {
    /// Why it cannot be, and the cure. `others`: the connectors that there are, itself not among them.
    pub fn check(&self, others: &[Self]) -> Result<(), String> {
        let printable = self.name.chars().all(|c| !c.is_control());
        if !NAME.contains(&self.name.len()) || !printable || self.name.trim() != self.name {
            return Err(format!("a connector's name has {} to {} octets", NAME.start(), NAME.end()));
        }
        if let Some(other) = others.iter().find(|other| other.name.eq_ignore_ascii_case(&self.name)) {
            return Err(format!("there is a receive connector {} already", other.name));
        }
        self.check_itself()?;
        others.iter().try_for_each(|other| self.check_beside(other))
    }

    fn check_itself(&self) -> Result<(), String> {
        if self.bindings.is_empty() {
            return Err("a connector needs an address to listen on: -Bindings 0.0.0.0:25".to_owned());
        }
        if self.remote_ranges.is_empty() {
            return Err("a connector needs somebody to listen to: -RemoteIPRanges 0.0.0.0-255.255.255.255".to_owned());
        }
        for (at, binding) in self.bindings.iter().enumerate() {
            let same = |other: &&Binding| socket(other) == socket(binding) && binding.port != 0;
            if self.bindings.iter().skip(at + 1).any(|other| same(&other)) {
                return Err(format!("{} is there twice", socket(binding)));
            }
        }
        for (at, range) in self.remote_ranges.iter().enumerate() {
            let earlier = self.remote_ranges.iter().take(at);
            if let Some(other) = earlier.into_iter().find(|other| *other == range) {
                return Err(format!("the remote range {other} is there twice"));
            }
        }
        let has = |mechanism| self.auth_mechanisms.contains(mechanism);
        let is_explicit = |binding: &Binding| matches!(binding.tls, BindingTls::Explicit { .. });
        if self.require_tls && !has(AuthMechanisms::TLS) && self.bindings.iter().any(is_explicit) {
            return Err("RequireTLS needs Tls among AuthMechanism: nobody could begin TLS".to_owned());
        }
        if has(AuthMechanisms::EXTERNAL_AUTHORITATIVE)
            && !self.permission_groups.contains(&PermissionGroup::ExchangeServers)
        {
            return Err(
                "ExternalAuthoritative needs ExchangeServers among PermissionGroups: it is for servers".to_owned()
            );
        }
        Ok(())
    }

    fn check_beside(&self, other: &Self) -> Result<(), String> {
        for (mine, theirs) in self.bindings.iter().flat_map(|mine| other.bindings.iter().map(move |one| (mine, one))) {
            if mine.port == 0 || mine.port != theirs.port {
                continue;
            }
            let wild = mine.address.is_unspecified() || theirs.address.is_unspecified();
            let meets = mine.address == theirs.address || (wild && mine.address.is_ipv4() == theirs.address.is_ipv4());
            if meets && opens(mine) != opens(theirs) {
                return Err(format!(
                    "{} begins TLS in another way than {} of the connector {}: one port, one way",
                    socket(mine),
                    socket(theirs),
                    other.name
                ));
            }
            if mine.address != theirs.address {
                continue;
            }
            for (my, their) in
                self.remote_ranges.iter().flat_map(|my| other.remote_ranges.iter().map(move |their| (my, their)))
            {
                if my == their {
                    return Err(format!(
                        "the connector {} has the binding {} and the remote range {my} already; which of the two is a client's?",
                        other.name,
                        socket(mine)
                    ));
                }
                if my.overlaps(their) && !my.holds(their) && !their.holds(my) {
                    return Err(format!(
                        "the remote ranges {my} and {their} (of the connector {}) overlap, and neither holds the other",
                        other.name
                    ));
                }
            }
        }
        Ok(())
    }

    /// What its administrator should know of it.
    pub fn risks(&self) -> Vec<String> {
        let mut risks = Vec::new();
        let rights = self.rights(None);
        let public = self.remote_ranges.iter().find(|range| !range.is_private());
        if let Some(range) = public.filter(|_| rights.has(Right::Submit) && rights.has(Right::AcceptAnyRecipient)) {
            risks.push(format!(
                "OPEN RELAY: whoever comes from {range} may send to anybody through {} without log-on; spammers will. \
                 Name the few addresses that are to relay: -RemoteIPRanges 192.0.2.10",
                self.name
            ));
        }
        let has = |mechanism| self.auth_mechanisms.contains(mechanism);
        if has(AuthMechanisms::BASIC_AUTH) && !has(AuthMechanisms::BASIC_AUTH_REQUIRE_TLS) && !self.require_tls {
            risks.push(format!(
                "{} takes passwords in clear, and whoever is on the way can read them. \
                 Use: -AuthMechanism Tls,BasicAuth,BasicAuthRequireTLS",
                self.name
            ));
        }
        risks
    }
}

fn socket(binding: &Binding) -> SocketAddr {
    SocketAddr::new(binding.address, binding.port)
}

fn opens(binding: &Binding) -> bool {
    binding.tls == BindingTls::Implicit
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::{Grant, Principal, RemoteRange, Rights};

    fn connector(name: &str, address: &str, ranges: &[&str]) -> ReceiveConnector {
        let mut connector = ReceiveConnector::default_connector(&[address.parse::<IpAddr>().unwrap()]);
        connector.name = name.to_owned();
        connector.remote_ranges = ranges.iter().map(|range| range.parse::<RemoteRange>().unwrap()).collect();
        connector
    }

    fn fault(connector: &ReceiveConnector, others: &[ReceiveConnector]) -> String {
        connector.check(others).unwrap_err()
    }

    #[test]
    fn ranges_of_one_binding_hold_each_other_or_do_not_meet() {
        let all = connector("all", "0.0.0.0", &["0.0.0.0/0"]);
        for (address, range, taken) in [
            ("0.0.0.0", "10.0.0.0/8", true),
            ("0.0.0.0", "0.0.0.0/0", false),
            ("127.0.0.1", "0.0.0.0/0", true),
            ("::", "::/0", true),
        ] {
            assert_eq!(connector("b", address, &[range]).check(std::slice::from_ref(&all)).is_ok(), taken, "{range}");
        }
        let some = connector("some", "0.0.0.0", &["10.0.0.1-10.0.0.9"]);
        let across = connector("b", "0.0.0.0", &["10.0.0.5-10.0.0.20"]);
        assert!(fault(&across, &[all.clone(), some.clone()]).contains("neither holds the other"));
        assert!(connector("b", "0.0.0.0", &["10.0.0.10-10.0.0.20"]).check(&[all.clone(), some]).is_ok());
        assert!(fault(&connector("ALL", "127.0.0.1", &["0.0.0.0/0"]), &[all]).contains("already"));
    }

    #[test]
    fn a_port_begins_tls_in_one_way() {
        let one = connector("one", "0.0.0.0", &["0.0.0.0/0"]);
        let mut two = connector("two", "127.0.0.1", &["10.0.0.1"]);
        assert!(two.check(std::slice::from_ref(&one)).is_ok());
        two.bindings[0].tls = BindingTls::Implicit;
        assert!(fault(&two, &[one]).contains("one port, one way"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_cure() {
        let sound = connector("c", "0.0.0.0", &["0.0.0.0/0"]);
        assert_eq!(sound.check(&[]), Ok(()));
        let broken = |change: fn(&mut ReceiveConnector)| {
            let mut connector = sound.clone();
            change(&mut connector);
            fault(&connector, &[])
        };
        assert!(broken(|c| c.name = " c".into()).contains("name"));
        assert!(broken(|c| c.bindings.clear()).contains("-Bindings"));
        assert!(broken(|c| c.remote_ranges.clear()).contains("-RemoteIPRanges"));
        assert!(broken(|c| c.bindings = [&c.bindings[..], &c.bindings].concat()).contains("twice"));
        assert!(broken(|c| c.remote_ranges = [&c.remote_ranges[..], &c.remote_ranges].concat()).contains("twice"));
        assert!(
            broken(|c| {
                c.require_tls = true;
                c.auth_mechanisms = AuthMechanisms::NONE;
            })
            .contains("RequireTLS needs Tls")
        );
        assert!(
            broken(|c| c.auth_mechanisms = AuthMechanisms::EXTERNAL_AUTHORITATIVE).contains("needs ExchangeServers")
        );
    }

    #[test]
    fn an_open_relay_and_passwords_in_clear_are_said_to_be_such() {
        let mut connector = connector("relay", "0.0.0.0", &["192.168.1.0/24"]);
        assert!(connector.risks().is_empty());
        let rights = Rights::of(&[Right::AcceptAnyRecipient]);
        connector.grants = vec![Grant { principal: Principal::AnonymousLogon, rights }];
        assert!(connector.risks().is_empty(), "a private range is what it is for");
        connector.remote_ranges.push("198.51.100.0/24".parse().unwrap());
        assert!(connector.risks()[0].contains("OPEN RELAY") && connector.risks()[0].contains("198.51.100.0"));
        connector.permission_groups.clear();
        assert!(connector.risks().is_empty(), "who cannot submit cannot relay");
        connector.auth_mechanisms = AuthMechanisms::BASIC_AUTH;
        assert!(connector.risks()[0].contains("in clear"));
    }
}
