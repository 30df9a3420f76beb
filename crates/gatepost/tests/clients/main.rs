//! Clients that people use, as they use them: each of these tests drives one program from elsewhere.
//!
//! A program that is not installed leaves its test out, and says so; in CI that is a failure. `cargo xtask tools`
//! installs them all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod certificates;
mod curl;
mod directory;
#[path = "../harness/mod.rs"]
mod harness;
mod java;
#[cfg(feature = "kerberos")]
mod kerberos;
mod ntlm;
mod python;
mod readers;
mod senders;
mod tokens;
mod transfer;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::{Scratch, Server};

const PASSWORD: &str = "a good long password";

/// A server with Ann and Bob, and a folder for what the clients write.
struct Site {
    server: Server,
    scratch: Scratch,
}

impl Site {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        Self::within(&[], arguments)
    }

    /// With more in the environment of the server.
    fn within(environment: &[(&str, PathBuf)], arguments: &[&str]) -> Self {
        let scratch = Scratch::new();
        let lines = format!("ann@example.test {PASSWORD}\nbob@example.test {PASSWORD}\n");
        let file = scratch.file("passwords", &lines);
        let people = ["--user", "bob@example.test", "--password-file", file.to_str().unwrap()];
        Self { server: Server::quickstart_within(&scratch, environment, &[&people, arguments].concat()), scratch }
    }

    fn port(&self, name: &str) -> u16 {
        self.server.port(name).expect("the service runs")
    }

    fn authority(&self) -> String {
        self.server.ready["ca_file"].as_str().unwrap().to_owned()
    }

    /// Lets Ann log on by NTLM, and nobody else.
    fn opt_in_to_ntlm(&self) {
        let warned = self.server.manage(&["Set-CASMailbox", "ann", "-NtlmEnabled", "true"], "");
        assert!(String::from_utf8_lossy(&warned.stderr).contains("Set-Mailbox -Password"));
        let set = self.server.manage(&["Set-Mailbox", "ann", "-PasswordFile", "-"], &format!("{PASSWORD}\n"));
        assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    }

    /// The first log-on behind so many octets of the log was this one; answers where its line ends.
    #[track_caller]
    fn logged_on(&self, start: usize, protocol: &str, mechanism: &str, granted: bool) -> usize {
        let line = self.server.logged_after(start, &["log-on "]);
        for part in
            [format!("protocol=\"{protocol}\""), format!("mechanism=\"{mechanism}\""), format!("granted={granted} ")]
        {
            assert!(line.contains(&part), "{part}: {line}");
        }
        start + self.server.log()[start..].find(&line).unwrap() + line.len()
    }

    /// A client's configuration file, readable by its owner alone as some demand.
    fn configuration(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.scratch.file(name, text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Hands a message over to port 25 as another server would.
    fn deliver(&self, recipient: &str, subject: &str) {
        let mut smtp = self.server.connect("smtp");
        assert!(smtp.line().starts_with("220"));
        assert!(smtp.ask("HELO elsewhere.test").starts_with("250"));
        assert!(smtp.ask("MAIL FROM:<carl@elsewhere.test>").starts_with("250"));
        assert!(smtp.ask(&format!("RCPT TO:<{recipient}>")).starts_with("250"));
        assert!(smtp.ask("DATA").starts_with("354"));
        assert!(
            smtp.ask(&format!("From: carl@elsewhere.test\r\nSubject: {subject}\r\n\r\n..hidden\r\n."))
                .starts_with("250")
        );
    }

    /// The messages of a mailbox's INBOX as POP3 gives them.
    fn inbox(&self, user: &str) -> Vec<String> {
        let mut pop3 = self.server.connect_tls("pop3s");
        assert!(pop3.line().starts_with("+OK"));
        assert!(pop3.ask(&format!("USER {user}")).starts_with("+OK"));
        assert!(pop3.ask(&format!("PASS {PASSWORD}")).starts_with("+OK"));
        let count: usize = pop3.ask("STAT").split(' ').nth(1).unwrap().parse().unwrap();
        let mut retrieve = |number| {
            assert!(pop3.ask(&format!("RETR {number}")).starts_with("+OK"));
            let lines = std::iter::repeat_with(|| pop3.line()).take_while(|line| line != ".");
            lines.map(|line| line.strip_prefix('.').unwrap_or(&line).to_owned() + "\n").collect()
        };
        (1..=count).map(&mut retrieve).collect()
    }
}

/// The program, unless it is not installed.
fn client(program: &str) -> Option<Command> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?).any(|folder| folder.join(program).is_file());
    is_there(program, found)?;
    // One that asks a question nobody answers is ended, and the test fails.
    let mut command = Command::new("timeout");
    command.args(["60", program]).stdin(Stdio::null());
    Some(command)
}

/// What is not installed leaves its test out; in CI that is a failure.
fn is_there(name: &str, found: bool) -> Option<()> {
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{name} is missing; cargo xtask tools installs it");
        eprintln!("left out: {name} is not installed; cargo xtask tools installs it");
    }
    found.then_some(())
}

/// Runs a client to its end and answers all it wrote; it must succeed.
fn run(command: &mut Command) -> String {
    run_with_input(command, "")
}

fn run_with_input(command: &mut Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A client that reads no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}:\n{text}", output.status);
    text
}
