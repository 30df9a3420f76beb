//! The exchanges that the RFCs show.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Finding, Hash, Verifier, prepared};
use crate::logon::Mechanism;

pub const RFC_5802: Known = Known {
    mechanism: Mechanism::ScramSha1,
    client_first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    nonce: "3rfcNHYJY1ZVvWVs7j",
    salt: "QSXCR+Q6sek8bf92",
    server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    client_final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
};

pub const RFC_7677: Known = Known {
    mechanism: Mechanism::ScramSha256,
    client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
    server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                   p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

/// An exchange as an RFC shows it; the password is `pencil`.
pub struct Known {
    pub mechanism: Mechanism,
    pub client_first: &'static str,
    pub nonce: &'static str,
    pub salt: &'static str,
    pub server_first: &'static str,
    pub client_final: &'static str,
    pub server_final: &'static str,
}

impl Known {
    pub fn hash(&self) -> Hash {
        if self.mechanism == Mechanism::ScramSha1 { Hash::Sha1 } else { Hash::Sha256 }
    }

    pub fn verifier(&self) -> Verifier {
        // Slow by design, and more so without optimisation.
        static MADE: LazyLock<[Verifier; 2]> = LazyLock::new(|| {
            [RFC_5802, RFC_7677]
                .map(|known| verifier(known.hash(), "pencil", &STANDARD.decode(known.salt).unwrap(), 4096))
        });
        MADE[usize::from(self.hash() == Hash::Sha256)].clone()
    }

    pub fn finding(&self) -> Finding {
        Finding { verifier: self.verifier(), nonce: self.nonce.into(), bindings: None }
    }
}

/// RFC 5802 §3: `SaltedPassword`.
pub fn salted(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut salted = vec![0; hash.length()];
    let password = prepared(password);
    match hash {
        Hash::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password.as_bytes(), salt, iterations, &mut salted),
        Hash::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.as_bytes(), salt, iterations, &mut salted),
    }
    salted
}

pub fn verifier(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Verifier {
    Verifier::of_salted(hash, salt, iterations, &salted(hash, password, salt, iterations))
}
