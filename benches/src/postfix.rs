//! A private Postfix that delivers by LMTP to a private Dovecot (mdbox), as Debian installs them: both sync what
//! they acknowledge.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dovecot::{Dovecot, free, listens, run};
use crate::users::PASSWORD;

pub struct PostfixDovecot {
    home: PathBuf,
    pub smtp: SocketAddr,
    dovecot: Dovecot,
}

impl PostfixDovecot {
    pub fn start(home: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        for folder in ["etc", "queue", "data"] {
            std::fs::create_dir_all(home.join(folder))?;
        }
        let dovecot = Dovecot::start(home, &DOVECOT_CONF.replace("PASSWORD", PASSWORD))?;
        let peer = Self { home: home.to_owned(), smtp: free()?, dovecot };
        std::fs::write(home.join("etc/main.cf"), MAIN_CF.replace("HOME", &home.display().to_string()))?;
        std::fs::write(home.join("etc/master.cf"), MASTER_CF.replace("SMTP", &peer.smtp.to_string()))?;
        run(Command::new("chown").arg("postfix").arg(home.join("data")))?;
        run(Command::new("postfix").arg("-c").arg(home.join("etc")).arg("start"))?;
        listens(peer.smtp, home)?;
        Ok(peer)
    }

    pub fn imap(&self) -> SocketAddr {
        self.dovecot.imap
    }
}

impl Drop for PostfixDovecot {
    fn drop(&mut self) {
        let _ = run(Command::new("postfix").arg("-c").arg(self.home.join("etc")).arg("stop"));
    }
}

const DOVECOT_CONF: &str = r"
protocols = imap lmtp
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = mdbox:HOME/mail/%u
passdb {
  driver = static
  args = password=PASSWORD
}
service imap-login {
  inet_listener imap {
    port = PORT
  }
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  process_limit = 60
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
