//! Integrated Windows authentication ("Secure Password Authentication"): curl, swaks and Perl's Authen::NTLM.

use crate::{PASSWORD, Site, client, run};

/// A site where Ann may log on by NTLM, and Bob may not.
fn site(arguments: &[&str]) -> Site {
    let site = Site::with(arguments);
    let warned = site.server.manage(&["Set-CASMailbox", "ann", "-NtlmEnabled", "true"], "");
    assert!(String::from_utf8_lossy(&warned.stderr).contains("Set-Mailbox -Password"));
    let set = site.server.manage(&["Set-Mailbox", "ann", "-PasswordFile", "-"], &format!("{PASSWORD}\n"));
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    site
}

#[test]
fn curl_logs_on_by_ntlm_over_every_protocol_in_every_way_of_tls() {
    let site = site(&[]);
    site.deliver("ann@example.test", "hello");
    for (scheme, port, path) in [
        ("pop3s", "pop3s", "1"),
        ("pop3", "pop3", "1"),
        ("imaps", "imaps", "INBOX;MAILINDEX=1"),
        ("imap", "imap", "INBOX;MAILINDEX=1"),
    ] {
        let Some(mut curl) = client("curl") else { return };
        let configuration = site.configuration("curlrc", &format!("user = \"ann@example.test:{PASSWORD}\"\n"));
        curl.args(["--silent", "--show-error", "--ssl-reqd", "--cacert", &site.authority()]);
        curl.args(["--login-options", "AUTH=NTLM"]).arg("--config").arg(configuration);
        let said = run(curl.arg(format!("{scheme}://localhost:{}/{path}", site.port(port))));
        assert!(said.contains("Subject: hello"), "{scheme}: {said}");
        let name = &scheme[..4];
        site.server.logged(&["log-on", &format!("protocol=\"{name}\""), "NTLM", "granted=true"]);
    }
    for (scheme, port) in [("smtps", "submissions"), ("smtp", "submission"), ("smtp", "smtp")] {
        let Some(mut curl) = client("curl") else { return };
        let configuration = site.configuration("curlrc", &format!("user = \"ann@example.test:{PASSWORD}\"\n"));
        let message = site.scratch.file("message", "From: ann@example.test\r\nSubject: by NTLM\r\n\r\n");
        curl.args(["--silent", "--show-error", "--ssl-reqd", "--cacert", &site.authority()]);
        curl.args(["--login-options", "AUTH=NTLM"]).arg("--config").arg(configuration);
        curl.args(["--mail-from", "ann@example.test", "--mail-rcpt", "bob@example.test"]);
        curl.arg("--upload-file").arg(message);
        run(curl.arg(format!("{scheme}://localhost:{}", site.port(port))));
    }
    assert_eq!(site.inbox("bob").iter().filter(|message| message.contains("with ESMTPSA")).count(), 3);
}

#[test]
fn perl_logs_on_in_clear_where_plain_text_authentication_lets_it() {
    let site = site(&["--set", "Pop.LoginType=PlainTextAuthentication"]);
    let Some(mut perl) = client("perl") else { return };
    let script = site.scratch.file("ntlm.pl", include_str!("ntlm.pl"));
    let said = run(perl.arg(script).arg(site.port("pop3").to_string()).args(["ann@example.test", PASSWORD]));
    assert_eq!(said, "+OK User successfully logged on.\n");
}

#[test]
fn swaks_speaks_version_1_which_is_refused_and_the_log_says_why() {
    let site = site(&[]);
    let Some(mut swaks) = client("swaks") else { return };
    swaks.args(["--server", "localhost", "--port", &site.port("submission").to_string()]);
    swaks.args(["--tls-verify", "--tls-ca-path", &site.authority(), "-tls", "--auth", "NTLM"]);
    swaks.args(["--auth-user", "ann@example.test", "--auth-password", PASSWORD]);
    swaks.args(["--from", "ann@example.test", "--to", "bob@example.test"]);
    let output = swaks.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("535 5.7.3 Authentication unsuccessful"), "{said}");
    site.server.logged(&["log-on", "NTLM", "granted=false", "version 1"]);
}

#[test]
fn who_has_not_opted_in_or_has_opted_out_is_refused_by_ntlm_alone() {
    let site = site(&[]);
    let ntlm = |user: &str| {
        let mut curl = client("curl")?;
        let configuration = site.configuration("curlrc", &format!("user = \"{user}@example.test:{PASSWORD}\"\n"));
        curl.args(["--silent", "--show-error", "--cacert", &site.authority(), "--login-options", "AUTH=NTLM"]);
        curl.arg("--config").arg(configuration).arg(format!("pop3s://localhost:{}", site.port("pop3s")));
        Some(curl.output().unwrap().status.success())
    };
    let Some(ann) = ntlm("ann") else { return };
    assert!(ann);
    assert_eq!(ntlm("bob"), Some(false));
    site.server.logged(&["bob@example.test", "NTLM", "granted=false", "Set-CASMailbox -NtlmEnabled true"]);
    assert!(site.inbox("bob").is_empty(), "Bob's password is right");
    site.server.results(&["Set-CASMailbox", "ann", "-NtlmEnabled", "false"]);
    assert_eq!(ntlm("ann"), Some(false));
    // Opting in alone brings nothing back.
    site.server.results(&["Set-CASMailbox", "ann", "-NtlmEnabled", "true"]);
    assert_eq!(ntlm("ann"), Some(false));
    assert!(site.inbox("ann").is_empty(), "Ann's password is what it was");
}
