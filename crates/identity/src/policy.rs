//! The one table of what may be used for log-on, by rule, channel and method.

use proto::logon::{Channel, Mechanism, Offer};

use crate::{AuthMechanisms, LoginType};

/// A way to log on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// USER and PASS, or LOGIN.
    PasswordCommand,
    Mechanism(Mechanism),
}

/// What decides: a service's setting or a receive connector's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    LoginType(LoginType),
    Connector(AuthMechanisms),
}

/// Whose words and commands an offer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Pop3,
    Imap,
    Smtp,
}

/// How TLS can be had, as configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tls {
    /// There is a certificate to begin TLS with.
    pub available: bool,
    /// The port where TLS is on from the first octet.
    pub implicit_port: Option<u16>,
}

/// A method's row.
struct Row {
    /// The LoginTypes that take it on a clear channel; on a private one all do.
    in_clear: &'static [LoginType],
    /// What a connector must have to take it at all.
    connector_needs: AuthMechanisms,
    /// What keeps it to a private channel when the connector has it.
    connector_keeps_private: AuthMechanisms,
}

impl Method {
    /// Every method without a row here does not compile.
    const fn row(self) -> Row {
        match self {
            // These show the password to whoever reads a clear line.
            Self::PasswordCommand | Self::Mechanism(Mechanism::Plain | Mechanism::Login) => Row {
                in_clear: &[LoginType::PlainTextLogin],
                connector_needs: AuthMechanisms::BASIC_AUTH,
                connector_keeps_private: AuthMechanisms::BASIC_AUTH_REQUIRE_TLS,
            },
        }
    }
}

impl Rule {
    /// Whether a method may be used on a channel.
    pub fn allows(self, channel: Channel, method: Method) -> bool {
        let row = method.row();
        match self {
            Self::LoginType(login_type) => channel.is_private() || row.in_clear.contains(&login_type),
            Self::Connector(has) => {
                has.contains(row.connector_needs)
                    && (channel.is_private() || !has.contains(row.connector_keeps_private))
            }
        }
    }
}

/// What a session may offer on its channel; to be made anew when the channel changes.
pub fn offer(protocol: Protocol, rule: Rule, tls: Tls, channel: Channel) -> Offer {
    let wanted = match rule {
        Rule::LoginType(_) => true,
        Rule::Connector(has) => has.contains(AuthMechanisms::TLS),
    };
    let starttls = tls.available && wanted && !channel.is_private();
    Offer {
        starttls,
        // SMTP has no command of its own for passwords.
        password_command: protocol != Protocol::Smtp && rule.allows(channel, Method::PasswordCommand),
        mechanisms: Mechanism::ALL
            .into_iter()
            .filter(|&mechanism| rule.allows(channel, Method::Mechanism(mechanism)))
            .collect(),
        cure: if channel.is_private() { String::new() } else { cure(protocol, starttls, tls) },
    }
}

