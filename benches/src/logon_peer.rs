//! A private Dovecot with IMAP over TLS, the same certificate, and accounts with the same hashes and costs.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use argon2::password_hash::CustomizedPasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::pbkdf2;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::sasl::scram::{Hash, Verifier};

use crate::users::PASSWORD;

/// Of Gatepost's SCRAM verifiers and Argon2id hashes, unless set otherwise.
pub const ITERATIONS: u32 = 60_000;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// The accounts: an account of Dovecot has one scheme.
pub const ARGON2ID_USER: &str = "hashed@example.test";
pub const SCRAM_USER: &str = "scram@example.test";

pub struct Dovecot {
    configuration: PathBuf,
    pub imaps: SocketAddr,
}

impl Dovecot {
    /// `tls`: the folder that holds the certificate and its key.
    pub fn start(home: &Path, tls: &Path, cached: bool) -> Result<Self, Box<dyn std::error::Error>> {
        for folder in ["run", "state"] {
            std::fs::create_dir_all(home.join(folder))?;
        }
        let imaps = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        std::fs::write(home.join("users"), users()?)?;
        let configuration = home.join("dovecot.conf");
        let text = CONF
            .replace("HOME", &home.display().to_string())
            .replace("FOLDER", &tls.display().to_string())
            .replace("PORT", &imaps.port().to_string())
            .replace("CACHE", if cached { "10M" } else { "0" });
        std::fs::write(&configuration, text)?;
        let status = Command::new("dovecot").arg("-c").arg(&configuration).stdin(Stdio::null()).status()?;
        if !status.success() {
            return Err(format!("dovecot ended with {status}").into());
        }
        let peer = Self { configuration, imaps };
        let listens = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(25));
            TcpStream::connect(imaps).is_ok()
        });
        if listens { Ok(peer) } else { Err(format!("nothing listens on {imaps}; see {}", home.display()).into()) }
    }
}

impl Dovecot {
    /// The end of its log: for whoever wonders why it does not answer.
    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.configuration.with_file_name("dovecot.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let _ = Command::new("doveadm").arg("-c").arg(&self.configuration).arg("stop").status();
    }
}

/// A passwd-file.
fn users() -> Result<String, Box<dyn std::error::Error>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let hasher: &dyn CustomizedPasswordHasher<argon2::password_hash::phc::PasswordHash, Params = Params> = &argon2;
    let hash = hasher.hash_password_customized(PASSWORD.as_bytes(), b"salt of the bench", None, None, params)?;
    let salt = b"salt of the bench";
    let verifier = Verifier::of_salted(Hash::Sha256, salt, ITERATIONS, &salted(salt, ITERATIONS));
    let [salt, stored, server] =
        [verifier.salt(), verifier.stored_key().expose(), verifier.server_key().expose()].map(|o| STANDARD.encode(o));
    Ok(format!(
        "{ARGON2ID_USER}:{{ARGON2ID}}{hash}\n{SCRAM_USER}:{{SCRAM-SHA-256}}{ITERATIONS},{salt},{stored},{server}\n"
    ))
}

/// What PBKDF2 makes of the password.
pub fn salted(salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut salted = [0; 32];
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, PASSWORD.as_bytes(), &mut salted);
    salted
}

const CONF: &str = r"
base_dir = HOME/run
state_dir = HOME/state
log_path = HOME/dovecot.log
instance_name = gatepost-logon
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_min_protocol = TLSv1.3
ssl_cert = <FOLDER/server.pem
ssl_key = <FOLDER/server-key.pem
auth_mechanisms = plain scram-sha-256
auth_cache_size = CACHE
auth_cache_ttl = 1 hour
mail_location = maildir:HOME/mail/%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
mail_max_userip_connections = 100000
passdb {
  driver = passwd-file
  args = HOME/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=HOME/mail/%u
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = PORT
    ssl = yes
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
