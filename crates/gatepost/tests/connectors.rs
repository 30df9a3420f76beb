//! Receive connectors by the real program over the wire: what they take, from whom, and how they change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::io::{Read, Write};

use harness::{Client, Identity, Scratch, Server, tcp};
use serde_json::Value;

/// "\0ann@example.test\0top-secret", and the two parts of it alone.
const PLAIN: &str = "AGFubkBleGFtcGxlLnRlc3QAdG9wLXNlY3JldA==";
const USER: &str = "YW5uQGV4YW1wbGUudGVzdA==";
const PASSWORD: &str = "dG9wLXNlY3JldA==";

const PASSWORDS: &[&str] = &["PLAIN", "LOGIN"];
const PROOFS: &[&str] = &["SCRAM-SHA-256", "SCRAM-SHA-1"];
const NTLM: &[&str] = &["NTLM"];
/// Of a provider, which an exchange that is cancelled asks nothing.
const TOKENS: &[&str] = &["OAUTHBEARER", "XOAUTH2"];
/// Of a client that shows a certificate.
const CERTIFICATE: &[&str] = &["EXTERNAL"];
const BOUND: &[&str] = &["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"];

/// For each AuthMechanism: whether there is STARTTLS, and whether passwords and proofs are taken in clear and under TLS.
const TABLE: [(&str, bool, [bool; 2], [bool; 2]); 9] = [
    ("None", false, [false, false], [false, false]),
    ("Tls", true, [false, false], [false, false]),
    ("BasicAuth", false, [true, true], [false, false]),
    ("Integrated", false, [false, false], [true, true]),
    ("Tls,BasicAuth", true, [true, true], [false, false]),
    ("Tls,Integrated", true, [false, false], [true, true]),
    ("Tls,Integrated,BasicAuth", true, [true, true], [true, true]),
    ("Tls,BasicAuth,BasicAuthRequireTLS", true, [false, true], [false, false]),
    ("Tls,Integrated,BasicAuth,BasicAuthRequireTLS", true, [false, true], [false, true]),
];

fn quickstart(scratch: &Scratch, arguments: &[&str]) -> Server {
    let passwords = scratch.file("passwords", "ann@example.test top-secret\n").display().to_string();
    let fixed = ["--password-file", &passwords, "--set", "Smtp.TarpitInterval=00:00:00"];
    Server::quickstart(scratch, &[&fixed[..], arguments].concat())
}

/// The extensions that EHLO shows.
fn extensions<S: Read + Write>(client: &mut Client<S>) -> Vec<String> {
    let mut lines = vec![client.ask("EHLO client.test")];
    while lines.last().is_some_and(|line| line.starts_with("250-")) {
        lines.push(client.line());
    }
    lines.iter().map(|line| line[4..].to_owned()).collect()
}

/// What AUTH is answered in the end; a mechanism with proofs is begun and then cancelled.
fn log_on<S: Read + Write>(client: &mut Client<S>, mechanism: &str) -> String {
    let lines: &[&str] = match mechanism {
        "PLAIN" => &[PLAIN],
        "LOGIN" => &[USER, PASSWORD],
        _ => &["*"],
    };
    let mut said = client.ask(&format!("AUTH {mechanism}"));
    for line in lines {
        if said.starts_with("334") {
            said = client.ask(line);
        }
    }
    said
}

/// Everything that is shown on this channel is taken, and nothing else.
fn check<S: Read + Write>(begin: impl Fn() -> Client<S>, expected: &[&str], starttls: bool, cell: &str) {
    let shown = extensions(&mut begin());
    let auth = shown.iter().find_map(|line| line.strip_prefix("AUTH "));
    let mut offered: Vec<&str> = auth.unwrap_or_default().split_whitespace().collect();
    offered.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(offered, expected, "{cell}");
    assert_eq!(shown.iter().any(|line| line == "STARTTLS"), starttls, "{cell}");
    for mechanism in [PASSWORDS, PROOFS, NTLM, TOKENS, CERTIFICATE, BOUND].concat() {
        let mut client = begin();
        extensions(&mut client);
        let said = log_on(&mut client, mechanism);
        let answer = match mechanism {
            _ if !expected.contains(&mechanism) => "504 5.7.4 ",
            "PLAIN" | "LOGIN" => "235 2.7.0 ",
            _ => "501 5.7.0 ",
        };
        assert!(said.starts_with(answer), "{cell} {mechanism}: {said}");
    }
}

