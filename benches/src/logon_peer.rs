//! A private Dovecot with IMAP over TLS, the same certificate, and accounts with the same hashes and costs.

use std::num::NonZeroU32;
use std::path::Path;

use argon2::password_hash::CustomizedPasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::pbkdf2;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::sasl::scram::{Hash, Verifier};

use crate::dovecot::Dovecot;
use crate::provider::Provider;
use crate::users::PASSWORD;

/// Of Gatepost's SCRAM verifiers and Argon2id hashes, unless set otherwise.
pub const ITERATIONS: u32 = 60_000;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// The accounts: an account of Dovecot has one scheme.
pub const ARGON2ID_USER: &str = "hashed@example.test";
pub const SCRAM_USER: &str = "scram@example.test";

/// `tls`: the folder that holds the certificate and its key.
pub fn start(
    home: &Path,
    tls: &Path,
    provider: &Provider,
    cached: bool,
) -> Result<Dovecot, Box<dyn std::error::Error>> {
    // Where it looks for the key of a token: the party that it was issued to, the algorithm, the key's name.
    let keys = home.join("keys/default/ES256");
    std::fs::create_dir_all(&keys)?;
    std::fs::write(keys.join("default"), provider.pem()?)?;
    std::fs::write(home.join("users"), users()?)?;
    std::fs::write(home.join("oauth2"), OAUTH2.replace("HOME", &home.display().to_string()))?;
    let own = CONF.replace("FOLDER", &tls.display().to_string()).replace("CACHE", if cached { "10M" } else { "0" });
    Dovecot::start(home, &own)
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
protocols = imap
ssl = required
ssl_min_protocol = TLSv1.3
ssl_cert = <FOLDER/server.pem
ssl_key = <FOLDER/server-key.pem
auth_mechanisms = plain login scram-sha-256 oauthbearer
auth_cache_size = CACHE
auth_cache_ttl = 1 hour
mail_location = maildir:HOME/mail/%u
passdb {
  driver = passwd-file
  mechanisms = plain login scram-sha-256
  args = HOME/users
}
passdb {
  driver = oauth2
  mechanisms = oauthbearer
  args = HOME/oauth2
}
service imap-login {
  inet_listener imaps {
    port = PORT
    ssl = yes
  }
}
";

const OAUTH2: &str = r"
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=HOME/keys/
username_attribute = email
";
