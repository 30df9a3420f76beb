//! The POP3 and IMAP4 services and their settings, named as in `Set-PopSettings` and `Set-ImapSettings`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use identity::{ExtendedProtection, LoginType};
use store::SettingsMap;

use super::declare::{Invalid, settings_group};

/// A service that an administrator starts and stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    Pop3,
    Imap4,
}

impl Service {
    pub const ALL: [Self; 2] = [Self::Pop3, Self::Imap4];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pop3 => "POP3",
            Self::Imap4 => "IMAP4",
        }
    }

    /// The name in Exchange's own scripts.
    pub const fn long_name(self) -> &'static str {
        match self {
            Self::Pop3 => "MSExchangePOP3",
            Self::Imap4 => "MSExchangeIMAP4",
        }
    }

    /// Where its settings are kept: `Pop.LoginType`.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Pop3 => "Pop",
            Self::Imap4 => "Imap",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name().eq_ignore_ascii_case(name) || s.long_name().eq_ignore_ascii_case(name))
    }

    /// RFC 1939 §3, RFC 3501 §2.1.
    pub const fn clear_port(self) -> u16 {
        match self {
            Self::Pop3 => 110,
            Self::Imap4 => 143,
        }
    }

    /// RFC 8314 §7.
    pub const fn tls_port(self) -> u16 {
        match self {
            Self::Pop3 => 995,
            Self::Imap4 => 993,
        }
    }
}

/// Whether a service starts with the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartupType {
    Automatic,
    #[default]
    Manual,
    /// Cannot be started until this is changed.
    Disabled,
}

impl StartupType {
    pub const ALL: [Self; 3] = [Self::Automatic, Self::Manual, Self::Disabled];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "Automatic",
            Self::Manual => "Manual",
            Self::Disabled => "Disabled",
        }
    }
}

/// None at all would lock everybody out.
pub(super) const COUNT: RangeInclusive<u32> = 1..=1_000_000;

/// A session that may not wait at all would never be served.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
/// As in Exchange: with less, clients would do nothing but log on.
const IDLE_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_secs(24 * 60 * 60);

settings_group! {
    /// The settings of one protocol service; a running service keeps those it was started with.
    ServiceSettings (service: Service) named service.group() => {
        /// Whether the service starts with the server.
        startup_type("StartupType"): StartupType = StartupType::default();
        /// How clients may log on before TLS.
        login_type("LoginType"): LoginType = LoginType::SecureLogin;
        /// Whether proofs of a password are bound to TLS (SCRAM's -PLUS, NTLM). Some clients choose it and then cannot do it.
        extended_protection_policy("ExtendedProtectionPolicy"): ExtendedProtection = ExtendedProtection::None;
        /// Addresses and ports in clear, with STLS or STARTTLS.
        unencrypted_or_tls_bindings("UnencryptedOrTLSBindings"): Vec<SocketAddr> = everywhere(service.clear_port());
        /// Addresses and ports with TLS from the first octet.
        ssl_bindings("SSLBindings"): Vec<SocketAddr> = everywhere(service.tls_port());
        /// What the service says first.
        banner("Banner"): String = format!("The Gatepost {} service is ready.", service.name());
        /// How long a session may be silent after log-on (RFC 1939 §3: 10 minutes at least; RFC 3501 §5.4: 30).
        authenticated_connection_timeout("AuthenticatedConnectionTimeout", IDLE_TIMEOUT): Duration = Duration::from_secs(30 * 60);
        /// How long a session may last without log-on.
        pre_authenticated_connection_timeout("PreAuthenticatedConnectionTimeout", TIMEOUT): Duration = Duration::from_secs(60);
        /// Connections at a time.
        max_connections("MaxConnections", COUNT): u32 = 20_000;
        /// Connections at a time from one address (one /64 network for IPv6).
        max_connection_from_single_ip("MaxConnectionFromSingleIP", COUNT): u32 = 200;
        /// Connections at a time that are logged on to one mailbox.
        max_connections_per_user("MaxConnectionsPerUser", COUNT): u32 = 16;
        /// Octets of one command, literals of an IMAP command included (a message being appended is not).
        max_command_size("MaxCommandSize", 512..=64 * 1024): u32 = match service { Service::Pop3 => 512, Service::Imap4 => 64 * 1024 };
        /// Failed log-ons after which a session ends.
        max_logon_failures("MaxLogonFailures", COUNT): u32 = 3;
        /// Commands that make no sense, after which a session ends.
        max_protocol_errors("MaxProtocolErrors", COUNT): u32 = 10;
        /// How long a binding in clear waits for a client that begins with TLS before it greets, in milliseconds.
        implicit_tls_probe("ImplicitTlsProbe", 0..=10_000): u32 = 0;
    }
}

impl ServiceSettings {
    pub fn load(map: &SettingsMap, service: Service) -> Result<Self, Invalid> {
        Self::read(map, service)
    }

    /// That a service with these settings listens somewhere.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.unencrypted_or_tls_bindings.is_empty() && self.ssl_bindings.is_empty() {
            return Err(Invalid(
                "without UnencryptedOrTLSBindings and without SSLBindings the service would listen nowhere; to stop it use Stop-Service".to_owned(),
            ));
        }
        Ok(())
    }
}

fn everywhere(port: u16) -> Vec<SocketAddr> {
    vec![(Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into()]
}
