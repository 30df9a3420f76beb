//! What a password leaves behind: enough to check a proof, not enough to make one.

use std::borrow::Cow;
use std::fmt;

use hmac::digest::{FixedOutput, KeyInit};
use hmac::{Hmac, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// RFC 5802 §2.2, §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    Sha1,
    Sha256,
}

/// `H(ClientKey)`.
#[derive(Clone)]
pub struct StoredKey(pub(super) Zeroizing<Vec<u8>>);

/// RFC 5802 §3. Whoever has it can pose as the server, and guess at the password as fast as PBKDF2 lets them.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    hash: Hash,
    salt: Vec<u8>,
    iterations: u32,
    stored_key: StoredKey,
    server_key: StoredKey,
}

impl Hash {
    pub const ALL: [Self; 2] = [Self::Sha1, Self::Sha256];

    /// Octets.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    pub(super) fn digest(self, octets: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Sha1 => Sha1::digest(octets).to_vec(),
            Self::Sha256 => Sha256::digest(octets).to_vec(),
        })
    }

    pub(super) fn hmac(self, key: &[u8], octets: &[u8]) -> Zeroizing<Vec<u8>> {
        fn compute<M: Mac + KeyInit + FixedOutput>(key: &[u8], octets: &[u8]) -> Vec<u8> {
            // HMAC takes keys of every length (RFC 2104 §2).
            <M as KeyInit>::new_from_slice(key)
                .map(|mac| mac.chain_update(octets).finalize().into_bytes().to_vec())
                .unwrap_or_default()
        }
        Zeroizing::new(match self {
            Self::Sha1 => compute::<Hmac<Sha1>>(key, octets),
            Self::Sha256 => compute::<Hmac<Sha256>>(key, octets),
        })
    }
}

impl Verifier {
    /// RFC 7677 §4.
    pub const LEAST_ITERATIONS: u32 = 4096;

    /// Of the salted password: PBKDF2 with HMAC by this hash over [`prepared`], salt and iterations.
    pub fn of_salted(hash: Hash, salt: &[u8], iterations: u32, salted: &[u8]) -> Self {
        // RFC 5802 §3.
        let client_key = hash.hmac(salted, b"Client Key");
        Self {
            hash,
            salt: salt.to_vec(),
            iterations,
            stored_key: StoredKey(hash.digest(&client_key)),
            server_key: StoredKey(hash.hmac(salted, b"Server Key")),
        }
    }

    /// From what was kept; `None` where the keys are not of the hash's length, or there is no salt.
    pub fn from_parts(
        hash: Hash,
        salt: Vec<u8>,
        iterations: u32,
        stored_key: Vec<u8>,
        server_key: Vec<u8>,
    ) -> Option<Self> {
        let fits = [&stored_key, &server_key].iter().all(|key| key.len() == hash.length())
            && !salt.is_empty()
            && iterations > 0;
        let key = |octets| StoredKey(Zeroizing::new(octets));
        fits.then(|| Self { hash, salt, iterations, stored_key: key(stored_key), server_key: key(server_key) })
    }

    pub fn hash(&self) -> Hash {
        self.hash
    }

    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    pub fn stored_key(&self) -> &StoredKey {
        &self.stored_key
    }

    pub fn server_key(&self) -> &StoredKey {
        &self.server_key
    }

    /// RFC 5802 §3: whether the proof over `auth_message` was made by somebody who knows the password.
    pub(super) fn proves(&self, auth_message: &[u8], proof: &[u8]) -> bool {
        if proof.len() != self.hash.length() {
            return false;
        }
        let signature = self.hash.hmac(self.stored_key.expose(), auth_message);
        let key: Zeroizing<Vec<u8>> = Zeroizing::new(signature.iter().zip(proof).map(|(a, b)| a ^ b).collect());
        self.hash.digest(&key).ct_eq(self.stored_key.expose()).into()
    }

    /// RFC 5802 §3: what the client knows the server by.
    pub(super) fn server_signature(&self, auth_message: &[u8]) -> Zeroizing<Vec<u8>> {
        self.hash.hmac(self.server_key.expose(), auth_message)
    }
}

/// RFC 5802 §2.2: SASLprep. A password that it does not take is taken as it is, as by clients that do not know it.
pub fn prepared(password: &str) -> Zeroizing<String> {
    Zeroizing::new(stringprep::saslprep(password).unwrap_or(Cow::Borrowed(password)).into_owned())
}

impl StoredKey {
    /// The octets, for whoever keeps them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// In constant time.
impl PartialEq for StoredKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for StoredKey {}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredKey(..)")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("hash", &self.hash).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::scram::known::verifier;

    #[test]
    fn passwords_are_prepared_as_rfc_4013_says() {
        let key = |password: &str| verifier(Hash::Sha256, password, b"salt", 1).stored_key;
        // RFC 4013 §3: a soft hyphen is nothing, the Roman numeral is its letters.
        assert_eq!(key("I\u{AD}X"), key("IX"));
        assert_eq!(key("\u{2168}"), key("IX"));
        assert_ne!(key("ix"), key("IX"));
        // What it forbids is taken as it is.
        assert_ne!(key("a\u{7}b"), key("ab"));
    }

    #[test]
    fn a_verifier_is_made_again_from_its_parts_and_from_no_others() {
        let made = verifier(Hash::Sha1, "pencil", b"salt", 2);
        let (stored, server) = (made.stored_key.expose().to_vec(), made.server_key.expose().to_vec());
        let parts = |salt: &[u8], iterations, stored: &[u8]| {
            Verifier::from_parts(Hash::Sha1, salt.to_vec(), iterations, stored.to_vec(), server.clone())
        };
        assert_eq!(parts(b"salt", 2, &stored), Some(made.clone()));
        for missing in [parts(b"", 2, &stored), parts(b"salt", 0, &stored), parts(b"salt", 2, &stored[1..])] {
            assert_eq!(missing, None);
        }
        assert!(!format!("{made:?}").contains(&format!("{stored:?}")));
    }
}
