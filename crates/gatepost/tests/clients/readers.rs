//! OpenSSL and mutt reading, and curl where it may not.

use crate::{PASSWORD, Site, client, run};

#[test]
fn curl_is_told_to_use_tls_when_it_would_log_on_in_clear() {
    let site = Site::new();
    for (scheme, cure) in [("imap", "STARTTLS"), ("pop3", "STLS")] {
        let Some(mut curl) = client("curl") else { return };
        curl.args(["--silent", "--verbose", "--user", "ann@example.test:whatever"]);
        let output = curl.arg(format!("{scheme}://localhost:{}/", site.port(scheme))).output().unwrap();
        assert!(!output.status.success());
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(talk.contains(cure), "{talk}");
        assert!(!talk.contains("whatever"), "the password was not even sent: {talk}");
    }
}

#[test]
fn openssl_verifies_the_chain_on_every_port() {
    let site = Site::new();
    for (port, starttls) in [
        ("pop3s", None),
        ("imaps", None),
        ("submissions", None),
        ("pop3", Some("pop3")),
        ("imap", Some("imap")),
        ("submission", Some("smtp")),
        ("smtp", Some("smtp")),
    ] {
        for version in ["-tls1_2", "-tls1_3"] {
            let Some(mut openssl) = client("openssl") else { return };
            openssl.args(["s_client", "-brief", "-verify_return_error", "-verify_hostname", "localhost", version]);
            openssl.args(["-CAfile", &site.authority(), "-connect", &format!("localhost:{}", site.port(port))]);
            if let Some(protocol) = starttls {
                openssl.args(["-starttls", protocol]);
            }
            let talk = run(&mut openssl);
            assert!(talk.contains("Verification: OK"), "{port}: {talk}");
        }
    }
}

#[test]
fn openssl_cannot_agree_on_tls_1_1() {
    let site = Site::new();
    let Some(mut openssl) = client("openssl") else { return };
    openssl.args(["s_client", "-brief", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    let output = openssl.args(["-connect", &format!("localhost:{}", site.port("imaps"))]).output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn mutt_shows_a_mailbox() {
    let site = Site::new();
    site.deliver("ann@example.test", "for mutt");
    if client("mutt").is_none() {
        return;
    }
    // Bare: `timeout` would put it into a background group of its terminal, where it would be stopped.
    let mut mutt = std::process::Command::new("mutt");
    let copy = site.scratch.path("copy");
    let configuration = site.configuration(
        "muttrc",
        &format!(
            "set imap_user=\"ann@example.test\" imap_pass=\"{PASSWORD}\" ssl_force_tls=yes mbox_type=mbox quit=yes\n\
             set certificate_file=\"{}\" folder=\"imaps://localhost:{}/\" copy=no confirmappend=no confirmcreate=no\n\
             push \"<copy-message>{}<enter><quit>\"\n",
            site.authority(),
            site.port("imaps"),
            copy.display(),
        ),
    );
    mutt.arg("-F").arg(configuration).args(["-f", "+INBOX"]);
    // It wants a terminal: script gives it one.
    let line = format!("{mutt:?}");
    let Some(mut script) = client("script") else { return };
    // Whatever shell the caller prefers, this one takes the line.
    script.env("TERM", "xterm").env("SHELL", "/bin/sh").args(["--quiet", "--return", "--command", &line]);
    run(script.arg(site.scratch.path("typescript")));
    let copied = std::fs::read_to_string(&copy).unwrap();
    assert!(copied.contains("Subject: for mutt"), "{copied}");
}
