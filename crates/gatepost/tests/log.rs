//! The real program where its log goes wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use harness::{Scratch, Server};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

#[test]
fn a_log_that_cannot_be_written_does_not_end_the_server() {
    let scratch = Scratch::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let server = Server::logging_to(&scratch, full.into());
    assert!(server.connect("pop3").line().starts_with("+OK"));
    assert!(server.terminate().success());
}

#[test]
fn a_log_whose_reader_has_gone_does_not_end_the_server() {
    let scratch = Scratch::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let server = Server::logging_to(&scratch, writer.into());
    assert!(server.connect("imap").line().starts_with("* OK"));
    assert!(server.terminate().success());
}

#[test]
fn a_log_that_nobody_reads_holds_up_neither_sessions_nor_the_end() {
    let scratch = Scratch::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let server = Server::logging_to(&scratch, writer.into());
    // Two lines each: far more than a pipe holds.
    for number in 0..600 {
        assert!(server.connect("pop3").line().starts_with("+OK"), "connection {number}");
    }
    assert!(server.terminate().success());
    drop(reader);
}

/// A terminal: its controlling side and what a program writes to.
fn terminal() -> (OwnedFd, File) {
    let control = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&control).unwrap();
    unlockpt(&control).unwrap();
    let name = ptsname(&control, Vec::new()).unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (control, terminal)
}

#[test]
fn on_a_terminal_the_card_is_not_drowned_by_the_log() {
    let scratch = Scratch::new();
    let (control, terminal) = terminal();
    let mut command = harness::program();
    command.args(["quickstart", "ann@example.test", "--listen", "127.0.0.1:0", "--data"]).arg(scratch.path("data"));
    command.stdout(terminal.try_clone().unwrap()).stderr(terminal).env_remove("RUST_LOG");
    let mut child = command.spawn().unwrap();
    // The command has its copies still.
    drop(command);
    let mut shown = BufReader::new(File::from(control));
    let mut text = String::new();
    while !text.contains("SIGTERM.") {
        assert_ne!(shown.read_line(&mut text).unwrap(), 0, "{text}");
    }
    assert!(text.starts_with("Gatepost serves example.test"), "{text}");
    assert!(!text.contains("INFO"), "{text}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_server_whose_terminal_is_closed_takes_leave_and_exits_with_0() {
    let scratch = Scratch::new();
    let (control, terminal) = terminal();
    let server = Server::logging_to(&scratch, Stdio::from(terminal));
    let mut client = server.connect("pop3");
    assert!(client.line().starts_with("+OK"));
    // What the kernel sends when it closes.
    drop(control);
    server.signal("HUP");
    assert!(client.line().starts_with("-ERR"));
    assert!(server.wait().success());
}
