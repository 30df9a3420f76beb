//! The table of LoginTypes, a cell each, by the real program over the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::io::{Read, Write};

use harness::{Client, Identity, Scratch, Server};

/// "\0ann@example.test\0top-secret", and the two parts of it alone.
const PLAIN: &str = "AGFubkBleGFtcGxlLnRlc3QAdG9wLXNlY3JldA==";
const USER: &str = "YW5uQGV4YW1wbGUudGVzdA==";
const PASSWORD: &str = "dG9wLXNlY3JldA==";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Clear,
    Upgraded,
    Implicit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Password,
    Plain,
    Login,
    /// A mechanism that is begun, and then cancelled.
    Begun(&'static str),
}

/// The ways to log on, the LoginTypes that take them in clear, and the ExtendedProtectionPolicies that have them at all.
const TABLE: [(Way, &[&str], &[&str]); 11] = [
    (Way::Password, &["PlainTextLogin"], &["None", "Allow", "Require"]),
    (Way::Plain, &["PlainTextLogin"], &["None", "Allow", "Require"]),
    (Way::Login, &["PlainTextLogin"], &["None", "Allow", "Require"]),
    (Way::Begun("SCRAM-SHA-1"), &["PlainTextLogin", "PlainTextAuthentication"], &["None", "Allow"]),
    (Way::Begun("SCRAM-SHA-256"), &["PlainTextLogin", "PlainTextAuthentication"], &["None", "Allow"]),
    (Way::Begun("NTLM"), &["PlainTextLogin", "PlainTextAuthentication"], &["None", "Allow", "Require"]),
    (Way::Begun("EXTERNAL"), &[], &["None", "Allow", "Require"]),
    (Way::Begun("OAUTHBEARER"), &[], &["None", "Allow", "Require"]),
    (Way::Begun("XOAUTH2"), &[], &["None", "Allow", "Require"]),
    (Way::Begun("SCRAM-SHA-1-PLUS"), &[], &["Allow", "Require"]),
    (Way::Begun("SCRAM-SHA-256-PLUS"), &[], &["Allow", "Require"]),
];

/// Sends what the way sends, up to a line that is no invitation to go on.
fn converse<S: Read + Write>(mut client: Client<S>, lines: &[String]) -> String {
    let mut said = String::new();
    for line in lines {
        said = client.ask(line);
        if !said.starts_with('+') || said.starts_with("+OK User successfully") {
            break;
        }
    }
    if said.starts_with("+OK") {
        // With its answer the maildrop is free for the next.
        client.ask("QUIT");
    }
    said
}

fn pop3(way: Way) -> Vec<String> {
    match way {
        Way::Password => vec!["USER ann@example.test".to_owned(), "PASS top-secret".to_owned()],
        Way::Plain => vec![format!("AUTH PLAIN {PLAIN}")],
        Way::Login => vec!["AUTH LOGIN".to_owned(), USER.to_owned(), PASSWORD.to_owned()],
        Way::Begun(mechanism) => vec![format!("AUTH {mechanism}"), "*".to_owned()],
    }
}

fn imap(way: Way) -> Vec<String> {
    match way {
        Way::Password => vec!["2 LOGIN ann@example.test top-secret".to_owned()],
        Way::Plain => vec![format!("2 AUTHENTICATE PLAIN {PLAIN}")],
        Way::Login => vec!["2 AUTHENTICATE LOGIN".to_owned(), USER.to_owned(), PASSWORD.to_owned()],
        Way::Begun(mechanism) => vec![format!("2 AUTHENTICATE {mechanism}"), "*".to_owned()],
    }
}

