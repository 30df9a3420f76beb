//! OpenLDAP's server with entries of the tests' own, at an address of this process's own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

use crate::harness::{PATIENCE, Scratch};
use crate::run_with_input;

/// It is beside what administrators run.
const SLAPD: &str = "/usr/sbin/slapd";

/// A directory that runs; ended when dropped.
pub struct Slapd {
    folder: PathBuf,
    host: String,
    ports: [u16; 2],
    running: Option<Child>,
    _scratch: Scratch,
}

impl Slapd {
    /// `None` where it is not installed.
    pub fn start() -> Option<Self> {
        if !Path::new(SLAPD).is_file() {
            assert!(std::env::var_os("CI").is_none(), "slapd is missing; cargo xtask tools installs it");
            eprintln!("left out: slapd is not installed; cargo xtask tools installs it");
            return None;
        }
        let scratch = Scratch::new();
        let folder = scratch.path("slapd");
        fs::create_dir_all(folder.join("entries")).unwrap();
        // No two processes share it, and so nobody takes the ports while the directory is away.
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let host = format!("127.{}.{middle}.{}", 64 | high & 63, low.max(2));
        certify(&folder, &host);
        let configuration = include_str!("slapd.conf").replace("FOLDER", folder.to_str().unwrap());
        fs::write(folder.join("slapd.conf"), configuration).unwrap();
        let mut add = Command::new(SLAPD);
        add.args(["-T", "add", "-f"]).arg(folder.join("slapd.conf"));
        run_with_input(&mut add, include_str!("entries.ldif"));
        let ports = free_ports(&host);
        let mut slapd = Self { folder, host, ports, running: None, _scratch: scratch };
        slapd.go_on();
        Some(slapd)
    }

    /// Where it answers, with TLS from the first octet and by StartTLS.
    pub fn urls(&self) -> [String; 2] {
        let [clear, tls] = self.ports;
        [format!("ldaps://{}:{tls}", self.host), format!("ldap://{}:{clear}", self.host)]
    }

    /// The certificate of the authority that its own is of.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// Ends it at once, as if the machine were off.
    pub fn fail(&mut self) {
        let mut slapd = self.running.take().unwrap();
        slapd.kill().unwrap();
        slapd.wait().unwrap();
    }

    /// Starts it again, with the entries that it had.
    pub fn go_on(&mut self) {
        let urls = self.urls().join(" ");
        let log = fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut slapd = Command::new(SLAPD);
        slapd.args(["-d", "0", "-h", &urls, "-f"]).arg(self.folder.join("slapd.conf"));
        let mut slapd = slapd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let deadline = std::time::Instant::now() + PATIENCE;
        while TcpStream::connect((self.host.as_str(), self.ports[0])).is_err() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(matches!(slapd.try_wait(), Ok(None)), "slapd ended: {}", log());
            assert!(std::time::Instant::now() < deadline, "slapd does not answer: {}", log());
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        self.running = Some(slapd);
    }

    /// Changes entries (RFC 2849).
    pub fn modify(&self, changes: &str) {
        let mut modify = Command::new("ldapmodify");
        modify.args(["-x", "-D", "cn=admin,dc=example,dc=test", "-w", "secret", "-H", &self.urls()[1]]);
        run_with_input(&mut modify, changes);
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.fail();
        }
    }
}

fn free_ports(host: &str) -> [u16; 2] {
    let held = [(); 2].map(|()| TcpListener::bind((host, 0)).unwrap());
    held.map(|held| held.local_addr().unwrap().port())
}

fn certify(folder: &Path, host: &str) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![SanType::IpAddress(host.parse().unwrap())];
    let certificate = params.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    fs::write(folder.join("authority.pem"), authority_pem).unwrap();
    fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}
