//! The local authority: makes itself and server certificates.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use time::{Duration, OffsetDateTime};

use super::TlsError;

/// Clients trust the authority once; it outlives the machine.
const AUTHORITY_DAYS: i64 = 20 * 365;
/// Some clients refuse server certificates of more than 398 days.
const SERVER_DAYS: i64 = 397;
/// Clocks differ.
const BEFORE: Duration = Duration::days(1);

/// A certificate and its key, as PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

/// A new authority. Its name is its own, so that two servers' authorities can be trusted side by side.
pub fn make_authority(host: &str, now: OffsetDateTime) -> Result<Pair, TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    let mark: String = key.public_key_raw().iter().skip(1).take(4).map(|octet| format!("{octet:02x}")).collect();
    params.distinguished_name = named(&format!("Gatepost authority of {} ({mark})", clipped(host)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (now - BEFORE, now + Duration::days(AUTHORITY_DAYS));
    Ok(Pair { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

/// A new server certificate for the host, and for the machine itself by name and address.
pub fn make_server(authority: &Pair, host: &str, now: OffsetDateTime) -> Result<Pair, TlsError> {
    let issuer = Issuer::from_ca_cert_pem(&authority.certificate, KeyPair::from_pem(&authority.key)?)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = named(clipped(host));
    params.subject_alt_names = names(host)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (now - BEFORE, now + Duration::days(SERVER_DAYS));
    Ok(Pair { certificate: params.signed_by(&key, &issuer)?.pem(), key: key.serialize_pem() })
}

fn names(host: &str) -> Result<Vec<SanType>, TlsError> {
    let mut names = match host.parse::<IpAddr>() {
        Ok(address) => vec![SanType::IpAddress(address)],
        Err(_) => vec![SanType::DnsName(host.try_into()?)],
    };
    let own = [
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(Ipv4Addr::LOCALHOST.into()),
        SanType::IpAddress(Ipv6Addr::LOCALHOST.into()),
    ];
    for name in own {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// RFC 5280, appendix A.1: a common name has 64 characters at most; here with room for words around it.
fn clipped(host: &str) -> &str {
    host.get(..host.floor_char_boundary(30)).unwrap_or(host)
}
