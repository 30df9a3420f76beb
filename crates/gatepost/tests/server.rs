//! The real program as an administrator and clients meet it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use harness::{Client, Scratch, Server, program};

/// Logs on over POP3 and answers the server's verdict.
fn pop3_log_on<S: Read + Write>(client: &mut Client<S>, user: &str, password: &str) -> String {
    assert!(client.line().starts_with("+OK"));
    assert!(client.ask(&format!("USER {user}")).starts_with("+OK"));
    client.ask(&format!("PASS {password}"))
}

#[test]
fn the_first_run_sets_up_and_a_later_one_resumes() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &["--user", "bob@example.test"]);
    assert_eq!(server.ready["ready"], true);
    assert_eq!(server.ready["host"], "localhost");
    assert_eq!(server.ready["domain"], "example.test");
    assert_eq!(server.ready["data_dir"], server.data().canonicalize().unwrap().to_str().unwrap());
    for port in ["pop3", "pop3s", "imap", "imaps", "smtp", "submission", "submissions"] {
        assert!(server.port(port).is_some_and(|port| port != 0), "{port}");
    }
    let (ann, bob) = (server.password("ann@example.test"), server.password("bob@example.test"));
    assert_ne!(ann, bob);
    let verdict = pop3_log_on(&mut server.connect_tls("pop3s"), "ann@example.test", &ann);
    assert!(verdict.starts_with("+OK"), "{verdict}");
    let authority = fs::read(server.ready["ca_file"].as_str().unwrap()).unwrap();
    assert_eq!(fs::metadata(server.data()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(server.terminate().success());

    // Moved as a whole, it is the same server.
    fs::rename(scratch.path("data"), scratch.path("moved")).unwrap();
    fs::rename(scratch.path("moved"), scratch.path("data")).unwrap();
    let server = Server::quickstart(&scratch, &["--user", "carl@example.test"]);
    assert_eq!(server.ready["users"][0]["password"], serde_json::Value::Null);
    assert!(!server.password("carl@example.test").is_empty());
    assert_eq!(fs::read(server.ready["ca_file"].as_str().unwrap()).unwrap(), authority);
    let verdict = pop3_log_on(&mut server.connect_tls("pop3s"), "bob@example.test", &bob);
    assert!(verdict.starts_with("+OK"), "{verdict}");
}

#[test]
fn the_card_tells_a_person_everything_and_the_log_no_secret() {
    let scratch = Scratch::new();
    let passwords = scratch.file("passwords", "ann@example.test open sesame\n");
    let log = scratch.path("log");
    fs::create_dir(scratch.path("data")).unwrap();
    let mut child = program()
        .args(["quickstart", "ann@example.test", "--user", "bob@example.test", "--listen", "127.0.0.1:0", "--data"])
        .arg(scratch.path("data"))
        .arg("--password-file")
        .arg(passwords)
        .arg("--log-file")
        .arg(&log)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut card = String::new();
    let mut output = child.stdout.take().unwrap();
    while !card.contains("SIGTERM.\n") {
        let mut octets = [0; 4096];
        let count = output.read(&mut octets).unwrap();
        assert_ne!(count, 0, "{card}");
        card += std::str::from_utf8(&octets[..count]).unwrap();
    }
    let mode = |path: &str| fs::metadata(scratch.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data/store"), 0o700, "also where the data directory was open to all before");
    for part in ["IMAP", "POP3", "SMTP", "SSL/TLS", "STARTTLS", "My server requires authentication", "ca.pem"] {
        assert!(card.contains(part), "{part} is not in\n{card}");
    }
    assert!(!card.contains("open sesame"));
    let made =
        card.lines().find_map(|line| line.trim().strip_prefix("Password    ")?.strip_suffix("(shown this once)"));
    let made = made.unwrap().trim().to_owned();
    let kill = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert!(child.wait().unwrap().success());
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("ready") && !log.contains("open sesame") && !log.contains(&made), "{log}");
}

#[test]
fn a_server_that_is_told_to_end_takes_leave_and_exits_with_0() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let password = server.password("ann@example.test");
    let (mut greeted, mut logged_on) = (server.connect("pop3"), server.connect_tls("pop3s"));
    assert!(greeted.line().starts_with("+OK"));
    assert!(pop3_log_on(&mut logged_on, "ann", &password).starts_with("+OK"));
    let mut smtp = server.connect("smtp");
    assert!(smtp.line().starts_with("220"));
    let mut imap = server.connect("imap");
    assert!(imap.line().starts_with("* OK"));
    server.signal("TERM");
    assert!(greeted.line().starts_with("-ERR"));
    assert!(logged_on.line().starts_with("-ERR"));
    assert!(smtp.line().starts_with("421"));
    assert!(imap.line().starts_with("* BYE"));
    let started = Instant::now();
    drop((greeted, logged_on, smtp, imap));
    assert!(server.wait().success());
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(!scratch.path("data").join("management.sock").exists());
}

