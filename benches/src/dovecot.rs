//! A private Postfix that delivers by LMTP to a private Dovecot (mdbox), as Debian installs them: both sync what
//! they acknowledge.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::users::PASSWORD;

pub struct PostfixDovecot {
    home: PathBuf,
    pub smtp: SocketAddr,
    pub imap: SocketAddr,
}

impl PostfixDovecot {
    pub fn start(home: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let peer = Self { home: home.to_owned(), smtp: free()?, imap: free()? };
        for folder in ["etc", "queue", "data", "mail", "run", "state"] {
            std::fs::create_dir_all(home.join(folder))?;
        }
        for folder in home.ancestors() {
            // Its unprivileged processes must reach their folders.
            let mut permissions = std::fs::metadata(folder)?.permissions();
            permissions.set_mode(permissions.mode() | 0o111);
            std::fs::set_permissions(folder, permissions)?;
        }
        std::fs::write(home.join("dovecot.conf"), peer.dovecot_conf())?;
        std::fs::write(home.join("etc/main.cf"), peer.main_cf())?;
        std::fs::write(home.join("etc/master.cf"), MASTER_CF.replace("SMTP", &peer.smtp.to_string()))?;
        run(Command::new("chown").arg("mail:mail").arg(home.join("mail")))?;
        run(Command::new("chown").arg("postfix").arg(home.join("data")))?;
        run(Command::new("dovecot").arg("-c").arg(home.join("dovecot.conf")))?;
        run(Command::new("postfix").arg("-c").arg(home.join("etc")).arg("start"))?;
        peer.wait()?;
        Ok(peer)
    }

    fn wait(&self) -> Result<(), Box<dyn std::error::Error>> {
        for address in [self.smtp, self.imap] {
            let connected = (0..200).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(25));
                std::net::TcpStream::connect(address).is_ok()
            });
            if !connected {
                return Err(format!("nothing listens on {address}; see {}", self.home.display()).into());
            }
        }
        Ok(())
    }

    fn dovecot_conf(&self) -> String {
        DOVECOT_CONF
            .replace("HOME", &self.home.display().to_string())
            .replace("PORT", &self.imap.port().to_string())
            .replace("PASSWORD", PASSWORD)
    }

    fn main_cf(&self) -> String {
        MAIN_CF.replace("HOME", &self.home.display().to_string())
    }
}

impl Drop for PostfixDovecot {
    fn drop(&mut self) {
        let _ = run(Command::new("postfix").arg("-c").arg(self.home.join("etc")).arg("stop"));
        let _ = run(Command::new("doveadm").arg("-c").arg(self.home.join("dovecot.conf")).arg("stop"));
    }
}

/// The daemons that these start keep what they are given open: no pipes, or their end would be waited for.
fn run(command: &mut Command) -> Result<(), Box<dyn std::error::Error>> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}

const DOVECOT_CONF: &str = r"
base_dir = HOME/run
state_dir = HOME/state
log_path = HOME/dovecot.log
instance_name = gatepost-benches
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = mdbox:HOME/mail/%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
mail_max_userip_connections = 100000
passdb {
  driver = static
  args = password=PASSWORD
}
userdb {
  driver = static
  args = uid=mail gid=mail home=HOME/mail/%u
}
service imap-login {
  inet_listener imap {
    port = PORT
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
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  process_limit = 60
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
";

const MAIN_CF: &str = "
compatibility_level = 3.6
queue_directory = HOME/queue
data_directory = HOME/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:all
virtual_transport = lmtp:unix:HOME/run/lmtp
alias_maps =
alias_database =
local_recipient_maps =
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
maillog_file = HOME/postfix.log
maillog_file_prefixes = /
lmtp_destination_concurrency_limit = 50
default_process_limit = 100
smtpd_recipient_restrictions = permit_mynetworks, reject
";

const MASTER_CF: &str = "
SMTP inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
";
