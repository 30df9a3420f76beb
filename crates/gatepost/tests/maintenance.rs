//! `gatepost store`: verification, backup, restore and repair of servers that run and of servers that do not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use harness::{Client, Scratch, Server, TlsStream, program};
use serde_json::Value;

const PASSWORD: &str = "a good long password";

fn quickstart(scratch: &Scratch, arguments: &[&str]) -> Server {
    let lines = format!("ann@example.test {PASSWORD}\nbob@example.test {PASSWORD}\n");
    let file = scratch.file("passwords", &lines);
    let standard = ["--user", "bob@example.test", "--password-file", file.to_str().unwrap()];
    Server::quickstart(scratch, &[&standard[..], arguments].concat())
}

fn store(words: &[&str], paths: &[(&str, &Path)]) -> Output {
    let mut command = program();
    command.arg("store").args(words);
    for (name, path) in paths {
        command.arg(name).arg(path);
    }
    command.output().unwrap()
}

/// The one result of a `gatepost store` that succeeds.
fn result(words: &[&str], paths: &[(&str, &Path)]) -> Value {
    let output = store(&[words, &["--json"]].concat(), paths);
    assert!(output.status.success(), "{words:?}: {output:?}");
    serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].take()
}

fn refusal(words: &[&str], paths: &[(&str, &Path)]) -> String {
    let output = store(words, paths);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn deliver(server: &Server, recipient: &str, text: &str) {
    let mut smtp = server.connect("smtp");
    assert!(smtp.line().starts_with("220"));
    assert!(smtp.ask("HELO elsewhere.test").starts_with("250"));
    assert!(smtp.ask("MAIL FROM:<carl@elsewhere.test>").starts_with("250"));
    assert!(smtp.ask(&format!("RCPT TO:<{recipient}@example.test>")).starts_with("250"));
    assert!(smtp.ask("DATA").starts_with("354"));
    assert!(smtp.ask(&format!("Subject: {text}\r\n\r\n{text}\r\n.")).starts_with("250"));
}

/// Sends a command and answers the untagged lines; it must be answered OK.
fn imap_ask(client: &mut Client<TlsStream>, command: &str) -> Vec<String> {
    client.send(&format!("t {command}\r\n"));
    let mut lines = Vec::new();
    loop {
        let line = client.line();
        if let Some(verdict) = line.strip_prefix("t ") {
            assert!(verdict.starts_with("OK"), "{command}: {verdict}");
            return lines;
        }
        assert_ne!(line, "", "{command}: the server closed");
        lines.push(line);
    }
}

fn imap(server: &Server, user: &str) -> Client<TlsStream> {
    let mut client = server.connect_tls("imaps");
    assert!(client.line().starts_with("* OK"));
    imap_ask(&mut client, &format!("LOGIN {user} \"{PASSWORD}\""));
    client
}

/// What a client remembers of a mailbox: UIDVALIDITY, UIDs with flags, and the unique ids of POP3.
#[derive(Debug, PartialEq, Eq)]
struct Remembered {
    uid_validity: String,
    messages: Vec<String>,
    unique_ids: Vec<String>,
}

impl Remembered {
    fn of(server: &Server, user: &str) -> Self {
        let mut client = imap(server, user);
        let selected = imap_ask(&mut client, "EXAMINE INBOX");
        let uid_validity = selected.iter().find(|line| line.contains("UIDVALIDITY")).unwrap().clone();
        let messages = imap_ask(&mut client, "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)");
        let messages = messages.into_iter().filter(|line| line.contains("FETCH")).collect();
        let mut pop3 = server.connect_tls("pop3s");
        assert!(pop3.line().starts_with("+OK"));
        assert!(pop3.ask(&format!("USER {user}")).starts_with("+OK"));
        assert!(pop3.ask(&format!("PASS {PASSWORD}")).starts_with("+OK"));
        assert!(pop3.ask("UIDL").starts_with("+OK"));
        let unique_ids = std::iter::from_fn(|| Some(pop3.line()).filter(|line| line != ".")).collect();
        // Gives the maildrop back before the next one looks.
        assert!(pop3.ask("QUIT").starts_with("+OK"));
        Self { uid_validity, messages, unique_ids }
    }
}

fn uids(server: &Server, user: &str) -> Vec<u32> {
    let mut client = imap(server, user);
    imap_ask(&mut client, "EXAMINE INBOX");
    let lines = imap_ask(&mut client, "UID SEARCH ALL");
    let line = lines.iter().find_map(|line| line.strip_prefix("* SEARCH")).unwrap();
    line.split_whitespace().map(|uid| uid.parse().unwrap()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_backup_made_under_load_gives_the_whole_server_back_and_no_uid_again() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &[]);
    let data = server.data().to_owned();
    let (backup, restored) = (scratch.path("backup"), scratch.path("restored"));
    for text in ["one", "two", "three", "four"] {
        deliver(&server, "ann", text);
    }
    let mut ann = imap(&server, "ann");
    imap_ask(&mut ann, "SELECT INBOX");
    imap_ask(&mut ann, "STORE 1 FLAGS (\\Seen \\Flagged $Label)");
    imap_ask(&mut ann, "STORE 2 +FLAGS (\\Deleted)");
    imap_ask(&mut ann, "EXPUNGE");
    drop(ann);
    let before = Remembered::of(&server, "ann");
    assert_eq!(before.messages.len(), 3);

    let (ended, delivered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let acknowledged = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                deliver(&server, "bob", "more");
                delivered.fetch_add(1, Ordering::Relaxed);
            }
        });
        while delivered.load(Ordering::Relaxed) < 3 {
            std::thread::yield_now();
        }
        let verified = result(&["verify"], &[("--data", &data)]);
        assert_eq!(verified["FaultCount"], 0, "{verified}");
        assert!(verified["Messages"].as_u64().unwrap() >= 6, "{verified}");
        let acknowledged = delivered.load(Ordering::Relaxed);
        let made = result(&["backup"], &[("--data", &data), ("--to", &backup)]);
        assert!(made["Octets"].as_u64().unwrap() > 0, "{made}");
        ended.store(true, Ordering::Relaxed);
        acknowledged
    });
    for _ in 0..3 {
        deliver(&server, "ann", "after the backup");
    }
    let given = *uids(&server, "ann").last().unwrap();
    assert!(refusal(&["backup"], &[("--data", &data), ("--to", &backup)]).contains("is not empty"));
    let inside = data.join("backup");
    assert!(refusal(&["backup"], &[("--data", &data), ("--to", &inside)]).contains("inside the data directory"));
    assert!(server.terminate().success());
    assert_eq!((mode(&backup), mode(&backup.join("tls/ca-key.pem"))), (0o700, 0o600));

    assert!(refusal(&["restore"], &[("--from", &backup), ("--data", &data)]).contains("--mailbox"));
    assert!(refusal(&["restore"], &[("--from", &data), ("--data", &restored)]).contains("no whole backup"));
    assert!(!restored.exists());
    let made = result(&["restore"], &[("--from", &backup), ("--data", &restored)]);
    assert_eq!((&made["Lost"], &made["Damaged"]), (&0.into(), &Value::Array(vec![])), "{made}");
    for file in ["tls/ca-key.pem", "tls/server-key.pem", "tls/server.pem", "ca.pem"] {
        assert_eq!(fs::read(restored.join(file)).unwrap(), fs::read(data.join(file)).unwrap(), "{file}");
        assert_eq!(mode(&restored.join(file)), 0o600, "{file}");
    }

    let server = Server::start_in(&scratch, &restored, &["serve"]);
    assert_eq!(Remembered::of(&server, "ann"), before);
    assert!(uids(&server, "bob").len() >= acknowledged);
    deliver(&server, "ann", "in the restored server");
    assert!(*uids(&server, "ann").last().unwrap() > given);
    assert_eq!(result(&["verify"], &[("--data", &restored)])["FaultCount"], 0);
}

