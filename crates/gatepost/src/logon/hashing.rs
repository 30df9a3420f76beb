//! Argon2id in a bounded pool: it takes much memory and time by design.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, PasswordHash as Phc, Salt};
use argon2::password_hash::{CustomizedPasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use proto::logon::Secret;
use store::PasswordHash;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

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
    turns: Arc<Semaphore>,
    /// Verified in place of the hash that an unknown user does not have. No password has it: it is random.
    stand_in: String,
}

impl Hashing {
    /// `most_at_once`: hashes computed at the same time, and never more than there are processors.
    pub fn new(most_at_once: usize) -> Result<Self, HashError> {
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
        let turns = Arc::new(Semaphore::new(cores.min(most_at_once)));
        Ok(Self { turns, stand_in: stand_in.to_string() })
    }

    /// A new hash with a random salt.
    pub async fn hash(&self, password: Secret) -> Result<PasswordHash, HashError> {
        let turn = self.turns.clone().acquire_owned().await.map_err(failed)?;
        let hashed = spawn_blocking(move || {
            let _turn = turn;
            compute(&password)
        });
        hashed.await.map_err(failed)?
    }

    /// Whether the password is the one that was hashed; never without a hash, but after the same time.
    pub async fn verify(&self, hash: Option<PasswordHash>, password: Secret) -> bool {
        let Ok(turn) = self.turns.clone().acquire_owned().await else { return false };
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

fn matches(phc: &str, password: &Secret) -> bool {
    let Ok(hash) = Phc::new(phc) else { return false };
    let Ok(params) = Params::try_from(&hash) else { return false };
    params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
}

fn params() -> Result<Params, argon2::Error> {
    Params::new(MEMORY_KIB, PASSES, 1, None)
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError(error.to_string())
}
