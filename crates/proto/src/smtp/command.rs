//! Commands (RFC 5321 §4.1.1 and its extensions): one table row each, parsed into types.

use std::fmt;

use super::{AddressError, Domain, ForwardPath, Limits, Mailbox, ReversePath};
use crate::logon::Secret;

/// A command line understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Hello {
        extended: bool,
        client: ClientName,
    },
    Mail(Mail),
    Rcpt(ForwardPath),
    Data,
    /// RFC 3030 §2.
    Bdat {
        octets: u64,
        last: bool,
    },
    Reset,
    NoOperation,
    Verify,
    Expand,
    Help,
    Quit,
    /// RFC 3207.
    StartTls,
    /// RFC 4954 §4; the initial response is still coded.
    Auth {
        mechanism: Vec<u8>,
        initial: Option<Secret>,
    },
}

/// Why a command line was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    Unknown,
    /// A browser, or a page made one talk to us (ALPACA): the connection is not to go on.
    Http,
    Arguments(&'static str),
    ClientName,
    Sender(AddressError),
    Recipient(AddressError),
    /// RFC 5321 §4.1.1.11: a parameter of an extension that was not offered.
    Parameter(&'static str),
    /// The octets that follow cannot be told from commands.
    Chunk,
}

/// MAIL with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub from: ReversePath,
    /// RFC 1870: what the client thinks the message's size is.
    pub size: Option<u64>,
    pub body: Option<BodyType>,
}

/// RFC 6152.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyType {
    SevenBit,
    EightBitMime,
}

/// What a client calls itself. It is never believed, and often no domain at all, so it is no reason to
/// refuse (RFC 5321 §4.1.4); what could bend a header line is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientName(Box<str>);

impl ClientName {
    const MAX_OCTETS: usize = 255;

    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.contains(&b' ') || text.len() > Self::MAX_OCTETS {
            return None;
        }
        let harmless = |b: &u8| if b.is_ascii_alphanumeric() || b"-._[]:".contains(b) { char::from(*b) } else { '?' };
        Some(Self(match Domain::parse(text) {
            Ok(domain) => domain.to_string().into(),
            Err(_) => text.iter().map(harmless).collect::<String>().into(),
        }))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One command: its name, how long its line may be, whether EHLO or HELO has to come first.
pub(crate) struct Row {
    pub name: &'static str,
    pub line: usize,
    pub after_hello: bool,
    parse: fn(&[u8]) -> Result<Command, CommandError>,
}

pub(crate) const COMMANDS: [Row; 14] = [
    row("EHLO", Limits::COMMAND_LINE, false, |args| hello(true, args)),
    row("HELO", Limits::COMMAND_LINE, false, |args| hello(false, args)),
    row("MAIL", Limits::MAIL_LINE, true, mail),
    row("RCPT", Limits::COMMAND_LINE, true, rcpt),
    row("DATA", Limits::COMMAND_LINE, true, |args| bare(args, Command::Data)),
    row("BDAT", Limits::COMMAND_LINE, false, bdat),
    row("RSET", Limits::COMMAND_LINE, false, |args| bare(args, Command::Reset)),
    row("NOOP", Limits::COMMAND_LINE, false, |_| Ok(Command::NoOperation)),
    row("VRFY", Limits::COMMAND_LINE, false, |args| with_text(args, Command::Verify)),
    row("EXPN", Limits::COMMAND_LINE, false, |args| with_text(args, Command::Expand)),
    row("HELP", Limits::COMMAND_LINE, false, |_| Ok(Command::Help)),
    row("QUIT", Limits::COMMAND_LINE, false, |args| bare(args, Command::Quit)),
    row("STARTTLS", Limits::COMMAND_LINE, true, |args| bare(args, Command::StartTls)),
    row("AUTH", Limits::AUTH_LINE, true, auth),
];

const fn row(
    name: &'static str,
    line: usize,
    after_hello: bool,
    parse: fn(&[u8]) -> Result<Command, CommandError>,
) -> Row {
    Row { name, line, after_hello, parse }
}

/// The methods of RFC 9110 §9.3 and PATCH.
const HTTP_METHODS: [&[u8]; 9] =
    [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];

impl Command {
    /// Parses a line without its CRLF.
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let (row, arguments) = Row::find(line)?;
        row.parse(arguments)
    }
}