#[test]
fn one_mailbox_comes_back_alone_with_its_server_running_and_stopped() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &[]);
    let data = server.data().to_owned();
    let backup = scratch.path("backup");
    for text in ["one", "two", "three"] {
        deliver(&server, "ann", text);
    }
    deliver(&server, "bob", "his own");
    let mut ann = imap(&server, "ann");
    imap_ask(&mut ann, "SELECT INBOX");
    imap_ask(&mut ann, "STORE 2 FLAGS (\\Answered $Label)");
    let before = Remembered::of(&server, "ann");
    // A stopped server's backup is the same.
    drop(ann);
    assert!(server.terminate().success());
    result(&["backup"], &[("--data", &data), ("--to", &backup)]);
    let server = Server::start_in(&scratch, &data, &["serve"]);

    let lose_all = |server: &Server, user: &str| {
        let mut client = imap(server, user);
        imap_ask(&mut client, "SELECT INBOX");
        imap_ask(&mut client, "STORE 1:* +FLAGS (\\Deleted)");
        imap_ask(&mut client, "EXPUNGE");
    };
    let restore = &["restore", "--mailbox", "ann@example.test"];
    let places: &[(&str, &Path)] = &[("--from", &backup), ("--data", &data)];
    lose_all(&server, "ann");
    lose_all(&server, "bob");
    assert!(uids(&server, "ann").is_empty());
    let restored = result(restore, places);
    assert_eq!((&restored["Restored"], &restored["Appended"]), (&3.into(), &0.into()), "{restored}");
    assert_eq!(Remembered::of(&server, "ann"), before);
    assert!(uids(&server, "bob").is_empty(), "nobody else's mail comes back");
    deliver(&server, "ann", "four");
    assert_eq!(uids(&server, "ann"), [1, 2, 3, 4]);
    assert_eq!(result(restore, places)["Present"], 3);
    let nobody = refusal(&["restore", "--mailbox", "nobody@example.test"], places);
    assert!(nobody.contains("no mailbox nobody@example.test"), "{nobody}");

    lose_all(&server, "ann");
    assert!(server.terminate().success());
    assert_eq!(result(restore, places)["Restored"], 3);
    assert_eq!(result(&["verify"], &[("--data", &data)])["FaultCount"], 0);
    let server = Server::start_in(&scratch, &data, &["serve"]);
    assert_eq!(Remembered::of(&server, "ann"), before);
    deliver(&server, "ann", "five");
    assert_eq!(uids(&server, "ann"), [1, 2, 3, 5]);
}

