//! The real program: set up by `quickstart` on an empty data directory.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::{self, Scratch};
use crate::player::{self, Wire, encrypted};
use crate::script::{Message, Port, Script};

pub struct Server {
    program: harness::Server,
    // Removed after the program has ended.
    _scratch: Scratch,
}

impl Server {
    /// With the accounts, messages and settings of a script for `port`'s protocol.
    pub async fn start(script: &Script, port: Port) -> Self {
        let scratch = Scratch::new();
        let mut accounts = script.accounts.clone();
        if accounts.is_empty() {
            // The program wants somebody to serve.
            accounts.push(("nobody@example.test".to_owned(), "a password that nobody uses".to_owned()));
        }
        let mut passwords = String::new();
        for (address, password) in &accounts {
            writeln!(passwords, "{address} {password}").unwrap();
        }
        let passwords = scratch.file("passwords", &passwords).display().to_string();
        let settings: Vec<String> =
            script.settings.iter().map(|(name, value)| format!("{}.{name}={value}", port.settings())).collect();
        let mut arguments =
            vec!["quickstart", &accounts[0].0, "--listen", "127.0.0.1:0", "--password-file", &passwords];
        arguments.extend(["--set", "Smtp.TarpitInterval=0"]);
        for (address, _) in &accounts[1..] {
            arguments.extend(["--user", address]);
        }
        for setting in &settings {
            arguments.extend(["--set", setting]);
        }
        let server = Self { program: harness::Server::start(&scratch, &arguments), _scratch: scratch };
        for message in &script.messages {
            server.append(script, message).await;
        }
        server
    }

    /// By IMAP, which keeps a message as it is.
    async fn append(&self, script: &Script, message: &Message) {
        let Message { address, folder, flags, octets } = message;
        let (_, password) = script.accounts.iter().find(|(account, _)| account == address).unwrap();
        let wire = player::Server::connect(self, Port::Imap, true).await;
        let mut wire = BufReader::new(encrypted(self, wire).await.unwrap());
        let commands = format!("a LOGIN {address} {password}\r\nb APPEND {folder} ({flags}) {{{}+}}\r\n", octets.len());
        wire.write_all(&[commands.as_bytes(), octets, b"\r\n"].concat()).await.unwrap();
        wire.flush().await.unwrap();
        let mut line = String::new();
        while !line.starts_with("b ") {
            line.clear();
            assert!(wire.read_line(&mut line).await.unwrap() > 0, "APPEND was not answered");
        }
        assert!(line.starts_with("b OK"), "{line}");
    }

    fn port(&self, name: &str) -> u16 {
        self.program.port(name).unwrap_or_else(|| panic!("nothing listens on {name}"))
    }
}

impl player::Server for Server {
    fn connect(&self, port: Port, tls: bool) -> Pin<Box<dyn Future<Output = Box<dyn Wire>> + '_>> {
        let number = self.port(match (port, tls) {
            (Port::Pop3, true) => "pop3s",
            (Port::Imap, true) => "imaps",
            (Port::Smtp | Port::Submission, true) => "submissions",
            (port, false) => port.name(),
        });
        Box::pin(async move { Box::new(TcpStream::connect(("127.0.0.1", number)).await.unwrap()) as Box<dyn Wire> })
    }

    fn trust(&self) -> Arc<ClientConfig> {
        self.program.trust()
    }

    fn host(&self) -> &str {
        self.program.ready["host"].as_str().unwrap()
    }

    fn tls_ports(&self) -> [(&'static str, u16); 3] {
        ["pop3s", "imaps", "submissions"].map(|name| (name, self.port(name)))
    }
}
