//! The table of commands: what is known, when it is valid, what CAPA says of it.

use super::command::{Arguments, Command, Transaction};
use crate::logon::Offer;

/// A command's one definition.
pub(super) struct Row {
    pub name: &'static str,
    /// What a client is told that got the arguments wrong.
    pub syntax: &'static str,
    pub valid: Valid,
    /// Whether it may be used on the channel as it is; if not, the offer knows the cure.
    pub offered: fn(&Offer) -> bool,
    /// RFC 2449 §6: how CAPA announces it while it is offered.
    pub capability: Option<fn(&Offer) -> String>,
    pub parse: fn(Arguments<'_>) -> Option<Command>,
}

/// RFC 1939 §4, §5: the states a command is valid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Valid {
    Authorization,
    Transaction,
    Always,
}

/// What is true of the session and belongs to no command.
const SESSION_CAPABILITIES: [&str; 3] = ["PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"];

const fn always(_: &Offer) -> bool {
    true
}

#[rustfmt::skip]
static COMMANDS: [Row; 14] = [
    Row { name: "CAPA", syntax: "CAPA", valid: Valid::Always, offered: always,
        capability: None,
        parse: |arguments| arguments.none().map(|()| Command::Capa) },
    Row { name: "STLS", syntax: "STLS", valid: Valid::Authorization, offered: |offer| offer.starttls,
        capability: Some(|_| "STLS".to_owned()),
        parse: |arguments| arguments.none().map(|()| Command::Stls) },
    Row { name: "USER", syntax: "USER name", valid: Valid::Authorization, offered: |offer| offer.password_command,
        capability: Some(|_| "USER".to_owned()),
        parse: |arguments| arguments.name().map(Command::User) },
    Row { name: "PASS", syntax: "PASS password", valid: Valid::Authorization, offered: |offer| offer.password_command,
        capability: None,
        parse: |arguments| arguments.password().map(Command::Pass) },
    Row { name: "AUTH", syntax: "AUTH mechanism [initial-response]", valid: Valid::Authorization,
        offered: |offer| !offer.mechanisms.is_empty(),
        capability: Some(sasl),
        parse: |arguments| arguments.auth().map(Command::Auth) },
    Row { name: "TOP", syntax: "TOP message lines", valid: Valid::Transaction, offered: always,
        capability: Some(|_| "TOP".to_owned()),
        parse: |arguments| {
            let (number, lines) = arguments.number_and_lines()?;
            Some(Command::Transaction(Transaction::Top(number, lines)))
        } },
    Row { name: "UIDL", syntax: "UIDL [message]", valid: Valid::Transaction, offered: always,
        capability: Some(|_| "UIDL".to_owned()),
        parse: |arguments| Some(Command::Transaction(Transaction::Uidl(arguments.number_if_any()?))) },
    Row { name: "STAT", syntax: "STAT", valid: Valid::Transaction, offered: always,
        capability: None,
        parse: |arguments| arguments.none().map(|()| Command::Transaction(Transaction::Stat)) },
    Row { name: "LIST", syntax: "LIST [message]", valid: Valid::Transaction, offered: always,
        capability: None,
        parse: |arguments| Some(Command::Transaction(Transaction::List(arguments.number_if_any()?))) },
    Row { name: "RETR", syntax: "RETR message", valid: Valid::Transaction, offered: always,
        capability: None,
        parse: |arguments| Some(Command::Transaction(Transaction::Retr(arguments.number()?))) },
    Row { name: "DELE", syntax: "DELE message", valid: Valid::Transaction, offered: always,
        capability: None,
        parse: |arguments| Some(Command::Transaction(Transaction::Dele(arguments.number()?))) },
    Row { name: "RSET", syntax: "RSET", valid: Valid::Transaction, offered: always,
        capability: None,
        parse: |arguments| arguments.none().map(|()| Command::Transaction(Transaction::Rset)) },
    Row { name: "NOOP", syntax: "NOOP", valid: Valid::Transaction, offered: always,
        capability: None,
        parse: |arguments| arguments.none().map(|()| Command::Noop) },
    Row { name: "QUIT", syntax: "QUIT", valid: Valid::Always, offered: always,
        capability: None,
        parse: |arguments| arguments.none().map(|()| Command::Quit) },
];

/// RFC 5034 §3.
fn sasl(offer: &Offer) -> String {
    offer.mechanisms.iter().fold("SASL".to_owned(), |line, mechanism| format!("{line} {}", mechanism.name()))
}

/// The row of the command that a line begins with, and what stands after its name.
pub(super) fn find(line: &[u8]) -> Option<(&'static Row, Arguments<'_>)> {
    let (name, arguments) = line.split_at(line.iter().position(|&octet| octet == b' ').unwrap_or(line.len()));
    // RFC 1939 §3: keywords are case-insensitive.
    let row = COMMANDS.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(name))?;
    Some((row, Arguments(arguments)))
}

/// The lines of CAPA, true for the channel as it is (RFC 2595 §4 lets them differ before and after TLS).
pub(super) fn capabilities(offer: &Offer) -> impl Iterator<Item = String> {
    let commands = COMMANDS.iter().filter(|row| (row.offered)(offer)).filter_map(|row| row.capability);
    commands.map(|capability| capability(offer)).chain(SESSION_CAPABILITIES.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logon::Mechanism;

    #[test]
    fn a_row_is_found_in_any_case_and_by_its_whole_name_only() {
        assert_eq!(find(b"retr 1").map(|(row, _)| row.name), Some("RETR"));
        assert_eq!(find(b"QUIT").map(|(row, _)| row.name), Some("QUIT"));
        for line in ["RET 1", "RETR1", "RETR\t1", " RETR 1", "", " "] {
            assert!(find(line.as_bytes()).is_none(), "{line:?}");
        }
    }

    #[test]
    fn every_syntax_begins_with_its_name_and_every_name_is_there_once() {
        for row in &COMMANDS {
            assert!(row.syntax.starts_with(row.name));
            assert_eq!(COMMANDS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }

    #[test]
    fn capabilities_are_those_of_the_offer() {
        let lines = |offer: &Offer| capabilities(offer).collect::<Vec<_>>().join("/");
        let mut offer = Offer { starttls: true, password_command: false, mechanisms: vec![], cure: String::new() };
        assert_eq!(lines(&offer), "STLS/TOP/UIDL/PIPELINING/RESP-CODES/AUTH-RESP-CODE");
        offer = Offer {
            starttls: false,
            password_command: true,
            mechanisms: vec![Mechanism::Plain, Mechanism::Login],
            ..offer
        };
        assert_eq!(lines(&offer), "USER/SASL PLAIN LOGIN/TOP/UIDL/PIPELINING/RESP-CODES/AUTH-RESP-CODE");
    }
}
