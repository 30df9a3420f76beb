//! What is kept of passwords.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Protocols, Timestamp};

/// A password as a PHC string (Argon2id); does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What is kept to check proofs that show no password, enciphered with a key that is not in the store: for this crate
/// octets without a meaning. Does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedVerifiers(pub Box<[u8]>);

impl fmt::Debug for SealedVerifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedVerifiers(..)")
    }
}

/// All that is kept of a password; it is set and replaced as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    pub hash: PasswordHash,
    pub verifiers: Option<SealedVerifiers>,
    /// When its owner, or an administrator, set it.
    pub set: Timestamp,
}

impl Password {
    /// Of a hash alone: good for those who show the password, as over TLS most do.
    pub fn hashed(phc: impl Into<String>) -> Self {
        Self { hash: PasswordHash(phc.into()), verifiers: None, set: 0 }
    }
}

/// A password that was made for one device or program: random, so that its plain hash tells nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPassword {
    /// By which its owner knows it: one of each name in an account, without regard to case.
    pub name: String,
    pub digest: AppPasswordDigest,
    /// Those that it is good for.
    pub protocols: Protocols,
    pub created: Timestamp,
    /// It is good before this; `None` is without end.
    pub expires: Option<Timestamp>,
    /// About when it was last good for a log-on.
    pub last_used: Option<Timestamp>,
}

/// The SHA-256 of an app password; does not print.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPasswordDigest(pub [u8; 32]);

impl fmt::Debug for AppPasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppPasswordDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_hash_does_not_print() {
        assert_eq!(format!("{:?}", PasswordHash("$argon2id$secret".into())), "PasswordHash(..)");
    }
}
