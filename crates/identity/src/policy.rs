//! The one table of what may be used for log-on, by rule, channel and method.

use proto::logon::{Channel, ExtendedProtection, Kind, Mechanism, Offer};

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
    /// A connector must have one of these to take it at all.
    connector_needs: &'static [AuthMechanisms],
    /// Whether a connector takes it on a clear channel, unless `BasicAuthRequireTLS` forbids it.
    connector_in_clear: bool,
}

impl Method {
    pub const fn kind(self) -> Kind {
        match self {
            Self::PasswordCommand => Kind::Password,
            Self::Mechanism(mechanism) => mechanism.kind(),
        }
    }

    /// Every kind without a row here does not compile.
    const fn row(self) -> Row {
        match self.kind() {
            Kind::Password => Row {
                in_clear: &[LoginType::PlainTextLogin],
                connector_needs: &[AuthMechanisms::BASIC_AUTH],
                connector_in_clear: true,
            },
            // Integrated Windows authentication, and what came after it.
            Kind::Proof | Kind::Bindable => Row {
                in_clear: &[LoginType::PlainTextLogin, LoginType::PlainTextAuthentication],
                connector_needs: &[AuthMechanisms::INTEGRATED],
                connector_in_clear: true,
            },
            // Bound to TLS, or good for whoever reads it.
            Kind::Bound | Kind::Private => Row {
                in_clear: &[],
                connector_needs: &[AuthMechanisms::BASIC_AUTH, AuthMechanisms::INTEGRATED],
                connector_in_clear: false,
            },
        }
    }
}

impl Rule {
    /// Whether a method may be used on a channel.
    pub fn allows(self, protection: ExtendedProtection, channel: Channel, method: Method) -> bool {
        let row = method.row();
        let protected = match protection {
            ExtendedProtection::None => method.kind() != Kind::Bound,
            ExtendedProtection::Allow => true,
            ExtendedProtection::Require => match method.kind() {
                Kind::Proof => false,
                // Bound to what, in clear?
                Kind::Bindable => channel.is_private(),
                Kind::Password | Kind::Bound | Kind::Private => true,
            },
        };
        protected
            && match self {
                Self::LoginType(login_type) => channel.is_private() || row.in_clear.contains(&login_type),
                Self::Connector(has) => {
                    let in_clear = row.connector_in_clear && !has.contains(AuthMechanisms::BASIC_AUTH_REQUIRE_TLS);
                    row.connector_needs.iter().any(|&needed| has.contains(needed)) && (channel.is_private() || in_clear)
                }
            }
    }
}

/// What the accounts have that a mechanism needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// What SCRAM needs is kept of the passwords of all, or of those that are meant to use it.
    pub scram: bool,
    /// Somebody may log on by NTLM.
    pub ntlm: bool,
    /// There is a provider whose tokens are taken.
    pub tokens: bool,
    /// There is a key that tickets of Kerberos are for. Clients try it first, and fail where there is none.
    pub kerberos: bool,
    /// The client has shown a certificate that names a mail address.
    pub certificate: bool,
}

impl Available {
    pub const ALL: Self = Self { scram: true, ntlm: true, tokens: true, kerberos: true, certificate: true };

    fn has(self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::ScramSha256Plus | Mechanism::ScramSha256 | Mechanism::ScramSha1Plus | Mechanism::ScramSha1 => {
                self.scram
            }
            Mechanism::Ntlm => self.ntlm,
            Mechanism::External => self.certificate,
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => self.tokens,
            Mechanism::Gssapi | Mechanism::GssSpnego => self.kerberos,
            _ => true,
        }
    }
}