#[test]
fn every_mechanism_is_taken_or_refused_as_the_connector_and_the_protection_have_it() {
    for protection in ["None", "Allow", "Require"] {
        let scratch = Scratch::new();
        let protected = format!("Smtp.ExtendedProtectionPolicy={protection}");
        let provider = ["OpenId.Issuer=https://id.example.test", "OpenId.Audience=gatepost"];
        let identity = Identity::of(&scratch, "ann@example.test");
        let authority = format!("Server.ClientCertificateAuthority={}", identity.authority.display());
        let settings = ["--set", &protected, "--set", provider[0], "--set", provider[1], "--set", &authority];
        let server = quickstart(&scratch, &settings);
        server.known_as(identity);
        // Where strangers bring mail nobody is asked for a certificate.
        server.results(&["Set-ReceiveConnector", "Default", "-PermissionGroups", "ExchangeUsers"]);
        // Offered once somebody may use it.
        server.results(&["Set-CASMailbox", "ann", "-NtlmEnabled", "true"]);
        for (mechanisms, starttls, passwords, proofs) in TABLE {
            // The one for STARTTLS, on port 25, where the greeting waits for nobody; the other for TLS at once.
            for name in ["Default", "Client"] {
                server.results(&["Set-ReceiveConnector", name, "-AuthMechanism", mechanisms]);
            }
            let expected = |is_private: bool| {
                let mut all = Vec::new();
                let at = usize::from(is_private);
                all.extend(PASSWORDS.iter().filter(|_| passwords[at]));
                all.extend(PROOFS.iter().filter(|_| proofs[at] && protection != "Require"));
                all.extend(NTLM.iter().filter(|_| proofs[at] && (is_private || protection != "Require")));
                let takes = passwords[1] || proofs[1];
                all.extend(TOKENS.iter().chain(CERTIFICATE).filter(|_| is_private && takes));
                all.extend(BOUND.iter().filter(|_| is_private && takes && protection != "None"));
                all
            };
            let cell = |channel: &str| format!("{mechanisms} {protection} {channel}");
            let clear = || {
                let mut client = server.connect("smtp");
                client.line();
                client
            };
            let implicit = || {
                let mut client = server.connect_tls("submissions");
                client.line();
                client
            };
            check(clear, &expected(false), starttls, &cell("in clear"));
            check(implicit, &expected(true), false, &cell("implicit TLS"));
            if starttls {
                let upgraded = || {
                    let mut client = clear();
                    extensions(&mut client);
                    assert!(client.ask("STARTTLS").starts_with("220"));
                    Client::new(server.tls(client.into_inner()))
                };
                check(upgraded, &expected(true), false, &cell("upgraded"));
            }
        }
    }
}

/// The port of the connector's first binding.
fn port(shown: &Value) -> u16 {
    shown[0]["Bindings"][0].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
}

/// What a stranger from this address is answered, greeting and all.
fn answers(from: [u8; 4], port: u16, lines: &[&str]) -> Vec<String> {
    let mut client = Client::new(tcp(from, port));
    let mut said = vec![client.line()];
    if said[0].starts_with("220") {
        extensions(&mut client);
        said.extend(lines.iter().map(|line| client.ask(line)));
    }
    said
}

/// The listener ends at once, and beside the command.
fn nobody_listens_at(port: u16) {
    let begun = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(begun.elapsed().as_secs() < 60, "somebody listens on {port}");
        std::thread::yield_now();
    }
}

