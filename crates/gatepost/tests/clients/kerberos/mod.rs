//! Tickets of a real KDC: curl, mbsync (Cyrus SASL) and Python's gssapi.

mod kdc;

use std::process::Command;

use kdc::{EARLIER, Kdc, Time};

use crate::{Site, client, run};

const ANN: &str = "ann@EXAMPLE.TEST";

/// A server that has the KDC's keys.
fn site(kdc: &Kdc, arguments: &[&str]) -> Site {
    let keytab = format!("Server.KerberosKeytab={}", kdc.keytab());
    Site::within(&kdc.environment(), &[&["--set", &keytab], arguments].concat())
}

/// curl that logs on by the ticket of a user.
fn curl(kdc: &Kdc, site: &Site, user: &str, time: Time) -> Option<Command> {
    let mut curl = kdc.client_of(user, time, "curl")?;
    curl.args(["--silent", "--show-error", "--cacert", &site.authority()]);
    curl.args(["--login-options", "AUTH=GSSAPI", "--user", ":"]);
    Some(curl)
}

/// Whether curl reads the INBOX of a user by the user's ticket.
fn reads(kdc: &Kdc, site: &Site, user: &str) -> bool {
    let mut curl = curl(kdc, site, user, &[]).unwrap();
    curl.arg(format!("imaps://localhost:{}/INBOX", site.port("imaps"))).output().unwrap().status.success()
}

#[test]
fn curl_logs_on_by_a_ticket_over_every_protocol_in_every_way_of_tls() {
    let Some(kdc) = Kdc::start() else { return };
    let site = site(&kdc, &[]);
    site.deliver("ann@example.test", "hello");
    for (scheme, port, path) in [
        ("pop3s", "pop3s", "1"),
        ("pop3", "pop3", "1"),
        ("imaps", "imaps", "INBOX;MAILINDEX=1"),
        ("imap", "imap", "INBOX;MAILINDEX=1"),
    ] {
        let Some(mut curl) = curl(&kdc, &site, ANN, &[]) else { return };
        let said = run(curl.arg("--ssl-reqd").arg(format!("{scheme}://localhost:{}/{path}", site.port(port))));
        assert!(said.contains("Subject: hello"), "{scheme}: {said}");
        let name = &scheme[..4];
        site.server.logged(&["log-on", &format!("protocol=\"{name}\""), ANN, "GSSAPI", "granted=true"]);
    }
    for (scheme, port) in [("smtps", "submissions"), ("smtp", "submission"), ("smtp", "smtp")] {
        let Some(mut curl) = curl(&kdc, &site, ANN, &[]) else { return };
        let message = site.scratch.file("message", "From: ann@example.test\r\nSubject: by a ticket\r\n\r\n");
        curl.args(["--mail-from", "ann@example.test", "--mail-rcpt", "bob@example.test", "--ssl-reqd"]);
        curl.arg("--upload-file").arg(message);
        run(curl.arg(format!("{scheme}://localhost:{}", site.port(port))));
    }
    assert_eq!(site.inbox("bob").iter().filter(|message| message.contains("with ESMTPSA")).count(), 3);
    let records = site.server.results(&["Get-LogonRecord", "ann@example.test"]).to_string();
    assert!(records.contains("GSSAPI"), "{records}");
}

#[test]
fn curl_logs_on_in_clear_where_plain_text_authentication_lets_it() {
    let Some(kdc) = Kdc::start() else { return };
    let clear = ["--set", "Pop.LoginType=PlainTextAuthentication", "--set", "Imap.LoginType=PlainTextAuthentication"];
    let site = site(&kdc, &clear);
    for scheme in ["pop3", "imap"] {
        let Some(mut curl) = curl(&kdc, &site, ANN, &[]) else { return };
        run(curl.arg(format!("{scheme}://localhost:{}/", site.port(scheme))));
        site.server.logged(&["log-on", &format!("protocol=\"{scheme}\""), "GSSAPI", "granted=true"]);
    }
}

#[test]
fn mbsync_logs_on_by_a_ticket_and_by_a_negotiation_about_it() {
    let Some(kdc) = Kdc::start() else { return };
    let site = site(&kdc, &[]);
    site.deliver("ann@example.test", "hello");
    for mechanism in ["GSSAPI", "GSS-SPNEGO"] {
        let Some(mut mbsync) = kdc.client_of(ANN, &[], "mbsync") else { return };
        let folder = site.scratch.path(mechanism);
        std::fs::create_dir(&folder).unwrap();
        let text = format!(
            "IMAPStore far\nHost localhost\nPort {}\nUser ann\nPass none\nAuthMechs {mechanism}\nSSLType IMAPS\nCertificateFile {}\n\n\
             MaildirStore near\nPath {folder}/\nInbox {folder}/INBOX\n\nChannel all\nFar :far:\nNear :near:\nCreate Near\nSyncState *\n",
            site.port("imaps"),
            site.authority(),
            folder = folder.display(),
        );
        run(mbsync.arg("--config").arg(site.configuration("mbsyncrc", &text)).arg("all"));
        assert_eq!(std::fs::read_dir(folder.join("INBOX/new")).unwrap().count(), 1);
        site.server.logged(&["log-on", ANN, &format!("mechanism=\"{mechanism}\""), "granted=true"]);
    }
}