#[test]
fn a_message_that_is_coming_in_when_the_server_is_told_to_end_is_accepted_and_kept() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let password = server.password("ann@example.test");
    let mut smtp = server.connect("smtp");
    assert!(smtp.line().starts_with("220"));
    for (command, code) in [("HELO client", "250"), ("MAIL FROM:<x@elsewhere.test>", "250")] {
        assert!(smtp.ask(command).starts_with(code), "{command}");
    }
    assert!(smtp.ask("RCPT TO:<ann@example.test>").starts_with("250"));
    assert!(smtp.ask("DATA").starts_with("354"));
    smtp.send("Subject: last words\r\n\r\none\r\n");
    // A second client waits in silence where TLS comes first: it does not hold up the end.
    let silent = server.connect("imaps");
    server.signal("TERM");
    server.logged(&["stopping"]);
    assert!(smtp.ask("two\r\n.").starts_with("250"));
    assert!(smtp.line().starts_with("421"));
    let started = Instant::now();
    assert!(smtp.rest().is_empty());
    drop(smtp);
    assert!(server.wait().success());
    assert!(started.elapsed() < Duration::from_secs(8));
    drop(silent);

    let server = Server::quickstart(&scratch, &[]);
    let mut pop3 = server.connect_tls("pop3s");
    assert!(pop3_log_on(&mut pop3, "ann", &password).starts_with("+OK"));
    assert!(pop3.ask("STAT").starts_with("+OK 1 "));
    assert!(!server.log().contains("still in use"));
}

#[test]
fn data_may_lie_under_a_path_too_long_for_a_socket() {
    let scratch = Scratch::new();
    let long = scratch.path(&"deep/".repeat(30));
    let arguments = ["quickstart", "ann@example.test", "--listen", "127.0.0.1:0"];
    let server = Server::start_in(&scratch, &long, &arguments);
    assert_eq!(server.results(&["Get-Service", "IMAP4"])[0]["Status"], "Running");
    assert!(server.terminate().success());
    assert!(!long.join("management.sock").exists());
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let second = program().args(["serve", "--data"]).arg(server.data()).output().unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("a server runs on it already"), "{second:?}");
    assert!(server.connect("pop3").line().starts_with("+OK"));
}

#[test]
fn few_open_files_limit_connections_and_never_management() {
    let scratch = Scratch::new();
    // Hard and soft: there is nothing to raise.
    let server = Server::limited(&scratch, "ulimit -n 256");
    let mut held: Vec<_> = (0..300).map(|_| server.connect("pop3")).collect();
    let (mut served, mut told) = (0, 0);
    for client in &mut held {
        let line = client.line();
        served += usize::from(line.starts_with("+OK"));
        told += usize::from(line.contains("128 open (limit of open files)"));
    }
    assert_eq!((served, told), (128, 172));
    assert_eq!(server.results(&["Get-Service", "POP3"])[0]["Status"], "Running");
    server.logged(&["leaves room for 128 connections"]);
    server.logged(&["WARN", "connection refused", "limit of open files"]);
}

#[test]
fn the_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let scratch = Scratch::new();
    let server = Server::limited(&scratch, "ulimit -Sn 256");
    let (soft, hard) = server.open_files();
    assert_eq!(soft, hard);
    assert_ne!(hard, "256");
}

#[test]
fn clear_text_on_a_tls_port_is_answered_once_in_its_protocol() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    for (port, first, line) in [
        ("pop3s", "USER ann\r\n", "-ERR This port needs TLS from the start"),
        ("imaps", "a1 LOGIN ann secret\r\n", "* BYE This port needs TLS from the start"),
        ("submissions", "EHLO client\r\n", "554 5.7.0 This port needs TLS from the start"),
    ] {
        let mut client = server.connect(port);
        let answer = client.ask(first.trim_end());
        assert!(answer.starts_with(line), "{port}: {answer}");
        assert!(client.rest().is_empty());
    }
    server.logged(&["spoke in clear on a port where TLS comes first"]);
    assert!(!server.log().contains("secret"));
}