const STRANGER: [&str; 2] = ["MAIL FROM:<carl@elsewhere.test>", "RCPT TO:<eve@elsewhere.test>"];

#[test]
fn a_connector_changes_from_the_next_connection_on_and_after_a_restart() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &[]);
    let made = server.results(&[
        "New-ReceiveConnector",
        "Scanners",
        "-Bindings",
        "127.0.0.1:0",
        "-RemoteIPRanges",
        "127.0.0.8-127.0.0.9",
        "-Banner",
        "first",
    ]);
    let port = port(&made);
    assert_ne!(port, 0);
    let mut held = Client::new(tcp([127, 0, 0, 8], port));
    assert!(held.line().ends_with(" first"));
    assert!(answers([127, 0, 0, 7], port, &[])[0].starts_with("554 5.3.2"), "nobody else is taken");

    let set = |words: &[&str]| server.results(&[&["Set-ReceiveConnector", "Scanners"], words].concat());
    set(&["-Banner", "second", "-PermissionGroups", "AnonymousUsers"]);
    assert!(answers([127, 0, 0, 8], port, &[])[0].ends_with(" second"));
    // Who is there already stays as it came.
    extensions(&mut held);
    assert!(held.ask(STRANGER[0]).starts_with("530 5.7.1 Client was not authenticated"));
    assert!(answers([127, 0, 0, 8], port, &STRANGER)[1].starts_with("250 2.1.0"));

    // A port that is taken changes nothing.
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = server.manage(&["Set-ReceiveConnector", "Scanners", "-Bindings", &address], "");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("is in use by another program"), "{said}");
    assert!(answers([127, 0, 0, 8], port, &[])[0].ends_with(" second"));

    set(&["-Enabled", "false"]);
    // The one who is there takes leave.
    drop(held);
    nobody_listens_at(port);
    set(&["-Enabled", "true"]);
    let data = server.data().to_owned();
    assert!(server.terminate().success());
    let server = Server::start_in(&scratch, &data, &["serve"]);
    assert!(answers([127, 0, 0, 8], port, &[])[0].ends_with(" second"));
    let remove = |name: &str| server.results(&["Remove-ReceiveConnector", name, "-Confirm:$false"]);
    remove("Scanners");
    remove("Default");
    nobody_listens_at(port);
    assert!(server.terminate().success());
    let server = Server::start_in(&scratch, &data, &["serve"]);
    let left = server.results(&["Get-ReceiveConnector"]);
    assert_eq!(left.as_array().unwrap().iter().map(|one| &one["Identity"]).collect::<Vec<_>>(), ["Client"]);
}

#[test]
fn anonymous_mail_and_authenticated_relay_are_apart_on_two_addresses() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &[]);
    let new = |name: &str, address: &str, more: &[&str]| {
        let words = ["New-ReceiveConnector", name, "-Bindings", address, "-RemoteIPRanges", "0.0.0.0/0"];
        server.results(&[&words[..], more].concat())
    };
    let strangers = port(&new("Strangers", "127.0.0.2:0", &["-Usage", "Internet"]));
    // The same port on another address, as there is one port for mail only.
    let address = format!("127.0.0.3:{strangers}");
    let users = ["-AuthMechanism", "Tls,BasicAuth", "-PermissionGroups", "ExchangeUsers"];
    new("Users", &address, &users);
    let connect = |ip: [u8; 4]| {
        let socket = std::net::TcpStream::connect((std::net::Ipv4Addr::from(ip), strangers)).unwrap();
        let mut client = Client::new(socket);
        client.line();
        let shown = extensions(&mut client);
        (client, shown.iter().any(|line| line.starts_with("AUTH")))
    };
    let (mut client, offers) = connect([127, 0, 0, 2]);
    assert!(!offers && client.ask(&format!("AUTH PLAIN {PLAIN}")).starts_with("504 5.7.4"));
    assert!(client.ask(STRANGER[0]).starts_with("250"));
    assert!(client.ask("RCPT TO:<ann@example.test>").starts_with("250"));
    assert!(client.ask(STRANGER[1]).starts_with("550 5.7.1 Unable to relay"));
    let (mut client, offers) = connect([127, 0, 0, 3]);
    assert!(offers && client.ask(STRANGER[0]).starts_with("530 5.7.1 Client was not authenticated"));
    assert!(client.ask(&format!("AUTH PLAIN {PLAIN}")).starts_with("235"));
    assert!(client.ask("MAIL FROM:<ann@example.test>").starts_with("250"));
    // It has the right; where mail for others goes is another question.
    assert!(client.ask(STRANGER[1]).contains("no send connector"));
}

