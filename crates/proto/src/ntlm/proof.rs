//! What a client gave to prove who it is, until it is verified.

use std::fmt;

use subtle::ConstantTimeEq;

use super::authenticate::Authenticate;
use super::hash::{hmac_md5, ntowf_v2, rc4k};
use super::{Binding, NtHash, Refusal, SessionKey};

/// The three messages of a log-on, read but not believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    pub(super) negotiate: Vec<u8>,
    pub(super) challenge: Vec<u8>,
    pub(super) server_challenge: [u8; 8],
    pub(super) answer: Authenticate,
}

impl Proof {
    /// As the client sent it, never empty: a name, perhaps with a domain behind `@`.
    pub fn user(&self) -> &str {
        &self.answer.user
    }

    /// As the client sent it, perhaps empty.
    pub fn domain(&self) -> &str {
        &self.answer.domain
    }

    /// What the client calls its machine. Nothing proves it.
    pub fn workstation(&self) -> &str {
        &self.answer.workstation
    }

    /// What the client's response answers.
    pub fn server_challenge(&self) -> [u8; 8] {
        self.server_challenge
    }

    /// NtChallengeResponse, for somebody else who knows what it has to be.
    pub fn response(&self) -> &[u8] {
        &self.answer.response.octets
    }

    /// Whether the client knows the password. `None` is for an account that does not exist or has no hash: it costs
    /// the same as a wrong password, and no answer is right for it.
    pub fn verify(&self, hash: Option<&NtHash>, binding: &Binding<'_>) -> Result<(), Refusal> {
        let stand_in = NtHash::from_octets([0; 16]);
        let key = self.session_key(hash.unwrap_or(&stand_in));
        // Somebody may well know the password of the stand-in.
        match (hash, key) {
            (Some(_), Some(key)) => self.verify_with_session_key(&key, binding),
            _ => Err(Refusal::Proof),
        }
    }

    /// The checks that remain when somebody else has found the response right and knows the session key that comes
    /// of it: MIC and channel binding.
    pub fn verify_with_session_key(&self, key: &SessionKey, binding: &Binding<'_>) -> Result<(), Refusal> {
        self.check_mic(key)?;
        binding.check(self.answer.response.channel_bindings)
    }

    /// The session key, when the response is that of this hash (MS-NLMP 3.3.2). Nothing is left out when it is not.
    pub(super) fn session_key(&self, hash: &NtHash) -> Option<SessionKey> {
        let response = &self.answer.response;
        let mut key = None;
        // MS-NLMP 3.2.5.1.2: clients that send a domain and compute without it should be supported.
        for domain in [self.domain(), ""] {
            let response_key = ntowf_v2(hash, self.user(), domain);
            let proof = hmac_md5(&response_key, &[&self.server_challenge, response.client_challenge()]);
            let session_key = SessionKey::from_octets(hmac_md5(&response_key, &[&proof]));
            if bool::from(proof.ct_eq(&response.proof)) {
                key = Some(session_key);
            }
        }
        key
    }

    /// MS-NLMP 3.2.5.1.2. A client that was told the time should provide a MIC; curl, Authen::NTLM and Jakarta Mail
    /// do not. Whether it does is told in the response, so nobody on the way can take the MIC off.
    fn check_mic(&self, key: &SessionKey) -> Result<(), Refusal> {
        let Some(mic) = self.answer.mic else { return Ok(()) };
        // MS-NLMP 3.4.5.1: the key exchange key of version 2 is the session base key.
        let exported = match self.answer.session_key {
            Some(encrypted) => rc4k(&key.0, encrypted).ok_or(Refusal::Mic)?,
            None => key.0.clone(),
        };
        let expected = hmac_md5(&exported, &[&self.negotiate, &self.challenge, &self.answer.octets]);
        if bool::from(expected.ct_eq(&mic)) { Ok(()) } else { Err(Refusal::Mic) }
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("user", &self.user())
            .field("domain", &self.domain())
            .field("workstation", &self.workstation())
            .finish_non_exhaustive()
    }
}
