//! The key that verifiers are enciphered with, and what else is made of it.
//!
//! A verifier is weaker than the Argon2id hash beside it: it has to be quick for clients. So it is kept under a key
//! that is in a file of its own, outside the store. Without the file passwords still work where they are shown (as
//! over TLS most clients do), and verifiers come back one by one as they are.

use std::fs;
use std::io;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use proto::ntlm::NtHash;
use proto::sasl::scram;
use serde::{Deserialize, Serialize};
use store::SealedVerifiers;
use zeroize::Zeroizing;

use crate::tls::{TlsError, write_private};

/// Enciphers and deciphers verifiers.
pub struct Vault {
    sealing: RandomizedNonceKey,
    /// Makes what stands in for the verifiers of those who have none.
    standing_in: hmac::Key,
}

/// What is kept to check proofs that show no password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verifiers {
    pub scram: Vec<scram::Verifier>,
    /// Of an account that may log on by NTLM.
    pub nt: Option<NtHash>,
}

/// As enciphered.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    scram: Vec<KeptScram<'a>>,
    nt: Option<[u8; 16]>,
}

#[derive(Serialize, Deserialize)]
struct KeptScram<'a> {
    /// RFC 5802 §4, as it names the hash.
    hash: &'a str,
    salt: &'a [u8],
    iterations: u32,
    stored_key: &'a [u8],
    server_key: &'a [u8],
}

/// Why there is no vault.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("{path}: {error}")]
    File { path: String, error: io::Error },
    #[error(
        "{path} does not hold {KEY_OCTETS} octets; put it back from a backup, or remove it: a new one is made, and clients that log on without showing the password can do so once it was set again"
    )]
    Damaged { path: String },
    #[error(transparent)]
    Write(#[from] TlsError),
    #[error("the system gives no random numbers")]
    NoRandomness,
    #[error("what is to be kept of a password has no room")]
    TooMuch,
}

const KEY_OCTETS: usize = 32;
/// In front of what is enciphered.
const VERSION: u8 = 1;

impl Vault {
    /// In the data directory.
    const FILE: &str = "verifiers.key";

    /// Reads the key, or makes it where there is none.
    pub fn open(data: &Path) -> Result<Self, VaultError> {
        let path = data.join(Self::FILE);
        let key = match fs::read(&path).map(Zeroizing::new) {
            Ok(key) => key,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Zeroizing::new(random::<KEY_OCTETS>().map_err(|Unspecified| VaultError::NoRandomness)?);
                write_private(&path, key.as_slice())?;
                tracing::info!(file = %path.display(), "made the key for what is kept of passwords");
                Zeroizing::new(key.to_vec())
            }
            Err(error) => return Err(VaultError::File { path: path.display().to_string(), error }),
        };
        Self::of_key(&key).ok_or_else(|| VaultError::Damaged { path: path.display().to_string() })
    }

    /// One that nothing outlives: for tests.
    pub fn fleeting() -> Result<Self, VaultError> {
        random::<KEY_OCTETS>().ok().and_then(|key| Self::of_key(&key)).ok_or(VaultError::NoRandomness)
    }

    /// Copies the key where there is one, for the own user alone.
    pub fn copy(from: &Path, to: &Path) -> Result<(), VaultError> {
        let path = from.join(Self::FILE);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(key) => Ok(write_private(&to.join(Self::FILE), key)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(VaultError::File { path: path.display().to_string(), error }),
        }
    }

    fn of_key(key: &[u8]) -> Option<Self> {
        if key.len() != KEY_OCTETS {
            return None;
        }
        // Keys for different uses are made of the one, so that none of them says anything of another.
        let derive = |purpose: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), purpose);
        Some(Self {
            sealing: RandomizedNonceKey::new(&AES_256_GCM, derive(b"sealing").as_ref()).ok()?,
            standing_in: hmac::Key::new(hmac::HMAC_SHA256, derive(b"standing in").as_ref()),
        })
    }

    pub fn seal(&self, verifiers: &Verifiers) -> Result<SealedVerifiers, VaultError> {
        let scram = verifiers.scram.iter().map(|verifier| KeptScram {
            hash: hash_name(verifier.hash()),
            salt: verifier.salt(),
            iterations: verifier.iterations(),
            stored_key: verifier.stored_key().expose(),
            server_key: verifier.server_key().expose(),
        });
        let kept = Kept { scram: scram.collect(), nt: verifiers.nt.as_ref().map(|hash| *hash.expose()) };
        // In place, so that growing leaves no copies behind.
        let mut room = Zeroizing::new([0; 1024]);
        let plain = postcard::to_slice(&kept, room.as_mut_slice()).map_err(|_| VaultError::TooMuch)?;
        let mut text = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        text.extend_from_slice(plain);
        let nonce = self.sealing.seal_in_place_append_tag(Aad::from([VERSION]), &mut text);
        let nonce = nonce.map_err(|Unspecified| VaultError::NoRandomness)?;
        Ok(SealedVerifiers([&[VERSION], nonce.as_ref().as_slice(), &text].concat().into()))
    }

    /// `None` where they were enciphered with another key, or are damaged.
    pub fn open_sealed(&self, sealed: &SealedVerifiers) -> Option<Verifiers> {
        let (&version, rest) = sealed.0.split_first()?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).filter(|_| version == VERSION)?;
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.sealing.open_in_place(nonce, Aad::from([VERSION]), &mut text).ok()?;
        let kept: Kept<'_> = postcard::from_bytes(plain).ok()?;
        let scram = kept.scram.into_iter().map(|kept| {
            let hash = scram::Hash::ALL.into_iter().find(|hash| hash_name(*hash) == kept.hash)?;
            let (salt, iterations) = (kept.salt.to_vec(), kept.iterations);
            scram::Verifier::from_parts(hash, salt, iterations, kept.stored_key.to_vec(), kept.server_key.to_vec())
        });
        Some(Verifiers { scram: scram.collect::<Option<_>>()?, nt: kept.nt.map(NtHash::from_octets) })
    }

    /// What a user is shown who has no verifier: the same each time, as with one, and no password fits.
    pub fn stand_in(&self, hash: scram::Hash, user: &str, iterations: u32) -> Option<scram::Verifier> {
        let part = |part: &str| {
            let text = [part, hash_name(hash), user].join("\0");
            hmac::sign(&self.standing_in, text.as_bytes()).as_ref().to_vec()
        };
        let cut = |mut octets: Vec<u8>, length| {
            octets.truncate(length);
            octets
        };
        let (salt, length) = (cut(part("salt"), SALT_OCTETS), hash.length());
        scram::Verifier::from_parts(hash, salt, iterations, cut(part("stored"), length), cut(part("server"), length))
    }
}

