//! Runs the real program on ports that the kernel gives, and talks to it as a client does.

#![allow(dead_code, reason = "each test program uses a part of it")]

mod identity;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

pub use identity::Identity;

/// How long anything may take before the test fails: only failures wait.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A directory of its own, removed at the end.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gatepost-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program, to be given arguments.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command.stdin(Stdio::null());
    command
}

const QUICKSTART: [&str; 6] =
    ["quickstart", "ann@example.test", "--listen", "0.0.0.0:0", "--set", "Smtp.TarpitInterval=0"];

/// A server that runs; ended when dropped.
pub struct Server {
    child: Child,
    pub ready: Value,
    data: PathBuf,
    log: PathBuf,
    /// What clients show where they are asked for a certificate.
    identity: OnceLock<Identity>,
}

impl Server {
    /// `gatepost quickstart ann@example.test` on free ports of all loopback addresses, with what `arguments` add.
    pub fn quickstart(scratch: &Scratch, arguments: &[&str]) -> Self {
        Self::quickstart_within(scratch, &[], arguments)
    }

    /// The same, with more in the program's environment.
    pub fn quickstart_within(scratch: &Scratch, environment: &[(&str, PathBuf)], arguments: &[&str]) -> Self {
        let mut command = program();
        command.args(QUICKSTART).args(arguments).envs(environment.iter().cloned()).arg("--json");
        command.arg("--data").arg(scratch.path("data")).arg("--log-file").arg(scratch.path("log"));
        Self::spawn(scratch, &scratch.path("data"), command)
    }

    /// Runs the server with these arguments until its ready line.
    pub fn start(scratch: &Scratch, arguments: &[&str]) -> Self {
        Self::start_in(scratch, &scratch.path("data"), arguments)
    }

    /// The same with its data in another place.
    pub fn start_in(scratch: &Scratch, data: &Path, arguments: &[&str]) -> Self {
        let mut command = program();
        command.args(arguments).arg("--json").arg("--data").arg(data).arg("--log-file").arg(scratch.path("log"));
        Self::spawn(scratch, data, command)
    }

    /// As [`quickstart`](Self::quickstart), with the log on standard error.
    pub fn logging_to(scratch: &Scratch, stderr: Stdio) -> Self {
        let data = scratch.path("data");
        let mut command = program();
        command.args(["quickstart", "ann@example.test", "--listen", "0.0.0.0:0", "--json", "--data"]).arg(&data);
        command.stderr(stderr);
        Self::spawn(scratch, &data, command)
    }

    /// As [`quickstart`](Self::quickstart), after a shell has limited what the program may use.
    pub fn limited(scratch: &Scratch, limit: &str) -> Self {
        let data = scratch.path("data");
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{limit} && exec \"$0\" \"$@\"")).arg(program().get_program());
        command.args(["quickstart", "ann@example.test", "--listen", "0.0.0.0:0", "--json", "--data"]).arg(&data);
        command.arg("--set").arg("Pop.MaxConnectionFromSingleIP=1000");
        command.arg("--log-file").arg(scratch.path("log"));
        Self::spawn(scratch, &data, command)
    }

    fn spawn(scratch: &Scratch, data: &Path, mut command: Command) -> Self {
        let (data, log) = (data.to_owned(), scratch.path("log"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("no ready line; {:?}\n{}", child.wait(), fs::read_to_string(&log).unwrap_or_default())
        });
        Self { child, ready, data, log, identity: OnceLock::new() }
    }

    /// A port of the ready line; `None` while its service is stopped.
    pub fn port(&self, name: &str) -> Option<u16> {
        self.ready["ports"][name].as_u64().map(|port| port.try_into().unwrap())
    }

    /// The password that was made up for a mailbox.
    pub fn password(&self, address: &str) -> String {
        let users = self.ready["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["address"] == address).unwrap();
        user["password"].as_str().unwrap().to_owned()
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits for a line of the log that has all of these in it.
    pub fn logged(&self, parts: &[&str]) -> String {
        self.logged_after(0, parts)
    }

    /// The same among the lines behind so many octets of it.
    pub fn logged_after(&self, start: usize, parts: &[&str]) -> String {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if let Some(line) = log[start..].lines().find(|line| parts.iter().all(|part| line.contains(part))) {
                return line.to_owned();
            }
            assert!(std::time::Instant::now() < deadline, "{parts:?} was never logged:\n{}", &log[start..]);
            // Looks again, and leaves the processor to the server meanwhile.
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// The soft and the hard limit.
    pub fn open_files(&self) -> (String, String) {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.child.id())).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap())
    }

    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Connects in clear from an address of this machine.
    pub fn connect_from(&self, from: [u8; 4], port: &str) -> Client<TcpStream> {
        Client::new(tcp(from, self.port(port).unwrap()))
    }

    pub fn connect(&self, port: &str) -> Client<TcpStream> {
        self.connect_from([127, 0, 0, 1], port)
    }

    /// Connects with TLS from the first octet.
    pub fn connect_tls_from(&self, from: [u8; 4], port: &str) -> Client<TlsStream> {
        Client::new(self.tls(tcp(from, self.port(port).unwrap())))
    }

    pub fn connect_tls(&self, port: &str) -> Client<TlsStream> {
        self.connect_tls_from([127, 0, 0, 1], port)
    }

    /// Begins TLS as a client that trusts this server's authority and nobody else.
    pub fn tls(&self, socket: TcpStream) -> TlsStream {
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(self.trust(), name).unwrap(), socket)
    }

    /// Clients show this from now on.
    pub fn known_as(&self, identity: Identity) {
        assert!(self.identity.set(identity).is_ok(), "one is enough");
    }

    pub fn trust(&self) -> Arc<ClientConfig> {
        let authority = fs::read(self.ready["ca_file"].as_str().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        Arc::new(match self.identity.get() {
            None => config.with_no_client_auth(),
            Some(Identity { certificate, key, .. }) => {
                let certificate = CertificateDer::from_pem_file(certificate).unwrap();
                config.with_client_auth_cert(vec![certificate], PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
            }
        })
    }

    /// Carries out a management command, with `input` as its standard input.
    pub fn manage(&self, words: &[&str], input: &str) -> Output {
        let mut command = program();
        command.args(words).arg("--data").arg(&self.data);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Whether it reads its input at all is its own business.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The results of a management command that succeeds.
    pub fn results(&self, words: &[&str]) -> Value {
        let output = self.manage(&[words, &["-Format", "json"]].concat(), "");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success());
    }

    /// SIGTERM, and the exit status that follows.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// A socket bound to an address of this machine and connected to a port of 127.0.0.1.
pub fn tcp(from: [u8; 4], port: u16) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(IpAddr::from(from), 0).into()).unwrap();
    socket.connect_timeout(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port).into(), PATIENCE).unwrap();
    let socket = TcpStream::from(socket);
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Lines to and from a server.
pub struct Client<S: Read + Write> {
    stream: BufReader<S>,
}

impl<S: Read + Write> Client<S> {
    pub fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The next line without its end; empty once the server has closed.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        match self.stream.read_until(b'\n', &mut line) {
            Ok(_) => String::from_utf8(line).unwrap().trim_end_matches("\r\n").to_owned(),
            // A TLS stream that ends without its farewell.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => String::new(),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&line)),
        }
    }

    pub fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
        self.stream.get_mut().flush().unwrap();
    }

    /// Sends a line and answers the next one.
    pub fn ask(&mut self, text: &str) -> String {
        self.send(&format!("{text}\r\n"));
        self.line()
    }

    /// All octets until the server closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }

    pub fn into_inner(self) -> S {
        self.stream.into_inner()
    }
}