impl Row {
    /// The row of a line, or of its beginning, and what follows the verb.
    pub fn find(line: &[u8]) -> Result<(&'static Self, &[u8]), CommandError> {
        let end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let (verb, arguments) = line.split_at(end);
        // RFC 5321 §2.4: verbs are compared without case.
        match COMMANDS.iter().find(|row| row.name.as_bytes().eq_ignore_ascii_case(verb)) {
            Some(row) => Ok((row, arguments.trim_ascii())),
            None if HTTP_METHODS.contains(&verb) => Err(CommandError::Http),
            None => Err(CommandError::Unknown),
        }
    }

    pub fn parse(&self, arguments: &[u8]) -> Result<Command, CommandError> {
        (self.parse)(arguments)
    }
}

fn bare(arguments: &[u8], command: Command) -> Result<Command, CommandError> {
    if arguments.is_empty() { Ok(command) } else { Err(CommandError::Arguments("No arguments are expected")) }
}

fn with_text(arguments: &[u8], command: Command) -> Result<Command, CommandError> {
    if arguments.is_empty() { Err(CommandError::Arguments("An argument is expected")) } else { Ok(command) }
}

fn hello(extended: bool, arguments: &[u8]) -> Result<Command, CommandError> {
    let client = ClientName::parse(arguments).ok_or(CommandError::ClientName)?;
    Ok(Command::Hello { extended, client })
}

fn mail(arguments: &[u8]) -> Result<Command, CommandError> {
    let path = after_keyword(arguments, b"FROM:", "MAIL FROM:<address> is expected")?;
    let (from, rest) = ReversePath::take(path).map_err(CommandError::Sender)?;
    let mut mail = Mail { from, size: None, body: None };
    let mut seen_auth = false;
    for (keyword, value) in parameters(rest)? {
        let twice = CommandError::Arguments("A parameter is given twice");
        if keyword.eq_ignore_ascii_case(b"SIZE") {
            let size = decimal(value).ok_or(CommandError::Arguments("SIZE=number is expected"))?;
            set_once(&mut mail.size, size, twice)?;
        } else if keyword.eq_ignore_ascii_case(b"BODY") {
            let body = if value.eq_ignore_ascii_case(b"7BIT") {
                BodyType::SevenBit
            } else if value.eq_ignore_ascii_case(b"8BITMIME") {
                BodyType::EightBitMime
            } else {
                return Err(CommandError::Arguments("BODY=7BIT or BODY=8BITMIME is expected"));
            };
            set_once(&mut mail.body, body, twice)?;
        } else if keyword.eq_ignore_ascii_case(b"AUTH") {
            // RFC 4954 §5: from a client that is not trusted with it the value counts as `<>`; we trust
            // none, so it is checked and dropped.
            if std::mem::replace(&mut seen_auth, true) {
                return Err(twice);
            }
            if !is_auth_value(value) {
                return Err(CommandError::Arguments("AUTH=<> or AUTH=address is expected"));
            }
        } else {
            return Err(CommandError::Parameter("Unsupported MAIL parameter"));
        }
    }
    Ok(Command::Mail(mail))
}

fn rcpt(arguments: &[u8]) -> Result<Command, CommandError> {
    let path = after_keyword(arguments, b"TO:", "RCPT TO:<address> is expected")?;
    let (to, rest) = ForwardPath::take(path).map_err(CommandError::Recipient)?;
    if parameters(rest)?.next().is_some() {
        return Err(CommandError::Parameter("Unsupported RCPT parameter"));
    }
    Ok(Command::Rcpt(to))
}

fn bdat(arguments: &[u8]) -> Result<Command, CommandError> {
    let mut words = arguments.split(|&b| b == b' ');
    let octets = words.next().and_then(decimal).ok_or(CommandError::Chunk)?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"LAST") => true,
        Some(_) => return Err(CommandError::Chunk),
    };
    if words.next().is_some() {
        return Err(CommandError::Chunk);
    }
    Ok(Command::Bdat { octets, last })
}

fn auth(arguments: &[u8]) -> Result<Command, CommandError> {
    let mut words = arguments.split(|&b| b == b' ');
    let mechanism = words.next().filter(|name| !name.is_empty());
    // What it holds is judged with the exchange's other lines.
    let initial = words.next().map(|text| Secret::new(String::from_utf8_lossy(text).into_owned()));
    match (mechanism, words.next()) {
        (Some(name), None) => Ok(Command::Auth { mechanism: name.to_vec(), initial }),
        _ => Err(CommandError::Arguments("AUTH mechanism [initial-response] is expected")),
    }
}

