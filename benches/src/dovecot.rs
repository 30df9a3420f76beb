//! A private Dovecot, as Debian installs it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub struct Dovecot {
    configuration: PathBuf,
    /// Whichever of its listeners has `PORT`.
    pub imap: SocketAddr,
}

impl Dovecot {
    /// `own`: what its configuration has beside what all have. `HOME` and `PORT` in it are replaced.
    pub fn start(home: &Path, own: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let imap = free()?;
        for folder in ["mail", "run", "state"] {
            std::fs::create_dir_all(home.join(folder))?;
        }
        for folder in home.ancestors() {
            // Its unprivileged processes must reach their folders.
            let mut permissions = std::fs::metadata(folder)?.permissions();
            permissions.set_mode(permissions.mode() | 0o111);
            std::fs::set_permissions(folder, permissions)?;
        }
        run(Command::new("chown").arg("mail:mail").arg(home.join("mail")))?;
        let configuration = home.join("dovecot.conf");
        let text = format!("{COMMON}{own}")
            .replace("HOME", &home.display().to_string())
            .replace("PORT", &imap.port().to_string());
        std::fs::write(&configuration, text)?;
        run(Command::new("dovecot").arg("-c").arg(&configuration))?;
        let dovecot = Self { configuration, imap };
        listens(imap, home)?;
        Ok(dovecot)
    }

    /// The end of its log: for whoever wonders why it does not answer.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.configuration.with_file_name("dovecot.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let _ = run(Command::new("doveadm").arg("-c").arg(&self.configuration).arg("stop"));
    }
}

/// An address where nobody listens.
pub fn free() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Returns once somebody listens.
pub fn listens(address: SocketAddr, home: &Path) -> Result<(), String> {
    let connected = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        TcpStream::connect(address).is_ok()
    });
    if connected { Ok(()) } else { Err(format!("nothing listens on {address}; see {}", home.display())) }
}

/// The daemons that these start keep what they are given open: no pipes, or their end would be waited for.
pub fn run(command: &mut Command) -> Result<(), Box<dyn std::error::Error>> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}

const COMMON: &str = r"
base_dir = HOME/run
state_dir = HOME/state
log_path = HOME/dovecot.log
instance_name = gatepost-benches
listen = 127.0.0.1
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
mail_max_userip_connections = 100000
userdb {
  driver = static
  args = uid=mail gid=mail home=HOME/mail/%u
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = 0
  }
  process_min_avail = 2
  service_count = 0
}
service imap {
  process_limit = 2000
}
service anvil {
  client_limit = 5000
}
service auth {
  client_limit = 5000
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
";