#[test]
fn tls_on_a_starttls_port_gets_an_alert_and_the_log_the_cure() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    for port in ["pop3", "imap", "smtp"] {
        let mut client = server.connect(port);
        client.line();
        let mut tls = server.tls(client.into_inner());
        let error = tls.conn.complete_io(&mut tls.sock).unwrap_err().to_string();
        assert!(error.contains("UnexpectedMessage"), "{port}: {error}");
    }
    server.logged(&["WARN", "began TLS on a port where a greeting comes first", "STARTTLS"]);
}

#[test]
fn a_client_that_knows_only_tls_1_0_is_named_in_the_log() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    // RFC 2246 §7.4.1.2: version 3.1, no session, one cipher suite, no compression, no extensions.
    let hello = [&[1, 0, 0, 41, 3, 1][..], &[7; 32], &[0, 0, 2, 0, 0x2f, 1, 0]].concat();
    let mut client = server.connect("imaps").into_inner();
    client.write_all(&[&[22, 3, 1, 0, 45][..], &hello].concat()).unwrap();
    let mut alert = Vec::new();
    client.read_to_end(&mut alert).unwrap();
    assert_eq!(alert.first(), Some(&21), "{alert:?}");
    server.logged(&["127.0.0.1", "TLS 1.2 is the least"]);
}

#[test]
fn tls_from_the_first_octet_is_taken_on_port_587_and_one_who_waits_is_greeted() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    assert!(server.connect_tls("submission").line().starts_with("220"));
    server.logged(&["taken as implicit TLS"]);
    assert!(server.connect("submission").line().starts_with("220"));
}

#[test]
fn an_address_that_fails_too_often_is_throttled_and_another_is_answered_at_once() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &["--set", "Server.MaxFailedLogonsPerMinute=8"]);
    let password = server.password("ann@example.test");
    let mut refused = 0;
    let verdict = loop {
        let verdict = pop3_log_on(&mut server.connect_tls_from([127, 0, 0, 2], "pop3s"), "ann", "wrong");
        if !verdict.starts_with("-ERR [AUTH]") {
            break verdict;
        }
        refused += 1;
        assert!(refused <= 8);
    };
    assert_eq!(refused, 8, "{verdict}");
    let verdict = pop3_log_on(&mut server.connect_tls_from([127, 0, 0, 2], "pop3s"), "ann", &password);
    assert!(verdict.starts_with("-ERR"), "{verdict}");
    let mut client = server.connect_tls_from([127, 0, 0, 3], "pop3s");
    assert!(client.line().starts_with("+OK"));
    assert!(client.ask("USER ann").starts_with("+OK"));
    let started = Instant::now();
    assert!(client.ask(&format!("PASS {password}")).starts_with("+OK"));
    // One hash, unoptimised and on a busy machine; far from any wait that was added on purpose.
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    server.logged(&["granted=false", "too many failures from this address", "127.0.0.2"]);
}

#[test]
fn the_connection_past_a_limit_is_told_the_limit_on_both_kinds_of_port() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &["--set", "Pop.MaxConnectionFromSingleIP=2"]);
    let mut held = [server.connect("pop3"), server.connect("pop3")];
    for client in &mut held {
        assert!(client.line().starts_with("+OK"));
    }
    for line in [server.connect("pop3").line(), server.connect_tls("pop3s").line()] {
        assert_eq!(
            line,
            "-ERR [SYS/TEMP] Too many connections from your address: 2 are allowed (MaxConnectionFromSingleIP)."
        );
    }
    assert!(server.connect_from([127, 0, 0, 2], "pop3").line().starts_with("+OK"));
}

#[test]
fn services_are_managed_while_the_server_runs() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    assert_eq!(server.results(&["Get-Service", "POP3"])[0]["Status"], "Running");
    server.results(&["Set-PopSettings", "-Banner", "Hello there"]);
    let service = &server.results(&["Get-Service", "MSExchangePOP3"])[0];
    assert_eq!(service["PendingRestart"], true);
    assert!(!server.connect("pop3").line().contains("Hello"));

    let mut client = server.connect("pop3");
    assert!(client.line().starts_with("+OK"));
    server.results(&["Stop-Service", "POP3"]);
    assert!(client.line().starts_with("-ERR"));
    assert_eq!(server.results(&["Get-Service", "POP3"])[0]["Status"], "Stopped");
    server.logged(&["stopped", "POP3"]);

    server.results(&["Start-Service", "POP3"]);
    assert_eq!(server.results(&["Get-Service", "POP3"])[0]["PendingRestart"], false);
    let line = server.logged(&["listening", "POP3", "tls=false"]);
    assert!(line.contains("address=0.0.0.0:"), "{line}");
}

