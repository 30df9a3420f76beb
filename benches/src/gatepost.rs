//! Starts the release build of Gatepost beside this program.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::users::{PASSWORD, user};

pub struct Gatepost {
    child: Child,
    pub smtp: SocketAddr,
    pub imap: SocketAddr,
    pub imaps: SocketAddr,
    pub ca_file: PathBuf,
    data: PathBuf,
}

impl Gatepost {
    /// Serves `users` mailboxes from `data` until dropped; returns when it says it is ready.
    pub fn start(users: usize, data: &Path, settings: &[&str]) -> Result<Self, Box<dyn std::error::Error>> {
        let passwords = data.with_extension("passwords");
        let lines: String = (0..users).map(|n| format!("{} {PASSWORD}\n", user(n))).collect();
        std::fs::write(&passwords, lines)?;
        let binary = binary()?;
        let mut command = Command::new(&binary);
        command.args(["quickstart", &user(0), "--json", "--data"]).arg(data).arg("--password-file").arg(&passwords);
        for number in 1..users {
            command.args(["--user", &user(number)]);
        }
        // Passwords in clear on loopback, as the peer has it, and no limit that the load would meet.
        let common = [
            "Imap.LoginType=PlainTextLogin",
            "Imap.MaxConnectionFromSingleIP=100000",
            "Imap.MaxConnectionsPerUser=100000",
        ];
        for setting in common.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        command.args(["--port-offset", &free_offset()?.to_string()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| {
            format!("{}: {error}; build it first: cargo build --release -p gatepost", binary.display())
        })?;
        let mut ready = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut ready)?;
        let ready: serde_json::Value =
            serde_json::from_str(&ready).map_err(|error| format!("ready line {ready:?}: {error}"))?;
        let port = |name: &str| -> Result<SocketAddr, String> {
            let port = ready.pointer(&format!("/ports/{name}")).and_then(serde_json::Value::as_u64);
            let port = port.and_then(|port| u16::try_from(port).ok()).ok_or(format!("no port {name}"))?;
            Ok(([127, 0, 0, 1], port).into())
        };
        let ca_file = ready.get("ca_file").and_then(serde_json::Value::as_str).ok_or("no ca_file")?.into();
        Ok(Self {
            child,
            smtp: port("smtp")?,
            imap: port("imap")?,
            imaps: port("imaps")?,
            ca_file,
            data: data.to_owned(),
        })
    }

    /// Carries out a management command, with `input` as its standard input.
    pub fn manage(&self, words: &[&str], input: &str) -> Result<(), Box<dyn std::error::Error>> {
        let mut command = Command::new(binary()?);
        command.args(words).arg("--data").arg(&self.data);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // Whether it reads its input at all is its own business.
        let _ = child.stdin.take().ok_or("no standard input")?.write_all(input.as_bytes());
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{words:?}: {said}").into()) }
    }

    /// Octets of resident memory.
    pub fn resident(&self) -> Result<u64, Box<dyn std::error::Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(mut self) -> std::io::Result<()> {
        terminate(self.child.id())?;
        self.child.wait().map(drop)
    }
}

impl Drop for Gatepost {
    fn drop(&mut self) {
        let _ = terminate(self.child.id());
        let _ = self.child.wait();
    }
}

/// Of the same build as this program.
fn binary() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("gatepost"))
}

fn terminate(process: u32) -> std::io::Result<()> {
    Command::new("kill").args(["-TERM", &process.to_string()]).stderr(Stdio::null()).status().map(drop)
}

/// An offset that puts all seven standard ports on free ones.
fn free_offset() -> Result<u16, Box<dyn std::error::Error>> {
    const PORTS: [u16; 7] = [25, 110, 143, 465, 587, 993, 995];
    let start = std::process::id() as u16 % 10_000;
    let is_free =
        |offset: &u16| PORTS.iter().all(|port| std::net::TcpListener::bind(("127.0.0.1", offset + port)).is_ok());
    (0..100).map(|n| 20_000 + start + n * 100).find(is_free).ok_or_else(|| "no free ports".into())
}
