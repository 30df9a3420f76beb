//! swaks, msmtp and mutt sending.

use crate::{PASSWORD, Site, client, run_with_input};

const MESSAGE: &str = "From: ann@example.test\r\nTo: bob@example.test\r\nSubject: sent\r\n\r\n.dot\r\n";

#[track_caller]
fn bob_has_it(site: &Site) {
    let inbox = site.inbox("bob");
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].contains("Subject: sent\n"), "{}", inbox[0]);
    assert!(inbox[0].starts_with("Return-Path: <ann@example.test>\n"), "{}", inbox[0]);
    assert!(inbox[0].contains("with ESMTPSA"), "{}", inbox[0]);
}

#[test]
fn swaks_submits_with_each_mechanism_and_the_right_password_alone() {
    let site = Site::new();
    let mut sent = 0;
    for mechanism in ["PLAIN", "LOGIN"] {
        for (port, tls) in [("submission", "--tls"), ("submissions", "--tls-on-connect")] {
            for (password, right) in [(PASSWORD, true), ("another password", false)] {
                let start = site.server.log().len();
                let Some(mut swaks) = client("swaks") else { return };
                swaks.args(["--server", "localhost", "--port", &site.port(port).to_string(), tls]);
                swaks.args(["--tls-verify", "--tls-ca-path", &site.authority(), "--auth", mechanism]);
                swaks.args(["--auth-user", "ann@example.test", "--auth-password", password]);
                swaks.args(["--from", "ann@example.test", "--to", "bob@example.test"]);
                let output = swaks.output().unwrap();
                assert_eq!(output.status.success(), right, "{mechanism} {port}: {output:?}");
                site.logged_on(start, "smtp", mechanism, right);
                sent += usize::from(right);
            }
        }
    }
    assert_eq!(site.inbox("bob").iter().filter(|message| message.contains("with ESMTPSA")).count(), sent);
}

#[test]
fn swaks_as_a_stranger_reaches_our_mailboxes_and_nobody_elses() {
    let site = Site::new();
    let attempt = |sender: &str, recipient: &str| {
        let mut swaks = client("swaks")?;
        swaks.args(["--server", "localhost", "--port", &site.port("smtp").to_string()]);
        let output = swaks.args(["--from", sender, "--to", recipient]).output().unwrap();
        Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    for (sender, recipient, answer) in [
        ("carl@elsewhere.test", "ann@example.test", "250 2"),
        ("<>", "ann@example.test", "250 2"),
        ("carl@elsewhere.test", "postmaster", "250 2"),
        ("carl@elsewhere.test", "eve@elsewhere.test", "550 5.7.1 Unable to relay"),
        ("carl@elsewhere.test", "nobody@example.test", "550 5.1.1 User unknown"),
        (
            "bob@example.test",
            "ann@example.test",
            "550 5.7.1 Anonymous client does not have permissions to send as this sender",
        ),
    ] {
        let Some((accepted, talk)) = attempt(sender, recipient) else { return };
        assert!(talk.contains(answer), "{sender} to {recipient}: {talk}");
        assert_eq!(accepted, answer.starts_with('2'), "{sender} to {recipient}: {talk}");
    }
    assert_eq!(site.inbox("ann").len(), 3);
}

#[test]
fn msmtp_submits_with_what_it_chooses_and_with_each_mechanism() {
    for mechanism in ["on", "plain", "login", "scram-sha-1", "scram-sha-256"] {
        let site = Site::new();
        let Some(mut msmtp) = client("msmtp") else { return };
        let password = site.configuration("password", PASSWORD);
        let configuration = site.configuration(
            "msmtprc",
            &format!(
                "account default\nhost localhost\nport {}\ntls on\ntls_starttls off\ntls_trust_file {}\nauth {mechanism}\n\
                 user ann@example.test\npasswordeval cat {}\nfrom ann@example.test\n",
                site.port("submissions"),
                site.authority(),
                password.display(),
            ),
        );
        run_with_input(msmtp.arg("--file").arg(configuration).arg("bob@example.test"), MESSAGE);
        bob_has_it(&site);
    }
}

#[test]
fn mutt_submits() {
    let site = Site::new();
    let Some(mut mutt) = client("mutt") else { return };
    let configuration = site.configuration(
        "muttrc",
        &format!(
            "set smtp_url=\"smtp://ann@example.test@localhost:{}/\" smtp_pass=\"{PASSWORD}\" ssl_force_tls=yes\n\
             set certificate_file=\"{}\" from=ann@example.test copy=no\n",
            site.port("submission"),
            site.authority(),
        ),
    );
    mutt.arg("-F").arg(configuration).args(["-s", "sent", "--", "bob@example.test"]);
    run_with_input(&mut mutt, "text\n");
    bob_has_it(&site);
}
