//! Signatures of JSON Web Tokens (RFC 7515, RFC 7519).

use std::borrow::Cow;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};

use super::claims::Claims;

/// RFC 8725 §3.1: what is taken is named; `none` and HMAC, for which a public key is a secret, are not.
const TAKEN: [Algorithm; 7] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Keys that are tried at most for a token that names none.
const TRIED: usize = 16;

/// A token that can be verified if its key is there.
pub struct Token<'a> {
    text: &'a str,
    header: Header,
}

impl<'a> Token<'a> {
    pub fn parse(text: &'a str) -> Result<Self, Cow<'static, str>> {
        let header = jsonwebtoken::decode_header(text)
            .map_err(|error| Cow::Owned(format!("no JSON Web Token of an algorithm that is known: {error}")))?;
        if !TAKEN.contains(&header.alg) {
            return Err(format!("tokens signed by {:?} are not taken", header.alg).into());
        }
        // RFC 7515 §4.1.11: there is no extension that is understood here.
        if header.crit.is_some() {
            return Err("the token has extensions that have to be understood (crit)".into());
        }
        Ok(Self { text, header })
    }

    /// Whether one of the keys may be the one that the token was signed with.
    pub fn has_key(&self, keys: &[Jwk]) -> bool {
        keys.iter().any(|key| self.may_be_by(key))
    }

    /// What the token says, if one of the keys verifies it. Nothing of it is judged yet.
    pub fn verify(&self, keys: &[Jwk]) -> Result<Claims, Cow<'static, str>> {
        let mut validation = Validation::new(self.header.alg);
        // What is claimed is held to the policy afterwards, whoever vouches for it.
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        let mut why = Cow::Borrowed("the provider has no such key (kid)");
        for key in keys.iter().filter(|key| self.may_be_by(key)).take(TRIED) {
            let decoded =
                DecodingKey::from_jwk(key).and_then(|key| jsonwebtoken::decode::<Claims>(self.text, &key, &validation));
            match decoded {
                Ok(data) => return Ok(data.claims),
                Err(error) => why = Cow::Owned(format!("the token cannot be verified: {error}")),
            }
        }
        Err(why)
    }

    fn may_be_by(&self, key: &Jwk) -> bool {
        // RFC 7515 §4.1.4: the one that is named, if one is.
        let is_named = self.header.kid.is_none() || self.header.kid == key.common.key_id;
        is_named && suits(key, self.header.alg)
    }
}

/// RFC 8725 §3.1: a key is used with the algorithms that it is for, and no others.
fn suits(key: &Jwk, algorithm: Algorithm) -> bool {
    let by_type = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256) => {
            true
        }
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => key.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let common = &key.common;
    let by_use = common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let by_operation = common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let by_algorithm = common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    by_type && by_use && by_operation && by_algorithm
}
