//! The real program: how sessions are ended, and that their clients are told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::io::{Read, Write};

use harness::{Client, Scratch, Server};

/// A message that never ends.
fn begin_data(server: &Server) -> Client<std::net::TcpStream> {
    let mut smtp = server.connect("smtp");
    assert!(smtp.line().starts_with("220"));
    assert!(smtp.ask("HELO client").starts_with("250"));
    assert!(smtp.ask("MAIL FROM:<x@elsewhere.test>").starts_with("250"));
    assert!(smtp.ask("RCPT TO:<ann@example.test>").starts_with("250"));
    assert!(smtp.ask("DATA").starts_with("354"));
    smtp.send("Subject: no end\r\n\r\n");
    smtp
}

#[test]
fn a_message_that_takes_longer_than_the_end_may_is_told_421() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &["--set", "Server.DrainTimeout=1"]);
    let mut smtp = begin_data(&server);
    server.signal("TERM");
    assert!(smtp.line().starts_with("421 4.7.0"));
    assert!(smtp.rest().is_empty());
    assert!(server.wait().success());
}

#[test]
fn ctrl_c_again_ends_a_server_that_waits_for_its_sessions() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &["--set", "Server.DrainTimeout=60"]);
    let _smtp = begin_data(&server);
    server.signal("INT");
    server.logged(&["stopping"]);
    let started = std::time::Instant::now();
    server.signal("INT");
    assert!(server.wait().success());
    assert!(started.elapsed() < harness::PATIENCE);
}

fn imap<S: Read + Write>(mut client: Client<S>, password: &str) -> Client<S> {
    assert!(client.line().starts_with("* OK"));
    let answer = client.ask(&format!("a LOGIN bob@example.test {password}"));
    assert!(answer.starts_with("a OK"), "{answer}");
    client
}

#[test]
fn sessions_end_when_the_password_of_their_user_changes_or_the_mailbox_is_removed() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &["--user", "bob@example.test"]);
    let password = server.password("bob@example.test");
    let (mut idle, mut waiting) =
        (imap(server.connect_tls("imaps"), &password), imap(server.connect_tls("imaps"), &password));
    assert!(idle.ask("b IDLE").starts_with('+'));
    let mut pop3 = server.connect_tls("pop3s");
    pop3.line();
    pop3.ask("USER bob");
    assert!(pop3.ask(&format!("PASS {password}")).starts_with("+OK"));
    let mut smtp = server.connect_tls("submissions");
    smtp.line();
    smtp.ask("HELO client");
    let plain = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("\0bob\0{password}"));
    assert!(smtp.ask(&format!("AUTH PLAIN {plain}")).starts_with("235"));
    let mut stranger = server.connect_tls("imaps");
    assert!(stranger.line().starts_with("* OK"));

    assert!(server.manage(&["Set-Mailbox", "bob@example.test", "-Quota", "1GB"], "").status.success());
    assert!(waiting.ask("c NOOP").starts_with("c OK"), "what else is changed ends nothing");
    let file = scratch.file("password", "another secret\n");
    let changed = server.manage(&["Set-Mailbox", "bob@example.test", "-PasswordFile", file.to_str().unwrap()], "");
    assert!(changed.status.success(), "{changed:?}");
    for line in [idle.line(), waiting.line()] {
        assert!(line.starts_with("* BYE The mailbox's password was changed"), "{line}");
    }
    assert!(pop3.line().starts_with("-ERR"));
    assert!(smtp.line().starts_with("421"));
    assert!(stranger.ask("a NOOP").starts_with("a OK"));

    let mut again = server.connect_tls("imaps");
    assert!(again.line().starts_with("* OK"));
    assert!(again.ask("a LOGIN bob@example.test \"another secret\"").starts_with("a OK"));
    assert!(server.manage(&["Remove-Mailbox", "bob@example.test", "-Confirm:$false"], "").status.success());
    assert!(again.line().starts_with("* BYE"));
}
