//! Python with a client certificate.

use crate::harness::{Identity, Scratch};
use crate::{Site, client, run};

#[test]
fn python_logs_on_with_a_certificate_of_an_authority_that_is_trusted() {
    let Some(mut python) = client("python3") else { return };
    let folder = Scratch::new();
    let Identity { authority, certificate, key } = Identity::of(&folder, "ann@example.test");
    let site = Site::with(&["--set", &format!("Server.ClientCertificateAuthority={}", authority.display())]);
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
