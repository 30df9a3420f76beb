//! Log-on as accounts and the server's state have it, by the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use harness::{Scratch, Server};

fn mechanisms(server: &Server) -> String {
    let mut client = server.connect_tls("pop3s");
    client.line();
    client.send("CAPA\r\n");
    std::iter::repeat_with(|| client.line())
        .take_while(|line| line != ".")
        .find(|line| line.starts_with("SASL"))
        .unwrap()
}

#[test]
fn ntlm_is_offered_once_somebody_opted_in_and_after_a_restart_and_a_restore_too() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    assert!(!mechanisms(&server).contains("NTLM"));
    server.results(&["Set-CASMailbox", "ann", "-NtlmEnabled", "true"]);
    assert!(mechanisms(&server).contains("NTLM"));
    let backup = scratch.path("backup");
    assert!(server.manage(&["Backup-Store", backup.to_str().unwrap()], "").status.success());
    let data = server.data().to_owned();
    server.terminate();
    let server = Server::start_in(&scratch, &data, &["serve"]);
    assert!(mechanisms(&server).contains("NTLM"));
    server.terminate();
    let restored = scratch.path("restored");
    let status = harness::program()
        .args(["store", "restore", "--from", backup.to_str().unwrap(), "--data"])
        .arg(&restored)
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let key = |place: &std::path::Path| std::fs::read(place.join("verifiers.key")).unwrap();
    assert_eq!(key(&restored), key(&data), "what was kept for clients can be read");
    assert!(mechanisms(&Server::start_in(&scratch, &restored, &["serve"])).contains("NTLM"));
}

#[test]
fn what_is_switched_off_for_a_mailbox_is_answered_like_a_wrong_password_and_ends_who_is_there() {
    let scratch = Scratch::new();
    let passwords = scratch.file("passwords", "ann@example.test top-secret\n").display().to_string();
    let server = Server::quickstart(&scratch, &["--password-file", &passwords]);
    let pop3 = || {
        let mut client = server.connect_tls("pop3s");
        client.line();
        client.ask("USER ann");
        client.ask("PASS top-secret")
    };
    let imap = || {
        let mut client = server.connect_tls("imaps");
        client.line();
        let said = client.ask("1 LOGIN ann top-secret");
        (client, said)
    };
    let smtp = || {
        let mut client = server.connect_tls("submissions");
        client.line();
        client.ask("HELO client.example.net");
        client.ask("AUTH PLAIN AGFubgB0b3Atc2VjcmV0")
    };
    assert!(pop3().starts_with("+OK") && smtp().starts_with("235"));
    let (mut there, said) = imap();
    assert!(said.contains("OK"), "{said}");
    server.results(&["Set-CASMailbox", "ann", "-PopEnabled", "false", "-ImapEnabled", "false"]);
    assert!(there.line().starts_with("* BYE"));
    assert_eq!(pop3(), "-ERR [AUTH] Logon failure: unknown user name or bad password.");
    assert_eq!(imap().1, "1 NO [AUTHENTICATIONFAILED] LOGIN failed.");
    assert!(smtp().starts_with("235"), "sending is another switch");
    server.logged(&["log-on", "POP3 is switched off for the mailbox"]);
    server.logged(&["log-on", "IMAP4 is switched off for the mailbox"]);
    server.results(&["Set-CASMailbox", "ann", "-SmtpClientAuthenticationDisabled", "true", "-PopEnabled", "true"]);
    assert_eq!(smtp(), "535 5.7.3 Authentication unsuccessful");
    assert!(pop3().starts_with("+OK"));
    server.logged(&["log-on", "SMTP is switched off for the mailbox"]);
}

#[test]
fn an_app_password_is_good_for_its_protocols_until_it_is_taken_away() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let command = ["New-AppPassword", "ann", "-Name", "Phone", "-Protocols", "IMAP4,SMTP"];
    let made = server.results(&command)[0]["Password"].as_str().unwrap().to_owned();
    let pop3 = |password: &str| {
        let mut client = server.connect_tls("pop3s");
        client.line();
        client.ask("USER ann");
        client.ask(&format!("PASS {password}"))
    };
    let imap = |password: &str| {
        let mut client = server.connect_tls("imaps");
        client.line();
        let said = client.ask(&format!("1 LOGIN ann {password}"));
        (client, said)
    };
    let (mut there, said) = imap(&made);
    assert_eq!(said, "1 OK LOGIN completed.");
    assert_eq!(imap(&made.replace('-', "").to_uppercase()).1, "1 OK LOGIN completed.");
    assert_eq!(pop3(&made), "-ERR [AUTH] Logon failure: unknown user name or bad password.");
    server.logged(&["log-on", "the app password is not for this protocol"]);
    assert!(pop3(&server.password("ann@example.test")).starts_with("+OK"), "the mailbox's own stays");
    let used = || server.results(&["Get-AppPassword", "ann"])[0]["LastUsed"].clone();
    while used().is_null() {
        std::thread::yield_now();
    }
    server.results(&["Remove-AppPassword", "ann", "-Name", "Phone"]);
    assert!(there.line().starts_with("* BYE"));
    assert_eq!(imap(&made).1, "1 NO [AUTHENTICATIONFAILED] LOGIN failed.");
}

#[test]
fn every_log_on_to_a_mailbox_is_on_record_and_the_record_outlives_the_server() {
    let scratch = Scratch::new();
    let passwords = scratch.file("passwords", "ann@example.test top-secret\n").display().to_string();
    let server = Server::quickstart(&scratch, &["--password-file", &passwords]);
    for (user, password) in [("ann", "wrong"), ("nobody", "top-secret"), ("ann", "top-secret")] {
        let mut client = server.connect_tls("imaps");
        client.line();
        client.ask(&format!("1 LOGIN {user} {password}"));
    }
    let recorded = |server: &Server| {
        let results = loop {
            let results = server.results(&["Get-LogonRecord", "ann"]);
            if results.as_array().unwrap().len() == 2 {
                break results;
            }
            std::thread::yield_now();
        };
        for (at, result, reason) in [(0, "Granted", ""), (1, "Refused", "wrong password")] {
            let one = &results[at];
            assert_eq!((one["Result"].as_str(), one["Reason"].as_str()), (Some(result), Some(reason)), "{one}");
            assert_eq!((&one["ClientAddress"], &one["Tls"]), (&"127.0.0.1".into(), &"TLS1.3".into()), "{one}");
        }
    };
    recorded(&server);
    let data = server.data().to_owned();
    server.terminate();
    recorded(&Server::start_in(&scratch, &data, &["serve"]));
}