#[test]
fn a_flipped_octet_is_found_and_after_a_repair_all_other_mail_is_served() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &[]);
    let data = server.data().to_owned();
    for text in ["good-one", "bad-two", "good-three"] {
        deliver(&server, "ann", text);
    }
    assert!(server.terminate().success());
    flip(&data.join("store/segments"), b"\r\n\r\nbad-two");

    let found = store(&["verify"], &[("--data", &data)]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let (output, error) = (String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    assert!(output.contains("checksum"), "{output}");
    assert!(error.contains("gatepost store repair"), "{error}");
    let server = Server::start_in(&scratch, &data, &["serve"]);
    let found = store(&["verify", "--json"], &[("--data", &data)]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert!(found[0]["Faults"][0].as_str().unwrap().contains("checksum"), "{found}");
    assert!(refusal(&["repair"], &[("--data", &data)]).contains("in use by a server"));
    let mut client = imap(&server, "ann");
    imap_ask(&mut client, "SELECT INBOX");
    client.send("x UID FETCH 2 BODY.PEEK[TEXT]\r\n");
    assert_eq!(client.line(), "* 2 FETCH (UID 2 BODY[TEXT] NIL)", "no octet of what is damaged");
    assert!(client.line().starts_with("x NO [CORRUPTION]"));
    server.logged(&["damaged data"]);
    assert!(server.terminate().success());

    let repaired = result(&["repair"], &[("--data", &data)]);
    assert_eq!((&repaired["Lost"], &repaired["Unreadable"]), (&0.into(), &1.into()), "{repaired}");
    assert_eq!(repaired["Messages"][0], "ann@example.test: INBOX, UID 2");
    let server = Server::start_in(&scratch, &data, &["serve"]);
    let mut client = imap(&server, "ann");
    imap_ask(&mut client, "SELECT INBOX");
    for (number, text) in [(1, "good-one"), (3, "good-three")] {
        let lines = imap_ask(&mut client, &format!("UID FETCH {number} BODY.PEEK[TEXT]"));
        assert_eq!(lines[1], text, "{lines:?}");
    }
    assert_eq!(uids(&server, "ann"), [1, 3], "nothing is in the way of a client that loads all");
    deliver(&server, "ann", "good-four");
    assert_eq!(uids(&server, "ann").len(), 3);
}

/// Changes the last octet of the only place where `text` stands.
fn flip(directory: &Path, text: &[u8]) {
    let mut found = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let mut octets = fs::read(&path).unwrap();
        let places: Vec<usize> = (0..octets.len()).filter(|&at| octets[at..].starts_with(text)).collect();
        for place in &places {
            octets[place + text.len() - 1] ^= 0x20;
        }
        found += places.len();
        fs::write(&path, octets).unwrap();
    }
    assert_eq!(found, 1);
}

#[test]
fn a_backup_that_takes_long_does_not_hold_up_the_end_of_the_server() {
    let scratch = Scratch::new();
    let server = quickstart(&scratch, &["--set", "Server.DrainTimeout=00:00:01"]);
    let backup = scratch.path("backup");
    // Opening it waits for a writer, who never comes.
    let authority = server.data().join("ca.pem");
    fs::remove_file(&authority).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&authority).status().unwrap().success());
    let mut client = program();
    client.args(["store", "backup", "--to"]).arg(&backup).arg("--data").arg(server.data());
    let mut client = client.stderr(Stdio::null()).spawn().unwrap();
    server.logged(&["management command begins", "Backup-Store"]);
    server.signal("TERM");
    server.logged(&["broken off"]);
    assert!(server.wait().success());
    assert!(!client.wait().unwrap().success());
    let no_backup = refusal(&["restore"], &[("--from", &backup), ("--data", &scratch.path("restored"))]);
    assert!(no_backup.contains("no whole backup"), "{no_backup}");
}

#[test]
fn where_there_is_no_store_none_is_made() {
    let scratch = Scratch::new();
    let nothing = scratch.path("");
    for words in [&["verify"][..], &["repair"]] {
        assert!(refusal(words, &[("--data", &nothing)]).contains("no server's data"), "{words:?}");
    }
    assert_eq!(fs::read_dir(nothing).unwrap().count(), 0);
}
