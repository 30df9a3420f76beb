//! Jakarta Mail, which Java programs send and read with.

use std::path::Path;
use std::process::Command;

use crate::tokens::Provider;
use crate::{PASSWORD, Site, client, is_there, run};

const LIBRARIES: [&str; 2] = ["/usr/share/java/jakarta-mail.jar", "/usr/share/java/jakarta-activation.jar"];

const POP3: [(&str, &str); 2] = [("pop3s", "pop3s"), ("pop3", "pop3")];
const IMAP_AND_SMTP: [(&str, &str); 4] =
    [("imaps", "imaps"), ("imap", "imap"), ("smtps", "submissions"), ("smtp", "submission")];

/// Jakarta Mail with Ann's secret, to log on by one mechanism alone.
fn java(site: &Site, mechanism: &str, secret: &str) -> Option<Command> {
    // A source file is run by the compiler.
    client("javac")?;
    let mut java = client("java")?;
    for library in LIBRARIES {
        is_there(library, Path::new(library).is_file())?;
    }
    let source = site.scratch.file("Client.java", include_str!("Client.java"));
    java.env("SECRET", secret).arg("-cp").arg(LIBRARIES.join(":")).arg(source);
    java.args([&site.authority(), mechanism, "ann@example.test"]);
    Some(java)
}

#[test]
fn jakarta_mail_reads_and_sends_by_each_mechanism_with_the_right_secret_alone() {
    let provider = Provider::start();
    let site = provider.site(&[]);
    site.opt_in_to_ntlm();
    site.deliver("ann@example.test", "hello");
    let token = provider.token("email_verified", true.into());
    for (mechanism, secret) in [("PLAIN", PASSWORD), ("NTLM", PASSWORD), ("XOAUTH2", &token)] {
        let mut ports = IMAP_AND_SMTP.to_vec();
        // By POP3 its NTLM drops the first four characters of the challenge (2.0.0), and answers something else.
        if mechanism != "NTLM" {
            ports.extend(POP3);
        }
        let mut log = site.server.log().len();
        let Some(mut java) = java(&site, mechanism, secret) else { return };
        for (protocol, port) in &ports {
            java.args([*protocol, &site.port(port).to_string()]);
        }
        let said = run(&mut java);
        for (protocol, _) in ports {
            let name = protocol.trim_end_matches('s');
            for granted in [false, true] {
                log = site.logged_on(log, name, mechanism, granted);
            }
            assert!(name == "smtp" || said.contains(&format!("{protocol} read: hello\n")), "{said}");
        }
    }
    assert_eq!(site.inbox("bob").iter().filter(|message| message.contains("with ESMTPSA")).count(), 6);
}
