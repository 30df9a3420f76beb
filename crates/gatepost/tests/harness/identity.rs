//! A client's certificate, of an authority of its own.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

use super::Scratch;

pub struct Identity {
    /// What the server is to trust.
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Identity {
    /// For a mail address.
    pub fn of(scratch: &Scratch, address: &str) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
        let certificate = params.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        Self {
            authority: scratch.file("client-authority.pem", &authority_pem),
            certificate: scratch.file("client.pem", &certificate.pem()),
            key: scratch.file("client-key.pem", &key.serialize_pem()),
        }
    }
}