/// Logs on; answers what the server said last.
fn log_on(server: &Server, clear: &str, channel: Channel, upgrade: &str, lines: &[String]) -> String {
    match channel {
        Channel::Clear => {
            let mut client = server.connect(clear);
            client.line();
            converse(client, lines)
        }
        Channel::Upgraded => {
            let mut client = server.connect(clear);
            client.line();
            let go = client.ask(upgrade);
            assert!(go.contains("OK"), "{go}");
            converse(Client::new(server.tls(client.into_inner())), lines)
        }
        Channel::Implicit => {
            let mut client = server.connect_tls(&format!("{clear}s"));
            client.line();
            converse(client, lines)
        }
    }
}

#[test]
fn every_way_to_log_on_is_taken_or_refused_as_its_login_type_and_protection_have_it() {
    let login_types = ["PlainTextLogin", "PlainTextAuthentication", "SecureLogin"];
    for (login_type, protection) in login_types.into_iter().flat_map(|l| ["None", "Allow", "Require"].map(|p| (l, p))) {
        let scratch = Scratch::new();
        let passwords = scratch.file("passwords", "ann@example.test top-secret\n").display().to_string();
        let settings = ["Pop", "Imap"].map(|group| {
            [format!("{group}.LoginType={login_type}"), format!("{group}.ExtendedProtectionPolicy={protection}")]
        });
        // Tokens are taken once there is a provider; an exchange that is cancelled asks it nothing.
        let provider = ["--set", "OpenId.Issuer=https://id.example.test", "--set", "OpenId.Audience=gatepost"];
        let mut arguments = vec!["--password-file", &passwords];
        arguments.extend(provider);
        let identity = Identity::of(&scratch, "ann@example.test");
        let authority = format!("Server.ClientCertificateAuthority={}", identity.authority.display());
        arguments.extend(["--set", &authority]);
        arguments.extend(settings.as_flattened().iter().flat_map(|setting| ["--set", setting]));
        let server = Server::quickstart(&scratch, &arguments);
        server.known_as(identity);
        // Offered once somebody may use it.
        server.results(&["Set-CASMailbox", "ann", "-NtlmEnabled", "true"]);
        let refused = |command: &str, port| {
            let port = server.port(port).unwrap();
            format!("Command is not valid in this state. Use {command}, or connect with TLS on port {port}.")
        };
        let (pop3_cure, imap_cure) = (refused("STLS", "pop3s"), refused("STARTTLS", "imaps"));
        for (way, in_clear, protections) in TABLE {
            for channel in [Channel::Clear, Channel::Upgraded, Channel::Implicit] {
                let is_clear = channel == Channel::Clear;
                // A proof that has to be bound to TLS cannot be given without.
                let unbound = is_clear && protection == "Require" && way == Way::Begun("NTLM");
                let taken =
                    protections.contains(&protection) && (in_clear.contains(&login_type) || !is_clear) && !unbound;
                let cell = format!("{login_type} {protection} {channel:?} {way:?}");
                let said = log_on(&server, "pop3", channel, "STLS", &pop3(way));
                let expected = match way {
                    _ if !taken && is_clear => format!("-ERR {pop3_cure}"),
                    _ if !taken => "-ERR Unrecognized authentication type.".to_owned(),
                    Way::Begun(_) => "-ERR The AUTH protocol exchange was canceled by the client.".to_owned(),
                    _ => "+OK User successfully logged on.".to_owned(),
                };
                assert_eq!(said, expected, "POP3 {cell}");
                let said = log_on(&server, "imap", channel, "1 STARTTLS", &imap(way));
                let expected = match way {
                    _ if !taken && is_clear => format!("2 NO [PRIVACYREQUIRED] {imap_cure}"),
                    _ if !taken => "2 NO [CANNOT] AUTHENTICATE failed. There is no such mechanism here.".to_owned(),
                    Way::Begun(_) => "2 BAD AUTHENTICATE was cancelled.".to_owned(),
                    Way::Password => "2 OK LOGIN completed.".to_owned(),
                    Way::Plain | Way::Login => "2 OK AUTHENTICATE completed.".to_owned(),
                };
                assert_eq!(said, expected, "IMAP4 {cell}");
            }
        }
    }
}
