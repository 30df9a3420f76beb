//! curl by each mechanism that it has, at each port.

use std::process::Command;

use serde_json::json;

use crate::tokens::Provider;
use crate::{PASSWORD, Site, client, run};

/// The ports that take log-ons, those with TLS from the start and those with STLS or STARTTLS.
const PORTS: [&str; 7] = ["pop3s", "pop3", "imaps", "imap", "submissions", "submission", "smtp"];

/// What curl ends with when its log-on is refused.
pub const LOG_ON_DENIED: i32 = 67;

/// curl at a port, with these lines of its configuration to log on: it reads Ann's first message, or sends one to Bob.
pub fn curl(site: &Site, port: &str, log_on: &str) -> Option<Command> {
    let mut curl = client("curl")?;
    let configuration = site.configuration("curlrc", log_on);
    curl.args(["--silent", "--show-error", "--ssl-reqd", "--cacert", &site.authority()]);
    curl.arg("--config").arg(configuration);
    let (scheme, path) = match port {
        "submissions" => ("smtps", ""),
        "submission" | "smtp" => ("smtp", ""),
        "imaps" | "imap" => (port, "INBOX;MAILINDEX=1"),
        _ => (port, "1"),
    };
    if scheme.starts_with("smtp") {
        let message = site.scratch.file("message", "From: ann@example.test\r\nSubject: sent\r\n\r\n.dot\r\n");
        curl.args(["--mail-from", "ann@example.test", "--mail-rcpt", "bob@example.test"]);
        curl.arg("--upload-file").arg(message);
    }
    curl.arg(format!("{scheme}://localhost:{}/{path}", site.port(port)));
    Some(curl)
}

/// Ann's password in a configuration.
pub fn password(password: &str) -> String {
    format!("user = \"ann@example.test:{password}\"\n")
}

/// A token for Ann in a configuration. curl takes OAUTHBEARER wherever that is offered.
pub fn token(token: &str) -> String {
    format!("user = \"ann@example.test:\"\noauth2-bearer = \"{token}\"\n")
}

#[test]
fn every_mechanism_lets_in_at_every_port_whoever_is_right_and_nobody_else() {
    let provider = Provider::start();
    let site = provider.site(&[]);
    site.opt_in_to_ntlm();
    site.deliver("ann@example.test", "hello");
    let passwords = || (password(PASSWORD), password("another password"));
    let tokens = (token(&provider.token("email_verified", true.into())), token(&provider.token("aud", json!("other"))));
    let mut sent = 0;
    for (mechanism, (right, wrong)) in
        [("PLAIN", passwords()), ("LOGIN", passwords()), ("NTLM", passwords()), ("OAUTHBEARER", tokens)]
    {
        let option = format!("login-options = \"AUTH={mechanism}\"\n");
        for port in PORTS {
            let protocol = if port.starts_with('s') { "smtp" } else { &port[..4] };
            // With the client's first message in a line of its own, and in that of the command.
            for initial in ["", "sasl-ir\n"] {
                let start = site.server.log().len();
                let Some(mut curl) = curl(&site, port, &format!("{right}{option}{initial}")) else { return };
                let said = run(&mut curl);
                match protocol {
                    "smtp" => sent += 1,
                    _ => assert!(said.contains("Subject: hello\r\n") && said.contains("\r\n.hidden\r\n"), "{said}"),
                }
                site.logged_on(start, protocol, mechanism, true);
            }
            let start = site.server.log().len();
            let output = curl(&site, port, &format!("{wrong}{option}")).unwrap().output().unwrap();
            assert_eq!(output.status.code(), Some(LOG_ON_DENIED), "{mechanism} {port}: {output:?}");
            site.logged_on(start, protocol, mechanism, false);
        }
    }
    let inbox = site.inbox("bob");
    assert_eq!(inbox.len(), sent);
    assert!(inbox.iter().all(|message| message.contains("with ESMTPSA") && message.contains("\n.dot\n")));
}
