//! `tls-server-end-point`: what a channel binding knows a server's certificate by.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use x509_parser::oid_registry::{
    OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA,
    OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512, Oid,
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The octets. One pointer wide in an [`Arc`](std::sync::Arc), since every connection has it.
#[derive(Debug, PartialEq, Eq)]
pub struct EndPoint(pub Box<[u8]>);

/// RFC 5929 §4.1: the certificate's hash by the hash of its signature, SHA-256 in place of MD5 and SHA-1; `None`
/// where the signature has no hash of its own (Ed25519) or one that depends (RSASSA-PSS).
pub fn end_point(certificate: &[u8]) -> Option<EndPoint> {
    const SHA_256: [Oid<'static>; 4] =
        [OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA256WITHRSA, OID_SIG_ECDSA_WITH_SHA256];
    const SHA_384: [Oid<'static>; 2] = [OID_PKCS1_SHA384WITHRSA, OID_SIG_ECDSA_WITH_SHA384];
    const SHA_512: [Oid<'static>; 2] = [OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA512];
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let signature = &parsed.signature_algorithm.algorithm;
    let hash = match signature {
        _ if SHA_256.contains(signature) => &SHA256,
        _ if SHA_384.contains(signature) => &SHA384,
        _ if SHA_512.contains(signature) => &SHA512,
        _ => return None,
    };
    Some(EndPoint(digest(hash, certificate).as_ref().into()))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    #[test]
    fn a_certificate_is_known_by_the_hash_of_its_signature() {
        let of = |algorithm| {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let certificate =
                CertificateParams::new(vec!["mail.example.test".into()]).unwrap().self_signed(&key).unwrap();
            (end_point(certificate.der()), certificate.der().to_vec())
        };
        let (known, der) = of(&PKCS_ECDSA_P256_SHA256);
        assert_eq!(known.unwrap().0.as_ref(), digest(&SHA256, &der).as_ref());
        let (known, der) = of(&PKCS_ECDSA_P384_SHA384);
        assert_eq!(known.unwrap().0.as_ref(), digest(&SHA384, &der).as_ref());
        assert_eq!(of(&PKCS_ED25519).0, None);
        assert_eq!(end_point(b"no certificate"), None);
    }
}
