//! Certificates and TLS: a local authority of this server's own, the server certificate, the configuration.

mod authority;
mod certificate;
mod client;
mod client_certificate;
mod end_point;
mod files;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};

pub use certificate::Certificate;
pub use client::client_config;
pub use client_certificate::{addresses, verifier};
pub use end_point::EndPoint;
pub use files::{TlsFiles, write_private};

use crate::connection::Protocol;

/// Why TLS cannot be had; the text tells what to look at.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error("{path}: {why}")]
    Content { path: String, why: String },
    #[error("a certificate could not be made: {0}")]
    Making(#[from] rcgen::Error),
    #[error("TLS could not be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// What a service begins TLS with.
#[derive(Clone)]
pub struct Tls {
    pub config: Arc<ServerConfig>,
    pub certificate: Arc<Certificate>,
}

/// TLS 1.2 and 1.3 with forward secrecy and AEAD only, as the library has them; no early data, which could be
/// replayed. Sessions resume by tickets whose keys change every six hours and are never stored; each
/// protocol has keys of its own.
pub fn server_config(
    protocol: Protocol,
    certificate: Arc<Certificate>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Tls, TlsError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificate.clone());
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    // A client that asks for another protocol is refused (RFC 7301 §3.2): it was led here by a third party.
    config.alpn_protocols = vec![protocol.alpn().to_vec()];
    Ok(Tls { config: Arc::new(config), certificate })
}

#[cfg(test)]
mod tests;
