//! The table of LoginTypes, a cell each, by the real program over the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::io::{Read, Write};

use harness::{Client, Scratch, Server};

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
}

/// Whether each way is taken in clear; under TLS all are.
const TABLE: [(&str, [(Way, bool); 3]); 3] = [
    ("PlainTextLogin", [(Way::Password, true), (Way::Plain, true), (Way::Login, true)]),
    ("PlainTextAuthentication", [(Way::Password, false), (Way::Plain, false), (Way::Login, false)]),
    ("SecureLogin", [(Way::Password, false), (Way::Plain, false), (Way::Login, false)]),
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
    }
}

fn imap(way: Way) -> Vec<String> {
    match way {
        Way::Password => vec!["2 LOGIN ann@example.test top-secret".to_owned()],
        Way::Plain => vec![format!("2 AUTHENTICATE PLAIN {PLAIN}")],
        Way::Login => vec!["2 AUTHENTICATE LOGIN".to_owned(), USER.to_owned(), PASSWORD.to_owned()],
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
fn every_way_to_log_on_is_taken_or_refused_as_its_login_type_has_it() {
    for (login_type, row) in TABLE {
        let scratch = Scratch::new();
        let passwords = scratch.file("passwords", "ann@example.test top-secret\n").display().to_string();
        let (pop, imap_setting) = (format!("Pop.LoginType={login_type}"), format!("Imap.LoginType={login_type}"));
        let arguments = ["--password-file", &passwords, "--set", &pop, "--set", &imap_setting];
        let server = Server::quickstart(&scratch, &arguments);
        let pop3_cure = format!(
            "-ERR Command is not valid in this state. Use STLS, or connect with TLS on port {}.",
            server.port("pop3s").unwrap()
        );
        let imap_cure = format!(
            "2 NO [PRIVACYREQUIRED] Command is not valid in this state. Use STARTTLS, or connect with TLS on port {}.",
            server.port("imaps").unwrap()
        );
        for (way, in_clear) in row {
            for channel in [Channel::Clear, Channel::Upgraded, Channel::Implicit] {
                let taken = in_clear || channel != Channel::Clear;
                let said = log_on(&server, "pop3", channel, "STLS", &pop3(way));
                let expected = if taken { "+OK User successfully logged on." } else { &pop3_cure };
                assert_eq!(said, expected, "POP3 {login_type} {channel:?} {way:?}");
                let said = log_on(&server, "imap", channel, "1 STARTTLS", &imap(way));
                let command = if way == Way::Password { "LOGIN" } else { "AUTHENTICATE" };
                let expected = if taken { format!("2 OK {command} completed.") } else { imap_cure.clone() };
                assert_eq!(said, expected, "IMAP4 {login_type} {channel:?} {way:?}");
            }
        }
    }
}