/// What a person reads in the mail program's error box, and can act on.
fn cure(protocol: Protocol, starttls: bool, tls: Tls) -> String {
    let port = tls.implicit_port.filter(|_| tls.available);
    match (protocol, starttls, port) {
        (Protocol::Pop3, true, Some(port)) => format!("Use STLS, or connect with TLS on port {port}."),
        (Protocol::Pop3, true, None) => "Use STLS.".to_owned(),
        (Protocol::Imap, true, Some(port)) => format!("Use STARTTLS, or connect with TLS on port {port}."),
        (Protocol::Imap, true, None) => "Use STARTTLS.".to_owned(),
        (Protocol::Smtp, true, Some(port)) => format!("Use STARTTLS first, or port {port}."),
        (Protocol::Smtp, true, None) => "Use STARTTLS first.".to_owned(),
        (_, false, Some(port)) => format!("Connect with TLS on port {port}."),
        (_, false, None) => "TLS is needed, and this server has no certificate for it.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNELS: [Channel; 3] = [Channel::Clear, Channel::Upgraded, Channel::Implicit];
    const METHODS: [Method; 3] =
        [Method::PasswordCommand, Method::Mechanism(Mechanism::Plain), Method::Mechanism(Mechanism::Login)];
    const TLS: Tls = Tls { available: true, implicit_port: Some(995) };

    /// Facts 1c for the methods that exist: rows are LoginTypes, columns the channels, and in each cell the
    /// methods in the order of `METHODS`.
    const LOGIN_TYPES: [(LoginType, [[bool; 3]; 3]); 3] = [
        (LoginType::PlainTextLogin, [[true, true, true], [true, true, true], [true, true, true]]),
        (LoginType::PlainTextAuthentication, [[false, false, false], [true, true, true], [true, true, true]]),
        (LoginType::SecureLogin, [[false, false, false], [true, true, true], [true, true, true]]),
    ];

    /// Whether passwords are taken in clear, and on a private channel; whether STARTTLS is offered in clear.
    const CONNECTORS: [(&str, bool, bool, bool); 5] = [
        ("None", false, false, false),
        ("Tls", false, false, true),
        ("BasicAuth", true, true, false),
        ("Tls, BasicAuth", true, true, true),
        ("Tls, BasicAuth, BasicAuthRequireTLS", false, true, true),
    ];

    #[test]
    fn every_cell_of_the_login_type_table_holds_for_pop3_and_imap() {
        for (login_type, cells) in LOGIN_TYPES {
            for (channel, cell) in CHANNELS.into_iter().zip(cells) {
                for (method, allowed) in METHODS.into_iter().zip(cell) {
                    let rule = Rule::LoginType(login_type);
                    assert_eq!(rule.allows(channel, method), allowed, "{login_type} {channel:?} {method:?}");
                    for protocol in [Protocol::Pop3, Protocol::Imap] {
                        let offer = offer(protocol, rule, TLS, channel);
                        let offered = match method {
                            Method::PasswordCommand => offer.password_command,
                            Method::Mechanism(mechanism) => offer.has(mechanism),
                        };
                        assert_eq!(offered, allowed, "{protocol:?} {login_type} {channel:?} {method:?}");
                        assert_eq!(offer.starttls, channel == Channel::Clear);
                    }
                }
            }
        }
    }

    #[test]
    fn every_cell_of_the_connector_table_holds() {
        for (text, clear, private, starttls) in CONNECTORS {
            let rule = Rule::Connector(AuthMechanisms::parse(text).unwrap());
            for channel in CHANNELS {
                let offer = offer(Protocol::Smtp, rule, TLS, channel);
                let allowed = if channel.is_private() { private } else { clear };
                for mechanism in Mechanism::ALL {
                    assert_eq!(offer.has(mechanism), allowed, "{text} {channel:?} {mechanism:?}");
                }
                assert!(!offer.password_command);
                assert_eq!(offer.starttls, starttls && channel == Channel::Clear, "{text} {channel:?}");
            }
        }
    }

    #[test]
    fn the_cure_names_the_port_as_configured() {
        let clear = |protocol, port| {
            let tls = Tls { available: true, implicit_port: Some(port) };
            offer(protocol, Rule::LoginType(LoginType::SecureLogin), tls, Channel::Clear).cure
        };
        assert_eq!(clear(Protocol::Pop3, 995), "Use STLS, or connect with TLS on port 995.");
        assert_eq!(clear(Protocol::Imap, 10993), "Use STARTTLS, or connect with TLS on port 10993.");
        let connector = Rule::Connector(AuthMechanisms::parse("Tls, BasicAuth, BasicAuthRequireTLS").unwrap());
        let tls = Tls { available: true, implicit_port: Some(465) };
        assert_eq!(offer(Protocol::Smtp, connector, tls, Channel::Clear).cure, "Use STARTTLS first, or port 465.");
    }

    #[test]
    fn the_cure_names_no_way_that_is_not_there() {
        let pop3 = |tls, channel| offer(Protocol::Pop3, Rule::LoginType(LoginType::SecureLogin), tls, channel);
        let no_port = Tls { available: true, implicit_port: None };
        assert_eq!(pop3(no_port, Channel::Clear).cure, "Use STLS.");
        let no_certificate = Tls { available: false, implicit_port: Some(995) };
        assert!(!pop3(no_certificate, Channel::Clear).starttls);
        assert!(!pop3(no_certificate, Channel::Clear).cure.contains("995"));
        for channel in [Channel::Upgraded, Channel::Implicit] {
            assert_eq!(pop3(TLS, channel).cure, "");
        }
        let no_starttls = offer(Protocol::Smtp, Rule::Connector(AuthMechanisms::NONE), TLS, Channel::Clear);
        assert_eq!(no_starttls.cure, "Connect with TLS on port 995.");
    }
}
