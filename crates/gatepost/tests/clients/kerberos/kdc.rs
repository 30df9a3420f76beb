//! MIT's KDC for two realms, on a port that the kernel gives.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client;
use crate::harness::{PATIENCE, Scratch};

/// The server's keys, and those that stay where tickets are made.
const SERVICES: [&str; 3] = ["imap/localhost", "pop/localhost", "smtp/localhost"];

/// Debian's, whether or not it is among what a user runs.
const KDC: &str = "/usr/sbin/krb5kdc";
const DATABASE: &str = "/usr/sbin/kdb5_util";
const ADMINISTRATION: &str = "/usr/sbin/kadmin.local";

/// What a program has in its environment to live at another time.
pub type Time = &'static [(&'static str, &'static str)];

/// Longer ago than a ticket lasts.
pub const EARLIER: Time = &[("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1"), ("FAKETIME", "-2d")];

/// A KDC that runs, with users of its realms; ended when dropped.
pub struct Kdc {
    child: Child,
    scratch: Scratch,
}

impl Kdc {
    /// `None` where it is not installed.
    pub fn start() -> Option<Self> {
        Self::living_at(&[])
    }

    /// The same, living at a time of its own.
    pub fn living_at(time: Time) -> Option<Self> {
        for program in [KDC, DATABASE, ADMINISTRATION, "kinit"] {
            client(program)?;
        }
        let scratch = Scratch::new();
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let folder = scratch.path("").display().to_string();
            let text = include_str!("krb5.conf").replace("FOLDER/", &folder).replace("PORT", &port.to_string());
            scratch.file("krb5.conf", &text);
            if !scratch.path("EXAMPLE.TEST.db").exists() {
                fill(&scratch);
            }
            // What an attempt before this one said is not what this one says.
            let log = scratch.file("kdc.log", "");
            let mut command = with(&scratch, time, KDC);
            command.args(["-n", "-r", "EXAMPLE.TEST", "-r", "OTHER.TEST"]).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let deadline = Instant::now() + PATIENCE;
            loop {
                let said = std::fs::read_to_string(&log).unwrap();
                if said.contains("commencing operation") {
                    return Some(Self { child, scratch });
                }
                // Somebody else was given the port meanwhile.
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                assert!(Instant::now() < deadline, "the KDC does not begin: {said}");
                std::thread::park_timeout(Duration::from_millis(5));
            }
        }
        panic!("the KDC never began: {}", std::fs::read_to_string(scratch.path("kdc.log")).unwrap());
    }

    /// What a program of this realm has in its environment.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![("KRB5_CONFIG", self.scratch.path("krb5.conf")), ("KRB5RCACHEDIR", self.scratch.path(""))]
    }

    /// The server's keys.
    pub fn keytab(&self) -> String {
        self.scratch.path("server.keytab").display().to_string()
    }

    /// New keys for the services, which the server's keytab does not have.
    pub fn change_keys(&self) {
        let commands = SERVICES.map(|service| format!("cpw -randkey {service}\n")).concat();
        administer(&self.scratch, "EXAMPLE.TEST", &commands);
    }

    /// New keys again, which it has.
    pub fn renew_keytab(&self) {
        let commands = SERVICES.map(|service| format!("ktadd -k {} {service}\n", self.keytab())).concat();
        administer(&self.scratch, "EXAMPLE.TEST", &commands);
    }

    /// One key for all services, which the keytab has by the name of one, as for the accounts of Active Directory.
    pub fn share_key(&self) {
        let share = |service| format!("cpw -e aes256-cts:onlyrealm -pw shared {service}\n");
        let keytab = format!("ktadd -norandkey -k {} {}\n", self.keytab(), SERVICES[0]);
        std::fs::remove_file(self.keytab()).unwrap();
        administer(&self.scratch, "EXAMPLE.TEST", &(SERVICES.map(share).concat() + &keytab));
    }

    /// A client that has a ticket of this user, such as `ann@EXAMPLE.TEST`.
    pub fn client_of(&self, user: &str, time: Time, program: &str) -> Option<Command> {
        let tickets = self.scratch.path(&format!("tickets of {}", user.replace('/', " ")));
        let mut kinit = with(&self.scratch, time, "kinit");
        kinit.arg("-k").arg("-t").arg(self.scratch.path("users.keytab")).arg("-c").arg(&tickets).arg(user);
        succeed(&mut kinit);
        let mut command = client(program)?;
        command.envs(time.iter().copied()).envs(self.environment()).env("KRB5CCNAME", tickets);
        Some(command)
    }
}

impl Drop for Kdc {
    fn drop(&mut self) {
        // Told to end: what is killed leaves what it shares behind.
        if Command::new("kill").arg(self.child.id().to_string()).status().is_ok_and(|status| status.success()) {
            let _ = self.child.wait();
        }
    }
}

/// Makes both databases, users, services and the trust between the realms.
fn fill(scratch: &Scratch) {
    for realm in ["EXAMPLE.TEST", "OTHER.TEST"] {
        succeed(with(scratch, &[], DATABASE).args(["-r", realm, "-P", "master password", "create", "-s"]));
        // EXAMPLE.TEST takes tickets that OTHER.TEST gives its users for it.
        let trust = "addprinc -pw trust krbtgt/EXAMPLE.TEST@OTHER.TEST\n";
        let users = ["ann", "bob", "carl", "ann/admin"];
        let add = |name: &str| format!("addprinc -randkey {name}@{realm}\n");
        let keys = |name: &str| format!("ktadd -k {} {name}@{realm}\n", scratch.path("users.keytab").display());
        let users: String = users.iter().flat_map(|user| [add(user), keys(user)]).collect();
        administer(scratch, realm, &format!("{trust}{users}"));
    }
    let keytab = scratch.path("server.keytab");
    let add = |service| format!("addprinc -randkey {service}\nktadd -k {} {service}\n", keytab.display());
    administer(scratch, "EXAMPLE.TEST", &SERVICES.map(add).concat());
}

fn administer(scratch: &Scratch, realm: &str, commands: &str) {
    let mut command = with(scratch, &[], ADMINISTRATION);
    command.args(["-r", realm]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains(" while "), "{said}");
}

fn with(scratch: &Scratch, time: Time, program: &str) -> Command {
    let mut command = Command::new(program);
    command.envs(time.iter().copied()).stdin(Stdio::null());
    let configuration = scratch.path("krb5.conf");
    command.env("KRB5_CONFIG", &configuration).env("KRB5_KDC_PROFILE", configuration);
    command.env("KRB5RCACHEDIR", scratch.path(""));
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
