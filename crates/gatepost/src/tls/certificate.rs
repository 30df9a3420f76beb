//! The server certificate in use, renewed before it runs out.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::TlsError;
use super::authority::{Pair, make_authority, make_server};
use super::end_point::{EndPoint, end_point};
use super::files::{TlsFiles, read, write_private};

/// A server certificate of the local authority is renewed when it is valid for less than this.
const RENEW: Duration = Duration::days(60);

/// What TLS shows to clients. The administrator may put a certificate and key of another authority in
/// their files; it is used as it is and never replaced.
pub struct Certificate {
    files: TlsFiles,
    host: String,
    current: RwLock<Current>,
}

/// What is shown now.
struct Current {
    key: Arc<CertifiedKey>,
    end_point: Option<Arc<EndPoint>>,
}

impl Current {
    fn new(key: CertifiedKey) -> Self {
        let end_point = key.cert.first().and_then(|certificate| end_point(certificate)).map(Arc::new);
        Self { key: Arc::new(key), end_point }
    }
}

impl Certificate {
    /// Loads what there is and makes what is missing, in vain or about to run out.
    pub fn load(files: TlsFiles, host: &str, now: OffsetDateTime) -> Result<Self, TlsError> {
        let current = RwLock::new(Current::new(prepare(&files, host, now)?));
        Ok(Self { files, host: host.to_owned(), current })
    }

    /// As at the start: for a server that runs longer than its certificate. Also takes what the
    /// administrator put in place since.
    pub fn refresh(&self, now: OffsetDateTime) -> Result<(), TlsError> {
        let fresh = Current::new(prepare(&self.files, &self.host, now)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// What a channel binding knows the certificate by that is shown now (RFC 5929 §4).
    pub fn end_point(&self) -> Option<Arc<EndPoint>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).end_point.clone()
    }

    pub fn files(&self) -> &TlsFiles {
        &self.files
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).key.clone())
    }
}

fn prepare(files: &TlsFiles, host: &str, now: OffsetDateTime) -> Result<CertifiedKey, TlsError> {
    files.make_directory()?;
    if !files.authority().exists() && !files.server().exists() {
        let authority = make_authority(host, now)?;
        write_private(&files.authority_key(), &authority.key)?;
        write_private(&files.authority(), &authority.certificate)?;
    }
    if files.authority_key().exists() && wants_server(files, host, now)? {
        let authority = Pair { certificate: read(&files.authority())?, key: read(&files.authority_key())? };
        let server = make_server(&authority, host, now)?;
        // A crash between the two leaves a key that does not fit: made anew at the next start.
        write_private(&files.server_key(), &server.key)?;
        write_private(&files.server(), &server.certificate)?;
        tracing::info!(host, file = %files.server().display(), "made a server certificate");
    }
    certified(files)
}

/// Whether the local authority is to make a new server certificate.
fn wants_server(files: &TlsFiles, host: &str, now: OffsetDateTime) -> Result<bool, TlsError> {
    if !files.server().exists() || !files.server_key().exists() {
        return Ok(true);
    }
    let (server, authority) = (first_certificate(files.server())?, first_certificate(files.authority())?);
    let (server, authority) = (parse(&server, files.server())?, parse(&authority, files.authority())?);
    if server.issuer().as_raw() != authority.subject().as_raw() {
        return Ok(false);
    }
    let runs_out = server.validity().not_after.to_datetime() < now + RENEW;
    Ok(runs_out || !names_host(&server, host) || certified(files).is_err())
}

fn names_host(certificate: &X509Certificate<'_>, host: &str) -> bool {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|name| match (name, host.parse::<std::net::IpAddr>()) {
        (GeneralName::DNSName(name), Err(_)) => name.eq_ignore_ascii_case(host),
        (GeneralName::IPAddress(octets), Ok(std::net::IpAddr::V4(address))) => *octets == address.octets(),
        (GeneralName::IPAddress(octets), Ok(std::net::IpAddr::V6(address))) => *octets == address.octets(),
        _ => false,
    })
}

fn certified(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let refuse = |path: std::path::PathBuf, why: String| TlsError::Content { path: path.display().to_string(), why };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(read(&files.server())?.as_bytes()).collect();
    let chain = chain.map_err(|error| refuse(files.server(), error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(read(&files.server_key())?.as_bytes())
        .map_err(|error| refuse(files.server_key(), error.to_string()))?;
    let key = any_supported_type(&key).map_err(|error| refuse(files.server_key(), error.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(refuse(files.server(), format!("does not fit its key: {error}"))),
    }
}

fn first_certificate(path: std::path::PathBuf) -> Result<CertificateDer<'static>, TlsError> {
    let text = read(&path)?;
    CertificateDer::from_pem_slice(text.as_bytes())
        .map_err(|error| TlsError::Content { path: path.display().to_string(), why: error.to_string() })
}

fn parse<'a>(der: &'a CertificateDer<'_>, path: std::path::PathBuf) -> Result<X509Certificate<'a>, TlsError> {
    let parsed = X509Certificate::from_der(der);
    parsed
        .map(|(_, certificate)| certificate)
        .map_err(|error| TlsError::Content { path: path.display().to_string(), why: error.to_string() })
}