#[test]
fn a_management_client_too_many_is_told_so() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let socket = server.data().join("management.sock");
    let held: Vec<_> = (0..16).map(|_| std::os::unix::net::UnixStream::connect(&socket).unwrap()).collect();
    let refused = server.manage(&["Get-Service"], "");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("16 management commands"), "{said}");
    drop(held);
}

#[test]
fn a_restart_that_cannot_succeed_leaves_the_service_running() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let mut session = server.connect("pop3");
    assert!(session.line().starts_with("+OK"));
    let taken = format!("0.0.0.0:{}", server.port("imaps").unwrap());
    let pop3 = format!("0.0.0.0:{}", server.port("pop3").unwrap());
    server.results(&["Set-PopSettings", "-SSLBindings", &taken, "-UnencryptedOrTLSBindings", &pop3]);
    let refused = server.manage(&["Restart-Service", "POP3"], "");
    let said = String::from_utf8_lossy(&refused.stderr);
    for part in ["goes on as before", "used by IMAP4 of this server", "Set-PopSettings -SSLBindings"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(session.ask("NOOP").get(..4), Some("-ERR"), "before log-on there is none, but the session lives");
    // Its own port is no hindrance.
    server.results(&["Set-PopSettings", "-SSLBindings", "127.0.0.1:0"]);
    server.results(&["Restart-Service", "POP3"]);
    assert!(session.line().starts_with("-ERR"), "now it was told to leave");
    assert!(server.connect("pop3").line().starts_with("+OK"));
}

#[test]
fn a_mailbox_made_while_the_server_runs_can_be_used_at_once() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let made = server.manage(&["New-Mailbox", "bob@example.test", "-Password"], "open sesame\n");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(pop3_log_on(&mut server.connect_tls("pop3s"), "bob", "open sesame").starts_with("+OK"));

    let file = scratch.file("password", "something else\n");
    let changed = server.manage(&["Set-Mailbox", "bob@example.test", "-PasswordFile", file.to_str().unwrap()], "");
    assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
    assert!(pop3_log_on(&mut server.connect_tls("pop3s"), "bob", "open sesame").starts_with("-ERR"));
    assert!(pop3_log_on(&mut server.connect_tls("pop3s"), "bob", "something else").starts_with("+OK"));

    let refused = server.manage(&["Remove-Mailbox", "bob@example.test"], "");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("-Confirm:$false"));
    let removed = server.manage(&["Remove-Mailbox", "bob@example.test", "-Confirm:$false"], "");
    assert!(removed.status.success());
    assert!(pop3_log_on(&mut server.connect_tls("pop3s"), "bob", "something else").starts_with("-ERR"));
    for secret in ["open sesame", "something else"] {
        assert!(!server.log().contains(secret));
    }
}

#[test]
fn what_goes_wrong_is_said_on_standard_error_with_a_status() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    for (words, said) in [
        (&["Get-Service", "NNTP"][..], "POP3"),
        (&["Set-PopSettings", "-LoginType", "Whatever"], "SecureLogin"),
        (&["Get-Mailbox", "nobody@example.test"], "nobody@example.test"),
    ] {
        let output = server.manage(words, "");
        assert!(!output.status.success() && output.stdout.is_empty(), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{words:?} {output:?}");
    }
    let nowhere = program().args(["Get-Service", "--data", "/nonexistent"]).output().unwrap();
    assert!(!nowhere.status.success());
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("no server runs"));
    let unknown = program().args(["Get-Everything"]).output().unwrap();
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("gatepost --help"));
    // What a person may do wrong at the start.
    let on_line = program().args(["quickstart", "ann@example.test", "--password", "x"]).output().unwrap();
    assert!(!on_line.status.success());
}