/// What a session may offer on its channel; to be made anew when the channel changes.
pub fn offer(
    protocol: Protocol,
    rule: Rule,
    protection: ExtendedProtection,
    available: Available,
    tls: Tls,
    channel: Channel,
) -> Offer {
    let wanted = match rule {
        Rule::LoginType(_) => true,
        Rule::Connector(has) => has.contains(AuthMechanisms::TLS),
    };
    let starttls = tls.available && wanted && !channel.is_private();
    Offer {
        starttls,
        // SMTP has no command of its own for passwords.
        password_command: protocol != Protocol::Smtp && rule.allows(protection, channel, Method::PasswordCommand),
        mechanisms: Mechanism::ALL
            .into_iter()
            .filter(|&mechanism| available.has(mechanism))
            .filter(|&mechanism| rule.allows(protection, channel, Method::Mechanism(mechanism)))
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
    const NONE: ExtendedProtection = ExtendedProtection::None;
    const KINDS: [Kind; 5] = [Kind::Password, Kind::Proof, Kind::Bindable, Kind::Bound, Kind::Private];
    const TLS: Tls = Tls { available: true, implicit_port: Some(995) };

    /// Facts 1c: rows are LoginTypes; whether the kinds, in the order of `KINDS`, are taken in clear. After TLS all are.
    const LOGIN_TYPES: [(LoginType, [bool; 5]); 3] = [
        (LoginType::PlainTextLogin, [true, true, true, false, false]),
        (LoginType::PlainTextAuthentication, [false, true, true, false, false]),
        (LoginType::SecureLogin, [false, false, false, false, false]),
    ];

    /// Whether a kind is taken in clear, and on a private channel.
    type Cell = (bool, bool);

    /// For each kind its cell; whether STARTTLS is offered in clear.
    const CONNECTORS: [(&str, [Cell; 5], bool); 8] = [
        ("None", [(false, false), (false, false), (false, false), (false, false), (false, false)], false),
        ("Tls", [(false, false), (false, false), (false, false), (false, false), (false, false)], true),
        ("BasicAuth", [(true, true), (false, false), (false, false), (false, true), (false, true)], false),
        ("Integrated", [(false, false), (true, true), (true, true), (false, true), (false, true)], false),
        ("Tls, BasicAuth", [(true, true), (false, false), (false, false), (false, true), (false, true)], true),
        ("Tls, Integrated, BasicAuth", [(true, true), (true, true), (true, true), (false, true), (false, true)], true),
        (
            "Tls, BasicAuth, BasicAuthRequireTLS",
            [(false, true), (false, false), (false, false), (false, true), (false, true)],
            true,
        ),
        (
            "Tls, Integrated, BasicAuth, BasicAuthRequireTLS",
            [(false, true), (false, true), (false, true), (false, true), (false, true)],
            true,
        ),
    ];

    fn methods() -> impl Iterator<Item = Method> {
        Mechanism::ALL.into_iter().map(Method::Mechanism).chain([Method::PasswordCommand])
    }

    fn of_kind(cells: [bool; 5], method: Method) -> bool {
        KINDS.into_iter().zip(cells).any(|(kind, cell)| kind == method.kind() && cell)
    }

    fn offers(offer: &Offer, method: Method) -> bool {
        match method {
            Method::PasswordCommand => offer.password_command,
            Method::Mechanism(mechanism) => offer.has(mechanism),
        }
    }

    /// What extended protection leaves of it.
    fn leaves(protection: ExtendedProtection, channel: Channel, method: Method) -> bool {
        match (protection, method.kind()) {
            (ExtendedProtection::None, Kind::Bound) | (ExtendedProtection::Require, Kind::Proof) => false,
            (ExtendedProtection::Require, Kind::Bindable) => channel != Channel::Clear,
            (_, Kind::Password | Kind::Proof | Kind::Bindable | Kind::Bound | Kind::Private) => true,
        }
    }

    #[test]
    fn every_cell_of_the_login_type_table_holds_for_pop3_and_imap() {
        for (login_type, in_clear) in LOGIN_TYPES {
            let rule = Rule::LoginType(login_type);
            for (channel, protection) in CHANNELS.into_iter().flat_map(|c| ExtendedProtection::ALL.map(|p| (c, p))) {
                for method in methods() {
                    let allowed =
                        (channel.is_private() || of_kind(in_clear, method)) && leaves(protection, channel, method);
                    let cell = format!("{login_type} {protection} {channel:?} {method:?}");
                    assert_eq!(rule.allows(protection, channel, method), allowed, "{cell}");
                    for protocol in [Protocol::Pop3, Protocol::Imap] {
                        let offer = offer(protocol, rule, protection, Available::ALL, TLS, channel);
                        assert_eq!(offers(&offer, method), allowed, "{protocol:?} {cell}");
                        assert_eq!(offer.starttls, channel == Channel::Clear);
                    }
                }
            }
        }
    }

    #[test]
    fn every_cell_of_the_connector_table_holds() {
        for (text, cells, starttls) in CONNECTORS {
            let rule = Rule::Connector(AuthMechanisms::parse(text).unwrap());
            for (channel, protection) in CHANNELS.into_iter().flat_map(|c| ExtendedProtection::ALL.map(|p| (c, p))) {
                let offer = offer(Protocol::Smtp, rule, protection, Available::ALL, TLS, channel);
                let cells = cells.map(|(clear, private)| if channel.is_private() { private } else { clear });
                for method in methods().filter(|method| *method != Method::PasswordCommand) {
                    let allowed = of_kind(cells, method) && leaves(protection, channel, method);
                    assert_eq!(offers(&offer, method), allowed, "{text} {protection} {channel:?} {method:?}");
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
            offer(protocol, Rule::LoginType(LoginType::SecureLogin), NONE, Available::ALL, tls, Channel::Clear).cure
        };
        assert_eq!(clear(Protocol::Pop3, 995), "Use STLS, or connect with TLS on port 995.");
        assert_eq!(clear(Protocol::Imap, 10993), "Use STARTTLS, or connect with TLS on port 10993.");
        let connector = Rule::Connector(AuthMechanisms::parse("Tls, BasicAuth, BasicAuthRequireTLS").unwrap());
        let tls = Tls { available: true, implicit_port: Some(465) };
        assert_eq!(
            offer(Protocol::Smtp, connector, NONE, Available::ALL, tls, Channel::Clear).cure,
            "Use STARTTLS first, or port 465."
        );
    }

    #[test]
    fn the_cure_names_no_way_that_is_not_there() {
        let pop3 = |tls, channel| {
            offer(Protocol::Pop3, Rule::LoginType(LoginType::SecureLogin), NONE, Available::ALL, tls, channel)
        };
        let no_port = Tls { available: true, implicit_port: None };
        assert_eq!(pop3(no_port, Channel::Clear).cure, "Use STLS.");
        let no_certificate = Tls { available: false, implicit_port: Some(995) };
        assert!(!pop3(no_certificate, Channel::Clear).starttls);
        assert!(!pop3(no_certificate, Channel::Clear).cure.contains("995"));
        for channel in [Channel::Upgraded, Channel::Implicit] {
            assert_eq!(pop3(TLS, channel).cure, "");
        }
        let no_starttls =
            offer(Protocol::Smtp, Rule::Connector(AuthMechanisms::NONE), NONE, Available::ALL, TLS, Channel::Clear);
        assert_eq!(no_starttls.cure, "Connect with TLS on port 995.");
    }

    #[test]
    fn what_the_accounts_or_the_settings_lack_is_not_offered() {
        let rule = Rule::LoginType(LoginType::SecureLogin);
        for bits in 0..32 {
            let [ntlm, tokens, kerberos, certificate, scram] = [1, 2, 4, 8, 16].map(|bit| bits & bit != 0);
            let available = Available { scram, ntlm, tokens, kerberos, certificate };
            let offer = offer(Protocol::Imap, rule, NONE, available, TLS, Channel::Implicit);
            assert_eq!(offer.has(Mechanism::External), certificate);
            assert_eq!(offer.has(Mechanism::ScramSha256), scram);
            assert_eq!(offer.has(Mechanism::ScramSha1), scram);
            assert_eq!(offer.has(Mechanism::Ntlm), ntlm);
            assert_eq!(offer.has(Mechanism::OAuthBearer), tokens);
            assert_eq!(offer.has(Mechanism::XOAuth2), tokens);
            assert_eq!(offer.has(Mechanism::Gssapi), kerberos);
            assert_eq!(offer.has(Mechanism::GssSpnego), kerberos);
            assert!(offer.has(Mechanism::Plain));
        }
    }

    #[test]
    fn a_token_is_never_taken_in_clear() {
        let connector = AuthMechanisms::parse("Tls, Integrated, BasicAuth").unwrap();
        for rule in [Rule::LoginType(LoginType::PlainTextLogin), Rule::Connector(connector)] {
            for protection in ExtendedProtection::ALL {
                for mechanism in [Mechanism::OAuthBearer, Mechanism::XOAuth2] {
                    assert!(!rule.allows(protection, Channel::Clear, Method::Mechanism(mechanism)));
                    assert!(rule.allows(protection, Channel::Upgraded, Method::Mechanism(mechanism)));
                }
            }
        }
    }
}