/// Of a SCRAM verifier.
pub const SALT_OCTETS: usize = 16;

fn hash_name(hash: scram::Hash) -> &'static str {
    match hash {
        scram::Hash::Sha1 => "SHA-1",
        scram::Hash::Sha256 => "SHA-256",
    }
}

pub fn random<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut octets = [0; N];
    rand::fill(&mut octets).map(|()| octets)
}

/// For one exchange: 144 bits, printable and without a comma (RFC 5802 §5.1).
pub fn scram_nonce() -> Result<String, Unspecified> {
    Ok(STANDARD_NO_PAD.encode(random::<18>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifiers() -> Verifiers {
        let one = |hash: scram::Hash| scram::Verifier::of_salted(hash, b"salt", 4096, &[7; 32]);
        Verifiers { scram: scram::Hash::ALL.map(one).into(), nt: Some(NtHash::of_password("Password")) }
    }

    #[test]
    fn what_is_sealed_comes_back_and_looks_different_each_time() {
        let vault = Vault::fleeting().unwrap();
        let (one, two) = (vault.seal(&verifiers()).unwrap(), vault.seal(&verifiers()).unwrap());
        assert_ne!(one, two);
        assert_eq!(vault.open_sealed(&one), Some(verifiers()));
        assert_eq!(vault.open_sealed(&two), Some(verifiers()));
        assert!(!one.0.windows(4).any(|window| window == b"salt"));
    }

    #[test]
    fn nothing_comes_back_with_another_key_or_with_damage() {
        let (vault, other) = (Vault::fleeting().unwrap(), Vault::fleeting().unwrap());
        let sealed = vault.seal(&verifiers()).unwrap();
        assert_eq!(other.open_sealed(&sealed), None);
        for at in 0..sealed.0.len() {
            let mut flipped = sealed.clone();
            flipped.0[at] ^= 1;
            assert_eq!(vault.open_sealed(&flipped), None, "{at}");
            assert_eq!(vault.open_sealed(&SealedVerifiers(sealed.0[..at].into())), None, "{at}");
        }
    }

    #[test]
    fn the_key_is_made_once_and_read_after() {
        let data = tempfile::tempdir().unwrap();
        let sealed = Vault::open(data.path()).unwrap().seal(&verifiers()).unwrap();
        assert_eq!(Vault::open(data.path()).unwrap().open_sealed(&sealed), Some(verifiers()));
        let backup = tempfile::tempdir().unwrap();
        Vault::copy(data.path(), backup.path()).unwrap();
        assert_eq!(Vault::open(backup.path()).unwrap().open_sealed(&sealed), Some(verifiers()));
        fs::write(data.path().join(Vault::FILE), b"short").unwrap();
        assert!(matches!(Vault::open(data.path()), Err(VaultError::Damaged { .. })));
    }

    #[test]
    fn who_has_no_verifier_is_shown_the_same_one_each_time() {
        let vault = Vault::fleeting().unwrap();
        for hash in scram::Hash::ALL {
            let shown = |user| vault.stand_in(hash, user, 4096).unwrap();
            assert_eq!(shown("nobody@example.test"), shown("nobody@example.test"));
            assert_ne!(shown("nobody@example.test").salt(), shown("noone@example.test").salt());
            assert_eq!(shown("nobody@example.test").salt().len(), SALT_OCTETS);
        }
    }
}
