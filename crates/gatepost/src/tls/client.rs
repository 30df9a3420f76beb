//! TLS where this server is the client.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Trusts what is in the PEM file; without one, what the system trusts. `setting`: where the file is set, for what is
/// told of it.
pub fn client_config(setting: &str, authority_file: &str) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    if authority_file.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let fault = |why: String| format!("{setting} {authority_file}: {why}");
        let certificates = CertificateDer::pem_file_iter(authority_file).map_err(|why| fault(why.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|why| fault(why.to_string()))?;
            roots.add(certificate).map_err(|why| fault(why.to_string()))?;
        }
        if roots.is_empty() {
            return Err(fault("there is no certificate in it".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
