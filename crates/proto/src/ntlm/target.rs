//! The names by which the server tells clients what it is.

/// The four names of MS-NLMP 2.2.2.1, short and in ASCII, so that they fit every message in each character set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) netbios_domain: String,
    pub(super) netbios_computer: String,
    pub(super) dns_domain: String,
    pub(super) dns_computer: String,
}

/// Says nothing of the server: for a host whose name NTLM cannot tell.
impl Default for Target {
    fn default() -> Self {
        let name = || "LOCALHOST".to_owned();
        let dns = String::new;
        Self { netbios_domain: name(), netbios_computer: name(), dns_domain: dns(), dns_computer: dns() }
    }
}

impl Target {
    /// The characters of a NetBIOS name.
    const MAX_NETBIOS: usize = 15;
    const MAX_DNS: usize = 255;

    /// MS-NLMP 2.2.2.1: the NetBIOS names must be there, the DNS names may be empty. `None` when a name is too long,
    /// missing, or not ASCII.
    pub fn new(netbios_domain: &str, netbios_computer: &str, dns_domain: &str, dns_computer: &str) -> Option<Self> {
        let netbios = |name: &str| {
            let fits = !name.is_empty() && name.len() <= Self::MAX_NETBIOS && name.is_ascii();
            fits.then(|| name.to_ascii_uppercase())
        };
        let dns = |name: &str| (name.len() <= Self::MAX_DNS && name.is_ascii()).then(|| name.to_owned());
        Some(Self {
            netbios_domain: netbios(netbios_domain)?,
            netbios_computer: netbios(netbios_computer)?,
            dns_domain: dns(dns_domain)?,
            dns_computer: dns(dns_computer)?,
        })
    }

    /// From a host's full name: `mail.example.com` is the computer MAIL in the domain EXAMPLE. A host without a
    /// domain is its own.
    pub fn of_host(host: &str) -> Option<Self> {
        let (computer, domain) = host.split_once('.').unwrap_or((host, ""));
        let short = |name: &str| name.chars().take_while(|c| *c != '.').take(Self::MAX_NETBIOS).collect::<String>();
        let netbios_domain = if domain.is_empty() { short(computer) } else { short(domain) };
        Self::new(&netbios_domain, &short(computer), domain, host)
    }

    /// The same in another domain, which may hold clients to its name. `None` when it does not fit.
    pub fn in_domain(&self, netbios_domain: &str) -> Option<Self> {
        Self::new(netbios_domain, &self.netbios_computer, &self.dns_domain, &self.dns_computer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_gives_all_four_names() {
        let target = |host| Target::of_host(host).unwrap();
        assert_eq!(
            target("mail.example.com"),
            Target::new("EXAMPLE", "MAIL", "example.com", "mail.example.com").unwrap()
        );
        assert_eq!(target("localhost"), Target::new("LOCALHOST", "localhost", "", "localhost").unwrap());
        assert_eq!(
            target("mail.example.com").in_domain("corp"),
            Target::new("CORP", "MAIL", "example.com", "mail.example.com")
        );
        assert_eq!(target("mail.example.com").in_domain(""), None);
        let long = target("a-very-long-host-name.a-very-long-domain.example");
        assert_eq!(
            (long.netbios_computer.as_str(), long.netbios_domain.as_str()),
            ("A-VERY-LONG-HOS", "A-VERY-LONG-DOM")
        );
    }

    #[test]
    fn names_that_do_not_fit_are_none() {
        for host in ["", ".", "mail..com", ".example.com", "mäil.example.com", "mail.exämple.com"] {
            assert_eq!(Target::of_host(host), None, "{host}");
        }
        assert!(Target::new(&"D".repeat(15), "C", &"d".repeat(255), "").is_some());
        assert!(Target::new(&"D".repeat(16), "C", "", "").is_none());
        assert!(Target::new("D", "C", &"d".repeat(256), "").is_none());
    }
}