#[test]
fn python_binds_its_ticket_to_tls() {
    let Some(kdc) = Kdc::start() else { return };
    for protection in ["None", "Allow", "Require"] {
        let site = site(&kdc, &["--set", &format!("Imap.ExtendedProtectionPolicy={protection}")]);
        // Debian's own has the module.
        let Some(mut python) = kdc.client_of(ANN, &[], "/usr/bin/python3") else { return };
        let script = site.scratch.file("kerberos.py", include_str!("kerberos.py"));
        python.arg(script).arg(site.authority()).arg(site.port("imaps").to_string()).arg(protection);
        assert_eq!(run(&mut python), "all is well\n", "{protection}");
    }
}

#[test]
fn who_has_no_mailbox_here_or_may_not_use_it_so_is_refused() {
    let Some(kdc) = Kdc::start() else { return };
    let site = site(&kdc, &[]);
    assert!(reads(&kdc, &site, ANN));
    assert!(reads(&kdc, &site, "bob@EXAMPLE.TEST"));
    assert!(!reads(&kdc, &site, "carl@EXAMPLE.TEST"));
    site.server.logged(&["carl@EXAMPLE.TEST", "GSSAPI", "granted=false", "unknown user"]);
    for stranger in ["ann/admin@EXAMPLE.TEST", "ann@OTHER.TEST"] {
        assert!(!reads(&kdc, &site, stranger), "{stranger}");
        site.server.logged(&[stranger, "GSSAPI", "granted=false", "no user of a realm"]);
    }
    site.server.results(&["Set-CASMailbox", "ann", "-ImapEnabled", "false"]);
    assert!(!reads(&kdc, &site, ANN));
    site.server.logged(&[ANN, "GSSAPI", "granted=false", "IMAP4 is switched off"]);
}

#[test]
fn users_of_the_realm_that_is_set_have_their_mailboxes_in_the_default_domain_and_others_none() {
    let Some(kdc) = Kdc::start() else { return };
    let site = site(&kdc, &["--set", "Server.KerberosRealm=OTHER.TEST"]);
    assert!(reads(&kdc, &site, "ann@OTHER.TEST"));
    // Another realm's Ann may be somebody else.
    assert!(!reads(&kdc, &site, ANN));
}

#[test]
fn a_ticket_for_another_key_is_a_failed_log_on_and_a_new_key_is_used_at_once() {
    let Some(kdc) = Kdc::start() else { return };
    let site = site(&kdc, &[]);
    kdc.change_keys();
    assert!(!reads(&kdc, &site, ANN));
    site.server.logged(&["log-on", "GSSAPI", "granted=false", "keytab"]);
    kdc.renew_keytab();
    assert!(reads(&kdc, &site, ANN));
}

#[test]
fn a_key_is_good_for_every_service_that_has_it() {
    let Some(kdc) = Kdc::start() else { return };
    kdc.share_key();
    let site = site(&kdc, &[]);
    for port in ["imaps", "pop3s"] {
        let Some(mut curl) = curl(&kdc, &site, ANN, &[]) else { return };
        run(curl.arg(format!("{port}://localhost:{}/", site.port(port))));
    }
}

#[test]
fn a_ticket_that_has_expired_is_a_failed_log_on() {
    if client("faketime").is_none() {
        return;
    }
    let Some(kdc) = Kdc::living_at(EARLIER) else { return };
    let site = site(&kdc, &["--set", "Pop.LoginType=PlainTextAuthentication"]);
    let Some(mut curl) = curl(&kdc, &site, ANN, EARLIER) else { return };
    let output = curl.arg(format!("pop3://localhost:{}/", site.port("pop3"))).output().unwrap();
    assert!(!output.status.success());
    site.server.logged(&["log-on", "GSSAPI", "granted=false", "expired"]);
}

#[test]
fn without_a_key_nothing_is_offered_and_the_log_says_why() {
    let Some(kdc) = Kdc::start() else { return };
    let offered = |site: &Site| {
        let mut imap = site.server.connect_tls("imaps");
        imap.line();
        imap.ask("1 CAPABILITY")
    };
    let none = Site::new();
    assert!(!offered(&none).contains("GSS"));
    let some = site(&kdc, &[]);
    assert!(offered(&some).contains("AUTH=GSSAPI AUTH=GSS-SPNEGO "));
    assert_eq!(some.server.log().matches("begins anew").count(), 1);
    let missing = Site::within(&kdc.environment(), &["--set", "Server.KerberosKeytab=/nowhere/mail.keytab"]);
    assert!(!offered(&missing).contains("GSS"));
    missing.server.logged(&["ERROR", "nobody can log on by Kerberos", "/nowhere/mail.keytab"]);
    assert!(missing.inbox("ann").is_empty(), "everybody logs on as before");
}