/// Clients are found to put a space behind the colon, which costs nothing to take.
fn after_keyword<'a>(arguments: &'a [u8], keyword: &[u8], usage: &'static str) -> Result<&'a [u8], CommandError> {
    match arguments.split_at_checked(keyword.len()) {
        Some((word, path)) if word.eq_ignore_ascii_case(keyword) => Ok(path.trim_ascii_start()),
        _ => Err(CommandError::Arguments(usage)),
    }
}

/// `keyword[=value]` words (RFC 5321 §4.1.2: Mail-parameters); a missing value is empty.
fn parameters(rest: &[u8]) -> Result<impl Iterator<Item = (&[u8], &[u8])>, CommandError> {
    if !rest.is_empty() && !rest.starts_with(b" ") {
        return Err(CommandError::Arguments("A space is expected after the path"));
    }
    let words = rest.split(|&b| b == b' ').filter(|word| !word.is_empty());
    Ok(words.map(|word| match word.iter().position(|&b| b == b'=') {
        Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default()),
        None => (word, [].as_slice()),
    }))
}

fn set_once<T>(slot: &mut Option<T>, value: T, twice: CommandError) -> Result<(), CommandError> {
    if slot.replace(value).is_some() { Err(twice) } else { Ok(()) }
}

/// RFC 1870 §3 and RFC 3030 §2: 1 to 20 digits; what is past 64 bits counts as the most there is.
fn decimal(digits: &[u8]) -> Option<u64> {
    if !(1..=20).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))))
}

