//! Python with a client certificate.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

use crate::{Site, client, run};

#[test]
fn python_logs_on_with_a_certificate_of_an_authority_that_is_trusted() {
    let Some(mut python) = client("python3") else { return };
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![SanType::Rfc822Name("ann@example.test".try_into().unwrap())];
    let certificate = params.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("authority.pem");
    std::fs::write(&trusted, authority_pem).unwrap();
    let site = Site::with(&["--set", &format!("Server.ClientCertificateAuthority={}", trusted.display())]);
    let certificate = site.scratch.file("certificate.pem", &certificate.pem());
    let key = site.configuration("key.pem", &key.serialize_pem());
    let script = site.scratch.file("certificate.py", include_str!("certificate.py"));
    python.arg(script).arg(site.authority()).arg(certificate).arg(key);
    for port in ["imaps", "pop3s", "submissions"] {
        python.arg(site.port(port).to_string());
    }
    assert_eq!(run(&mut python), "all is well\n");
    // A mail server brings mail under TLS and is not asked who it is.
    let asked = |port: &str| {
        let address = format!("localhost:{}", site.port(port));
        let mut openssl = client("openssl").unwrap();
        openssl.args(["s_client", "-connect", &address, "-CAfile", &site.authority()]);
        if port != "submissions" {
            openssl.args(["-starttls", "smtp"]);
        }
        let output = openssl.stdin(std::process::Stdio::null()).output().unwrap();
        !String::from_utf8_lossy(&output.stdout).contains("No client certificate CA names sent")
    };
    assert_eq!(["smtp", "submission", "submissions"].map(asked), [false, true, true]);
    site.server.logged(&["log-on", "EXTERNAL", "granted=false", "not an address of the mailbox"]);
    assert!(site.inbox("bob")[0].contains("Subject: certified"));
}
