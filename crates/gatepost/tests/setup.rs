//! The real program as it is set up: cut short, by the wrong user, a second time with other addresses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use harness::{Scratch, Server, program};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_password_that_could_not_be_shown_is_made_anew_and_shown_the_next_time() {
    let scratch = Scratch::new();
    for arguments in [&["--json"][..], &[]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut first = program();
        first.args(["quickstart", "ann@example.test", "--listen", "127.0.0.1:0", "--data"]).arg(scratch.path("data"));
        let first = first.args(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert!(!first.status.success());
        assert!(said(&first).contains("could not be shown"), "{first:?}");
    }
    let server = Server::quickstart(&scratch, &[]);
    let password = server.password("ann@example.test");
    let mut pop3 = server.connect_tls("pop3s");
    assert!(pop3.line().starts_with("+OK"));
    assert!(pop3.ask("USER ann").starts_with("+OK"));
    assert!(pop3.ask(&format!("PASS {password}")).starts_with("+OK"));
    assert!(server.terminate().success());
    let server = Server::quickstart(&scratch, &[]);
    assert!(server.ready["users"][0]["password"].is_null(), "this one was seen");
}

#[test]
fn a_setup_that_was_killed_at_any_moment_is_completed_by_the_same_command() {
    let scratch = Scratch::new();
    let names: Vec<String> = (0..8).map(|number| format!("user{number}@example.test")).collect();
    let users: String = names.iter().map(|name| format!("{name} a long secret\n")).collect();
    let users = scratch.file("users", &users);
    for (round, kill_after) in [1, 3, 10, 30, 60, 100, 150].into_iter().enumerate() {
        let data = scratch.path(&format!("data{round}"));
        let init = || {
            let mut command = program();
            command.args(["init", "--domain", "example.test", "--data"]).arg(&data).arg("--users-file").arg(&users);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            command
        };
        let mut cut_short = init().spawn().unwrap();
        std::thread::park_timeout(std::time::Duration::from_millis(kill_after));
        let _ = cut_short.kill();
        let was_done = cut_short.wait().unwrap().success();
        let again = init().output().unwrap();
        assert!(again.status.success() || said(&again).contains("is set up already"), "{was_done} {again:?}");
        let server = Server::start_in(&scratch, &data, &["serve"]);
        let mailboxes = server.results(&["Get-Mailbox"]);
        assert_eq!(mailboxes.as_array().unwrap().len(), names.len());
        assert!(server.terminate().success());
    }
}

#[test]
fn an_empty_list_of_users_sets_nothing_up() {
    let scratch = Scratch::new();
    let users = scratch.file("users", "\n");
    let mut init = program();
    init.args(["init", "--domain", "example.test", "--data"]).arg(scratch.path("data")).arg("--users-file").arg(&users);
    assert!(said(&init.output().unwrap()).contains("names nobody"));
    assert!(!scratch.path("data").exists());
}

#[test]
fn another_users_data_is_left_alone_and_the_cure_is_said() {
    let scratch = Scratch::new();
    assert!(Server::quickstart(&scratch, &[]).terminate().success());
    let data = scratch.path("data");
    if !rustix::process::geteuid().is_root() {
        return;
    }
    assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(&data).status().unwrap().success());
    for words in [&["quickstart", "ann@example.test"][..], &["serve"], &["store", "verify"]] {
        let refused = program().args(words).arg("--data").arg(&data).output().unwrap();
        assert!(!refused.status.success());
        assert!(said(&refused).contains("sudo -u '#65534' gatepost"), "{words:?} {refused:?}");
    }
    // The other way round: a user who is not let in.
    assert!(Command::new("chown").args(["-R", "0:0"]).arg(&data).status().unwrap().success());
    let program = scratch.path("gatepost");
    fs::copy(env!("CARGO_BIN_EXE_gatepost"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    for words in [&["Get-Service"][..], &["serve"]] {
        let mut command = Command::new(&program);
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
        let refused = command.args(words).arg("--data").arg(&data).output().unwrap();
        assert!(!refused.status.success());
        assert!(said(&refused).contains("sudo -u '#0' gatepost"), "{words:?} {refused:?}");
    }
}

#[test]
fn a_data_directory_that_others_may_write_in_is_warned_of_and_files_are_nobody_elses_to_write() {
    let scratch = Scratch::new();
    let data = scratch.path("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).unwrap();
    let server = Server::limited(&scratch, "umask 0");
    server.logged(&["WARN", "other users may write in the data directory", "chmod 700"]);
    assert!(server.terminate().success());
    let mut places = vec![data];
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(&place).unwrap() {
            let (path, metadata) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o022, 0, "{}", path.display());
            if metadata.is_dir() {
                places.push(path);
            }
        }
    }
}

#[test]
fn a_host_name_that_nothing_could_start_with_is_refused_before_anything_is_made() {
    let scratch = Scratch::new();
    let mut command = program();
    command.args(["quickstart", "ann@example.test", "--set", "Server.HostName=é.test", "--data"]);
    let refused = command.arg(scratch.path("data")).output().unwrap();
    assert!(!refused.status.success() && said(&refused).contains("mail.example.test"), "{refused:?}");
    assert!(!scratch.path("data").exists());
}

#[test]
fn what_cannot_be_read_or_written_is_named_with_the_cure() {
    let scratch = Scratch::new();
    let data = scratch.path("data").display().to_string();
    for (words, cure) in [
        (&["serve", "--data", "/nonexistent"][..], "gatepost quickstart ADDRESS"),
        (&["quickstart", "ann@example.test", "--data", &data, "--password-file", "/nonexistent"], "address password"),
        (&["quickstart", "ann@example.test", "--data", &data, "--log-file", "/nonexistent/x"], "--log-file"),
    ] {
        let refused = program().args(words).output().unwrap();
        assert!(!refused.status.success() && said(&refused).contains(cure), "{words:?} {refused:?}");
    }
}