/// RFC 4954 §5: `<>` or a mailbox, as xtext (RFC 3461 §4).
fn is_auth_value(value: &[u8]) -> bool {
    let mut text = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(&b) = bytes.next() {
        match b {
            b'+' => {
                let mut hex = || bytes.next().and_then(|&b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (hex(), hex()) else { return false };
                text.push((high * 16 + low) as u8);
            }
            b'!'..=b'~' if b != b'=' => text.push(b),
            _ => return false,
        }
    }
    text == b"<>" || Mailbox::parse(&text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, CommandError> {
        Command::parse(line.as_bytes())
    }

    fn mail_of(line: &str) -> Mail {
        match parse(line) {
            Ok(Command::Mail(mail)) => mail,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn verbs_are_known_in_any_case_and_with_spaces_behind() {
        assert_eq!(parse("quit"), Ok(Command::Quit));
        assert_eq!(parse("Quit  "), Ok(Command::Quit));
        assert_eq!(parse("NOOP whatever"), Ok(Command::NoOperation));
        assert_eq!(parse("HELP MAIL"), Ok(Command::Help));
        assert_eq!(parse("DATA"), Ok(Command::Data));
        assert_eq!(parse("rset"), Ok(Command::Reset));
        assert_eq!(parse("starttls"), Ok(Command::StartTls));
        assert_eq!(parse("VRFY ann"), Ok(Command::Verify));
        assert_eq!(parse("EXPN list"), Ok(Command::Expand));
        for line in ["", " ", " QUIT", "QUITX", "XEXCH50 1 2", "HELO\tx", "\0"] {
            assert_eq!(parse(line), Err(CommandError::Unknown), "{line:?}");
        }
        for line in ["QUIT now", "DATA x", "RSET x", "STARTTLS x", "VRFY", "EXPN", "AUTH", "AUTH PLAIN a b"] {
            assert!(matches!(parse(line), Err(CommandError::Arguments(_))), "{line:?}");
        }
    }

    #[test]
    fn a_browser_is_recognised() {
        for line in ["GET / HTTP/1.1", "POST /x HTTP/1.0", "CONNECT mail:25 HTTP/1.1", "OPTIONS * HTTP/1.1"] {
            assert_eq!(parse(line), Err(CommandError::Http), "{line}");
        }
        assert_eq!(parse("GETS"), Err(CommandError::Unknown));
    }

    #[test]
    fn client_names_are_taken_as_they_come_and_made_harmless() {
        let name = |line: &str| match parse(line) {
            Ok(Command::Hello { client, .. }) => client.to_string(),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(name("EHLO Mail.Example.TEST"), "mail.example.test");
        assert_eq!(name("HELO [127.0.0.1]"), "[127.0.0.1]");
        assert_eq!(name("EHLO my_pc"), "my_pc");
        assert_eq!(name("EHLO a(b)\r;<x>\u{1b}ü"), "a?b????x????");
        assert_eq!(name(&format!("EHLO {}", "a".repeat(255))).len(), 255);
        for line in ["EHLO", "EHLO ", "HELO", "EHLO a b", &format!("EHLO {}", "a".repeat(256))] {
            assert_eq!(parse(line), Err(CommandError::ClientName), "{line}");
        }
    }

    #[test]
    fn mail_takes_its_parameters() {
        let mail = mail_of("mail from:<ann@example.test> size=100 BODY=8bitmime AUTH=<>");
        assert_eq!((mail.size, mail.body), (Some(100), Some(BodyType::EightBitMime)));
        assert_eq!(mail_of("MAIL FROM: <>").from, ReversePath::Null);
        assert_eq!(mail_of("MAIL FROM:<a@b> BODY=7BIT").body, Some(BodyType::SevenBit));
        assert_eq!(mail_of("MAIL FROM:<a@b> AUTH=e+3Dmc2@example.test").size, None);
        assert_eq!(mail_of("MAIL FROM:<a@b> SIZE=99999999999999999999").size, Some(u64::MAX));
        assert_eq!(mail_of("MAIL FROM:<a@b>  SIZE=0 ").size, Some(0));
        for line in [
            "MAIL",
            "MAIL FROM",
            "MAIL TO:<a@b>",
            "MAIL FROM:<a@b>SIZE=1",
            "MAIL FROM:<a@b> SIZE=",
            "MAIL FROM:<a@b> SIZE",
            "MAIL FROM:<a@b> SIZE=-1",
            "MAIL FROM:<a@b> SIZE=1x",
            "MAIL FROM:<a@b> SIZE=000000000000000000001",
            "MAIL FROM:<a@b> SIZE=1 SIZE=1",
            "MAIL FROM:<a@b> BODY=BINARYMIME",
            "MAIL FROM:<a@b> BODY=7BIT BODY=7BIT",
            "MAIL FROM:<a@b> AUTH=",
            "MAIL FROM:<a@b> AUTH=+3",
            "MAIL FROM:<a@b> AUTH=nobody",
            "MAIL FROM:<a@b> AUTH=<> AUTH=<>",
            "MAIL FROM:<a@b> AUTH=a+0D+0Ab@c",
        ] {
            assert!(matches!(parse(line), Err(CommandError::Arguments(_))), "{line:?}");
        }
        for line in
            ["MAIL FROM:<a@b> SMTPUTF8", "MAIL FROM:<a@b> RET=HDRS", "MAIL FROM:<a@b> =x", "RCPT TO:<a@b> NOTIFY=NEVER"]
        {
            assert!(matches!(parse(line), Err(CommandError::Parameter(_))), "{line:?}");
        }
        assert_eq!(parse("MAIL FROM:ann@b"), Err(CommandError::Sender(AddressError::Syntax)));
        assert_eq!(parse("RCPT TO:<>"), Err(CommandError::Recipient(AddressError::Syntax)));
        assert_eq!(parse("RCPT TO:<ann@ü>"), Err(CommandError::Recipient(AddressError::NotAscii)));
        assert_eq!(parse("RCPT TO:<postmaster>"), Ok(Command::Rcpt(ForwardPath::Postmaster)));
    }

    #[test]
    fn a_chunk_has_a_size_or_is_an_error_of_its_own() {
        assert_eq!(parse("BDAT 10"), Ok(Command::Bdat { octets: 10, last: false }));
        assert_eq!(parse("bdat 0 last"), Ok(Command::Bdat { octets: 0, last: true }));
        for line in
            ["BDAT", "BDAT x", "BDAT -1", "BDAT 1 2", "BDAT 1 LAST x", "BDAT 1  LAST", "BDAT 111111111111111111111"]
        {
            assert_eq!(parse(line), Err(CommandError::Chunk), "{line}");
        }
    }

    #[test]
    fn auth_splits_mechanism_and_initial_response() {
        let auth = |mechanism: &str, initial: Option<&str>| {
            let initial = initial.map(|text| Secret::new(text.to_owned()));
            Ok(Command::Auth { mechanism: mechanism.into(), initial })
        };
        assert_eq!(parse("AUTH PLAIN"), auth("PLAIN", None));
        assert_eq!(parse("AUTH plain AGEAYg=="), auth("plain", Some("AGEAYg==")));
        assert_eq!(parse("AUTH LOGIN ="), auth("LOGIN", Some("=")));
    }
}