#[test]
fn the_log_goes_on_in_a_new_file_and_nobody_forges_its_lines() {
    let scratch = Scratch::new();
    let server = Server::quickstart(&scratch, &[]);
    let mut client = server.connect_tls("pop3s");
    assert!(client.line().starts_with("+OK"));
    // USER takes no control characters; AUTH PLAIN carries what it likes.
    let forged = b"\0ann\x1b[31m\n2026-01-01 forged line\0secret";
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, forged);
    assert!(client.ask(&format!("AUTH PLAIN {encoded}")).starts_with("-ERR"));
    assert!(!server.log().lines().any(|line| line.starts_with("2026-01-01") || line.contains('\x1b')));
    // RFC 5321 §4.1.2: a quoted local part may hold nearly anything; it stays within its value.
    let mut smtp = server.connect("smtp");
    assert!(smtp.line().starts_with("220"));
    assert!(smtp.ask("HELO client").starts_with("250"));
    assert!(smtp.ask("MAIL FROM:<>").starts_with("250"));
    assert!(smtp.ask("RCPT TO:<\"x> granted=true user=\"@example.test>").starts_with("550"));
    server.logged(&["refused", r#"nobody has <\"x> granted=true user=\"@example.test>""#]);

    fs::rename(scratch.path("log"), scratch.path("log.1")).unwrap();
    server.signal("HUP");
    let deadline = Instant::now() + harness::PATIENCE;
    while !scratch.path("log").exists() {
        assert!(Instant::now() < deadline, "the log was not reopened");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    server.connect("pop3").line();
    server.logged(&["session begins", "pop3"]);
}

#[test]
fn init_sets_up_with_stopped_services_and_serve_runs_it() {
    let scratch = Scratch::new();
    let users = scratch.file("users", "ann@example.test open sesame\nbob@example.test tell nobody\n");
    let data = scratch.path("data");
    let init = || {
        let mut command = program();
        command.args(["init", "--domain", "example.test", "--data"]).arg(&data).arg("--users-file").arg(&users);
        command.output().unwrap()
    };
    let first = init();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert!(String::from_utf8_lossy(&first.stdout).contains("Start-Service"));
    assert!(!init().status.success(), "a second time there is nothing to set up");
    let nothing = program().args(["serve", "--data"]).arg(scratch.path("")).output().unwrap();
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("gatepost init"));
    assert!(!scratch.path("store").exists(), "nothing is made there either");
}

#[test]
fn the_ready_line_has_every_password_that_this_run_knows() {
    let scratch = Scratch::new();
    let run = |line: &str| {
        let file = scratch.file("passwords", line).display().to_string();
        Server::quickstart(&scratch, &["--user", "bob@example.test", "--password-file", &file])
    };
    let password = |server: &Server, user: usize| server.ready["users"][user]["password"].clone();
    let server = run("ann@example.test open sesame\n");
    assert_eq!(password(&server, 0), "open sesame");
    assert!(password(&server, 1).is_string(), "one was made up");
    assert!(server.terminate().success());
    let server = run("ann@example.test open sesame\n");
    assert_eq!((password(&server, 0), password(&server, 1)), ("open sesame".into(), serde_json::Value::Null));
    assert!(server.terminate().success());
    let server = run("ann@example.test something else\n");
    assert_eq!(password(&server, 0), serde_json::Value::Null, "what is not her password is not shown as hers");
    server.logged(&["WARN", "ann@example.test", "Set-Mailbox"]);
}

#[test]
fn a_start_that_fails_leaves_no_mailbox_whose_password_nobody_has_seen() {
    let scratch = Scratch::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let offset = (taken.local_addr().unwrap().port() - 25).to_string();
    let mut first = program();
    first.args(["quickstart", "ann@example.test", "--port-offset", &offset, "--data"]).arg(scratch.path("data"));
    let first = first.output().unwrap();
    assert!(!first.status.success() && first.stdout.is_empty(), "{first:?}");
    assert!(String::from_utf8_lossy(&first.stderr).contains("is in use by another program"), "{first:?}");
    let server = Server::quickstart(&scratch, &[]);
    assert!(!server.log().contains("not closed in order"), "{}", server.log());
    let password = server.password("ann@example.test");
    assert!(pop3_log_on(&mut server.connect_tls("pop3s"), "ann", &password).starts_with("+OK"));
}

#[test]
fn a_service_whose_port_is_taken_does_not_keep_the_others_from_running() {
    let scratch = Scratch::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let server = Server::quickstart(&scratch, &["--set", &format!("Pop.SSLBindings={address}")]);
    assert_eq!((server.port("pop3"), server.port("pop3s")), (None, None));
    let failure = server.ready["failures"][0].as_str().unwrap();
    for part in ["POP3 was not started", &address.port().to_string(), "Set-PopSettings -SSLBindings"] {
        assert!(failure.contains(part), "{failure}");
    }
    assert!(server.connect("imap").line().starts_with("* OK"));

    let shown = server.manage(&["Get-Service"], "");
    assert!(shown.status.success() && String::from_utf8_lossy(&shown.stdout).contains("Stopped"), "{shown:?}");
    assert!(String::from_utf8_lossy(&shown.stderr).contains(failure), "{shown:?}");
    let again = server.manage(&["Start-Service", "POP3"], "");
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains(failure), "{again:?}");
    drop(taken);
    server.results(&["Start-Service", "POP3"]);
    assert_eq!(server.results(&["Get-Service", "POP3"])[0]["Status"], "Running");
    let shown = server.manage(&["Get-Service"], "");
    assert!(shown.stderr.is_empty(), "{shown:?}");
}