#[test]
fn devices_relay_without_log_on_by_either_recipe_and_nobody_beside_them() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &[]);
    let first = ["New-ReceiveConnector", "Printers", "-Bindings", "127.0.0.1:0", "-RemoteIPRanges", "127.0.0.8"];
    let port = port(&server.results(&[&first[..], &["-PermissionGroups", "AnonymousUsers"]].concat()));
    assert!(answers([127, 0, 0, 8], port, &STRANGER)[2].ends_with("Unable to relay"));
    let right = "ms-Exch-SMTP-Accept-Any-Recipient";
    server.results(&[
        "Add-ADPermission",
        "Printers",
        "-User",
        "NT AUTHORITY\\ANONYMOUS LOGON",
        "-ExtendedRights",
        right,
    ]);
    assert!(answers([127, 0, 0, 8], port, &STRANGER)[2].contains("no send connector"));
    // Its own domain it may not claim: that is another right.
    let claimed = answers([127, 0, 0, 8], port, &["MAIL FROM:<ann@example.test>"]);
    assert!(claimed[1].ends_with("Anonymous client does not have permissions to send as this sender"), "{claimed:?}");

    let second = ["New-ReceiveConnector", "Scanners", "-Usage", "Internal", "-RemoteIPRanges", "127.0.0.9"];
    server.results(&[&second[..], &["-Bindings", &format!("127.0.0.1:{port}")]].concat());
    assert!(answers([127, 0, 0, 9], port, &STRANGER)[2].contains("no send connector"));
    assert!(answers([127, 0, 0, 9], port, &["MAIL FROM:<ann@example.test>"])[1].starts_with("250"));
    assert!(answers([127, 0, 0, 7], port, &STRANGER)[0].starts_with("554"));

    let replayed = server.results(&[
        "Test-SmtpSession",
        "127.0.0.7",
        "-LocalPort",
        &port.to_string(),
        "-From",
        "carl@elsewhere.test",
    ]);
    assert_eq!((&replayed[0]["Reply"], replayed.as_array().unwrap().len()), (&Value::from("554"), 1));
}

#[test]
fn a_connector_that_requires_tls_takes_neither_log_on_nor_mail_before_it() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &[]);
    let words = ["-AuthMechanism", "Tls,BasicAuth", "-RequireTLS", "true", "-PermissionGroups", "ExchangeUsers"];
    server.results(&[&["Set-ReceiveConnector", "Client"], &words[..]].concat());
    let mut client = server.connect("submission");
    client.line();
    let shown = extensions(&mut client);
    assert!(shown.contains(&"STARTTLS".to_owned()) && !shown.iter().any(|line| line.starts_with("AUTH")), "{shown:?}");
    assert_eq!(client.ask("MAIL FROM:<ann@example.test>"), "530 5.7.0 Must issue a STARTTLS command first");
    assert!(client.ask("STARTTLS").starts_with("220"));
    let mut client = Client::new(server.tls(client.into_inner()));
    extensions(&mut client);
    assert!(client.ask(&format!("AUTH PLAIN {PLAIN}")).starts_with("235"));
    assert!(client.ask("MAIL FROM:<ann@example.test>").starts_with("250"));
}
