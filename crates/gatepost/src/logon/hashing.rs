//! What is kept of a password, made and checked in a bounded pool: it takes much memory and time by design.

use std::num::NonZeroU32;
use std::sync::Arc;

use argon2::password_hash::phc::{Output, PasswordHash as Phc, Salt};
use argon2::password_hash::{CustomizedPasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::pbkdf2;
use proto::logon::Secret;
use proto::ntlm::NtHash;
use proto::sasl::scram;
use store::{Password, PasswordHash};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::turns::{Turns, Urgency};
use super::vault::{SALT_OCTETS, Vault, Verifiers, random};

/// OWASP's first choice: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// A stored hash that asks for more than this is not computed.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_PASSES: u32 = 16;

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(String);

/// Hashes and verifies, a few at a time; clones share their turns.
#[derive(Clone)]
pub struct Hashing {
    vault: Arc<Vault>,
    /// Of SCRAM's verifiers.
    iterations: NonZeroU32,
    turns: Turns,
    /// Verified in place of the hash that an unknown user does not have. No password has it: it is random.
    stand_in: String,
}

impl Hashing {
    /// `most_at_once`: hashes computed at the same time, and never more than there are processors. `iterations`: of
    /// SCRAM's verifiers, which are sealed in the vault.
    pub fn new(most_at_once: usize, vault: Vault, iterations: u32) -> Result<Self, HashError> {
        let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut random = [0; 48];
        aws_lc_rs::rand::fill(&mut random).map_err(failed)?;
        let (salt, output) = random.split_at(16);
        let stand_in = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: (&params().map_err(failed)?).try_into().map_err(failed)?,
            salt: Some(Salt::new(salt).map_err(failed)?),
            hash: Some(Output::new(output).map_err(failed)?),
        };
        let turns = Turns::new(cores.min(most_at_once));
        Ok(Self { vault: Arc::new(vault), iterations, turns, stand_in: stand_in.to_string() })
    }

    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Of SCRAM's verifiers that are made now.
    pub fn iterations(&self) -> u32 {
        self.iterations.get()
    }

    /// All that is to be kept of a password, with random salts. `ntlm`: whether it is to be good for NTLM.
    pub async fn hash(&self, password: Secret, ntlm: bool) -> Result<Password, HashError> {
        let turn = self.turns.wait(Urgency::KNOWN).await;
        let (vault, iterations) = (self.vault.clone(), self.iterations);
        let hashed = spawn_blocking(move || {
            let _turn = turn;
            let verifiers = Verifiers {
                scram: scram_verifiers(&password, iterations).map_err(failed)?,
                nt: ntlm.then(|| NtHash::of_password(password.expose())),
            };
            let verifiers = Some(vault.seal(&verifiers).map_err(failed)?);
            Ok(Password { hash: compute(&password)?, verifiers, set: crate::clock::now() })
        });
        hashed.await.map_err(failed)?
    }

    /// Of a password that is good only where it is shown.
    pub async fn hash_alone(&self, password: Secret) -> Result<PasswordHash, HashError> {
        let turn = self.turns.wait(Urgency::KNOWN).await;
        let hashed = spawn_blocking(move || {
            let _turn = turn;
            compute(&password)
        });
        hashed.await.map_err(failed)?
    }

    /// The same without what is good for NTLM.
    pub fn without_ntlm(&self, kept: &Password) -> Result<Password, HashError> {
        let opened = kept.verifiers.as_ref().and_then(|sealed| self.vault.open_sealed(sealed));
        // What cannot be opened is good for nothing.
        let verifiers = opened.map(|verifiers| self.vault.seal(&Verifiers { nt: None, ..verifiers })).transpose();
        Ok(Password { verifiers: verifiers.map_err(failed)?, ..kept.clone() })
    }

    /// What is to be kept in place of `kept`, which was found to be of this password: `None` when it is as good as it
    /// would be made now.
    pub async fn renewed(&self, kept: &Password, password: Secret) -> Result<Option<Password>, HashError> {
        let opened = kept.verifiers.as_ref().and_then(|sealed| self.vault.open_sealed(sealed));
        // All of one cost: another would tell an account from a name that nobody has.
        let costs = |verifier: &scram::Verifier| verifier.iterations() == self.iterations.get();
        let usable = opened.as_ref().is_some_and(|opened| opened.scram.iter().all(costs));
        let ntlm = opened.is_some_and(|opened| opened.nt.is_some());
        let is_strong = is_strong(&kept.hash);
        if usable && is_strong {
            return Ok(None);
        }
        // What is good for NTLM is made when a password is set, and only then.
        let Password { hash, verifiers, .. } = self.hash(password, ntlm).await?;
        Ok(Some(Password {
            hash: if is_strong { kept.hash.clone() } else { hash },
            // Verifiers that are in use stay: an exchange with them may be under way.
            verifiers: if usable { kept.verifiers.clone() } else { verifiers },
            set: kept.set,
        }))
    }

    /// Whether the password is the one that was hashed; never without a hash, but after the same time.
    pub async fn verify(&self, hash: Option<PasswordHash>, password: Secret, urgency: Urgency) -> bool {
        let turn = self.turns.wait(urgency).await;
        let is_real = hash.is_some();
        let phc = hash.map_or_else(|| self.stand_in.clone(), |hash| hash.0);
        let verified = spawn_blocking(move || {
            let _turn = turn;
            matches(&phc, &password)
        });
        verified.await.unwrap_or(false) && is_real
    }
}

fn compute(password: &Secret) -> Result<PasswordHash, HashError> {
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(failed)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params().map_err(failed)?);
    let hash: Phc = argon2
        .hash_password_customized(password.expose().as_bytes(), &salt, None, None, argon2.params().clone())
        .map_err(failed)?;
    Ok(PasswordHash(hash.to_string()))
}

/// RFC 5802 §3, for each hash.
fn scram_verifiers(password: &Secret, iterations: NonZeroU32) -> Result<Vec<scram::Verifier>, Unspecified> {
    let prepared = scram::prepared(password.expose());
    let make = |hash: scram::Hash| {
        let algorithm = match hash {
            scram::Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            scram::Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        };
        let salt = random::<SALT_OCTETS>()?;
        let mut salted = Zeroizing::new(vec![0; hash.length()]);
        pbkdf2::derive(algorithm, iterations, &salt, prepared.as_bytes(), &mut salted);
        Ok(scram::Verifier::of_salted(hash, &salt, iterations.get(), &salted))
    };
    scram::Hash::ALL.into_iter().map(make).collect()
}

fn matches(phc: &str, password: &Secret) -> bool {
    let Ok(hash) = Phc::new(phc) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
    params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
}

/// Whether a guess at it costs as much as at one that is made now.
fn is_strong(hash: &PasswordHash) -> bool {
    let params = Phc::new(&hash.0).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_some_and(|params| params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES)
}

fn params() -> Result<Params, argon2::Error> {
    Params::new(MEMORY_KIB, PASSES, 1, None)
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError(error.to_string())
}
