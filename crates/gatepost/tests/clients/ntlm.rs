//! Integrated Windows authentication ("Secure Password Authentication"): Perl's Authen::NTLM, and who is refused.

use crate::curl::curl;
use crate::{PASSWORD, Site, client, run};

/// A site where Ann may log on by NTLM, and Bob may not.
fn site(arguments: &[&str]) -> Site {
    let site = Site::with(arguments);
    site.opt_in_to_ntlm();
    site
}

#[test]
fn perl_logs_on_over_every_protocol_with_the_right_password_alone() {
    let site = site(&["--set", "Pop.LoginType=PlainTextAuthentication"]);
    // The last of them in clear, where PlainTextAuthentication lets it.
    for (port, right, wrong) in [
        ("pop3s", "+OK User successfully logged on.", "-ERR [AUTH] "),
        ("imaps", "a OK ", "a NO [AUTHENTICATIONFAILED] "),
        ("submissions", "235 2.7.0 ", "535 5.7.3 "),
        ("pop3", "+OK User successfully logged on.", "-ERR [AUTH] "),
    ] {
        let protocol = if port == "submissions" { "smtp" } else { &port[..4] };
        for (password, expected, granted) in [(PASSWORD, right, true), ("another password", wrong, false)] {
            let start = site.server.log().len();
            let Some(mut perl) = client("perl") else { return };
            let script = site.scratch.file("ntlm.pl", include_str!("ntlm.pl"));
            let authority = if port.ends_with('s') { site.authority() } else { String::new() };
            perl.arg(script).args([protocol, &site.port(port).to_string(), &authority, "ann@example.test", password]);
            let said = run(&mut perl);
            assert!(said.starts_with(expected), "{port}: {said}");
            site.logged_on(start, protocol, "NTLM", granted);
        }
    }
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
    site.deliver("ann@example.test", "hello");
    let ntlm = |user: &str| {
        let log_on = format!("user = \"{user}@example.test:{PASSWORD}\"\nlogin-options = \"AUTH=NTLM\"\n");
        Some(curl(&site, "pop3s", &log_on)?.output().unwrap().status.success())
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
    assert_eq!(site.inbox("ann").len(), 1, "Ann's password is what it was");
}
