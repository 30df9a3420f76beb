//! The policy as a page for people; `docs/log-on.md` holds it, and a test holds that page to it.

use std::fmt::Write;

use proto::logon::{Channel, ExtendedProtection, Mechanism};

use crate::{AuthMechanisms, LoginType, Method, Rule};

/// The table in Markdown: what is taken where, by mechanism.
fn policy_table() -> String {
    let mut text = String::new();
    pop3_and_imap(&mut text);
    text.push('\n');
    smtp(&mut text);
    text
}

fn methods() -> impl Iterator<Item = (Method, String)> {
    let mechanisms = Mechanism::ALL.into_iter().map(|one| (Method::Mechanism(one), one.name().to_owned()));
    mechanisms.chain([(Method::PasswordCommand, "USER and PASS, LOGIN".to_owned())])
}

fn pop3_and_imap(text: &mut String) {
    text.push_str("| POP3, IMAP4 |");
    for login_type in LoginType::ALL {
        let _ = write!(text, " in clear, {login_type} |");
    }
    text.push_str(" under TLS |\n|---|---|---|---|---|\n");
    for (method, name) in methods() {
        let _ = write!(text, "| {name} |");
        for login_type in LoginType::ALL {
            cell(text, Rule::LoginType(login_type), Channel::Clear, method);
        }
        cell(text, Rule::LoginType(LoginType::SecureLogin), Channel::Implicit, method);
        text.push('\n');
    }
}

fn smtp(text: &mut String) {
    const SETS: [AuthMechanisms; 4] = [
        AuthMechanisms::BASIC_AUTH,
        AuthMechanisms::INTEGRATED,
        AuthMechanisms::BASIC_AUTH.with(AuthMechanisms::INTEGRATED),
        AuthMechanisms::BASIC_AUTH
            .with(AuthMechanisms::INTEGRATED)
            .with(AuthMechanisms::TLS)
            .with(AuthMechanisms::BASIC_AUTH_REQUIRE_TLS),
    ];
    text.push_str("| SMTP |");
    for set in SETS {
        let _ = write!(text, " {set}: in clear | under TLS |");
    }
    text.push_str("\n|---|---|---|---|---|---|---|---|---|\n");
    for (method, name) in methods().filter(|(method, _)| *method != Method::PasswordCommand) {
        let _ = write!(text, "| {name} |");
        for set in SETS {
            cell(text, Rule::Connector(set), Channel::Clear, method);
            cell(text, Rule::Connector(set), Channel::Implicit, method);
        }
        text.push('\n');
    }
}

/// What extended protection changes stands beside.
fn cell(text: &mut String, rule: Rule, channel: Channel, method: Method) {
    let allowed = ExtendedProtection::ALL.map(|protection| rule.allows(protection, channel, method));
    text.push_str(match allowed {
        [true, true, true] => " yes |",
        [true, true, false] => " yes, unless Require |",
        [false, true, true] => " with Allow, Require |",
        [false, true, false] => " with Allow |",
        _ => " – |",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `WRITE_DOCS=1 cargo test -p identity` writes the page anew.
    #[test]
    fn the_page_holds_the_table() {
        const BEGIN: &str = "<!-- The table is written by a test of the crate identity. -->\n";
        const END: &str = "<!-- The end of the table. -->\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/log-on.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let written = format!("{before}{BEGIN}\n{}\n{END}{after}", policy_table());
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(path, &written).unwrap();
        }
        assert_eq!(page, written, "WRITE_DOCS=1 cargo test -p identity writes it");
    }
}
