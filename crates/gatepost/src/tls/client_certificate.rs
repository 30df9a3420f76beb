//! Certificates of clients: whom they are trusted by, and whom they name.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Takes clients without a certificate, and those whose certificate one of these authorities (a PEM file) has issued.
pub fn verifier(authority: &Path) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let at = |why: String| format!("{}: {why}", authority.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority).map_err(|error| at(error.to_string()))? {
        roots.add(certificate.map_err(|error| at(error.to_string()))?).map_err(|error| at(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(at("there is no certificate in it".to_owned()));
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(aws_lc_rs::default_provider()))
        .allow_unauthenticated()
        .build()
        .map_err(|error| at(error.to_string()))
}

/// The mail addresses of a certificate that was verified (RFC 5280 §4.2.1.6: rfc822Name). Those of its subject's name
/// are none: they are not what an authority answers for.
pub fn addresses(certificate: &[u8]) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    let address = |name: &GeneralName<'_>| match name {
        GeneralName::RFC822Name(address) => Some((*address).to_owned()),
        _ => None,
    };
    names.value.general_names.iter().filter_map(address).collect()
}
