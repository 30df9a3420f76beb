//! Paths and mailboxes (RFC 5321 §4.1.2), parsed once into types that print in one canonical form.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// RFC 5321 §4.5.3.1: local part, domain, and a path with its brackets.
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;
const MAX_PATH: usize = 256;

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    Syntax,
    TooLong,
    /// RFC 6531 is not offered, so neither mailbox names nor domains may leave ASCII.
    NotAscii,
}

/// Where a message is to be returned to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// RFC 5321 §4.5.5: `<>`, nobody wants to hear of a failure.
    Null,
    Mailbox(Mailbox),
}

impl ReversePath {
    /// Takes a path from the front of `text` and gives what follows it.
    pub(crate) fn take(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        let (inner, rest) = brackets(text)?;
        let path = if inner.is_empty() { Self::Null } else { Self::Mailbox(Mailbox::parse(without_route(inner)?)?) };
        Ok((path, rest))
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// RFC 5321 §4.1.1.3: `<postmaster>` without a domain, in any case.
    Postmaster,
    Mailbox(Mailbox),
}

impl ForwardPath {
    pub(crate) fn take(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        let (inner, rest) = brackets(text)?;
        if inner.eq_ignore_ascii_case(b"postmaster") {
            return Ok((Self::Postmaster, rest));
        }
        Ok((Self::Mailbox(Mailbox::parse(without_route(inner)?)?), rest))
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<postmaster>"),
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
        }
    }
}

/// `local@domain`, pure printable ASCII. The local part is held without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    local: Box<str>,
    domain: Domain,
}

impl Mailbox {
    /// Parses the whole of `text`; there is no form that is let through half understood.
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        if text.len() > MAX_PATH - 2 {
            return Err(AddressError::TooLong);
        }
        let (local, rest) = match text.strip_prefix(b"\"") {
            Some(quoted) => take_quoted(quoted)?,
            None => take_dot_string(text)?,
        };
        if local.len() > MAX_LOCAL {
            return Err(AddressError::TooLong);
        }
        let domain = rest.strip_prefix(b"@").ok_or(AddressError::Syntax)?;
        Ok(Self { local: local.into(), domain: Domain::parse(domain)? })
    }

    /// Without quotes or backslashes; may hold any printable ASCII.
    pub fn local(&self) -> &str {
        &self.local
    }

    pub fn domain(&self) -> &Domain {
        &self.domain
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 5321 §4.1.2: the simplest form that means the same is to be sent.
        if is_dot_string(self.local.as_bytes()) {
            return write!(f, "{}@{}", self.local, self.domain);
        }
        f.write_str("\"")?;
        for c in self.local.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        write!(f, "\"@{}", self.domain)
    }
}

/// What stands right of the `@`, and what a client calls itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// In lower case (RFC 5321 §2.4).
    Name(Box<str>),
    /// RFC 5321 §4.1.3, an address literal.
    Literal(IpAddr),
}

impl Domain {
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        if text.len() > MAX_DOMAIN {
            return Err(AddressError::TooLong);
        }
        if let Some(literal) = text.strip_prefix(b"[") {
            let inner = literal.strip_suffix(b"]").and_then(|inner| std::str::from_utf8(inner).ok());
            return inner.and_then(parse_literal).map(Self::Literal).ok_or(AddressError::Syntax);
        }
        let well_formed = text.split(|&b| b == b'.').all(is_label);
        let name = std::str::from_utf8(text).ok().filter(|_| well_formed).ok_or(AddressError::Syntax)?;
        Ok(Self::Name(name.to_ascii_lowercase().into()))
    }

    /// The domain's name, unless it is a literal.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Literal(IpAddr::V4(address)) => write!(f, "[{address}]"),
            Self::Literal(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

/// Splits `<inner>rest`. A `>` within a quoted local part does not end the path.
fn brackets(text: &[u8]) -> Result<(&[u8], &[u8]), AddressError> {
    let inner = text.strip_prefix(b"<").ok_or(AddressError::Syntax)?;
    let mut quoted = false;
    let mut escaped = false;
    for (at, &b) in inner.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => {
                let (inner, rest) = inner.split_at(at);
                return Ok((inner, rest.get(1..).unwrap_or_default()));
            }
            _ => {}
        }
    }
    Err(AddressError::Syntax)
}

/// RFC 5321 §4.1.1.3 and appendix C: a source route (`@one,@two:`) is checked and then ignored; the mailbox
/// behind it is the whole path.
fn without_route(path: &[u8]) -> Result<&[u8], AddressError> {
    if !path.starts_with(b"@") {
        return Ok(path);
    }
    if path.len() > MAX_PATH - 2 {
        return Err(AddressError::TooLong);
    }
    let mut rest = path;
    loop {
        let hop = rest.strip_prefix(b"@").ok_or(AddressError::Syntax)?;
        // An IPv6 literal holds colons, so a literal is skipped whole.
        let from = if hop.starts_with(b"[") { hop.iter().position(|&b| b == b']').unwrap_or(0) } else { 0 };
        let ends = |b: &u8| matches!(b, b',' | b':');
        let end = hop.iter().skip(from).position(ends).ok_or(AddressError::Syntax)? + from;
        let (domain, tail) = hop.split_at(end);
        Domain::parse(domain)?;
        match tail.split_first() {
            Some((b',', next)) => rest = next,
            Some((_, mailbox)) => return Ok(mailbox),
            None => return Err(AddressError::Syntax),
        }
    }
}

/// `Dot-string`; stops before the `@`.
fn take_dot_string(text: &[u8]) -> Result<(String, &[u8]), AddressError> {
    let end = text.iter().position(|&b| b == b'@').ok_or(AddressError::Syntax)?;
    let (local, rest) = text.split_at(end);
    match std::str::from_utf8(local) {
        Ok(name) if is_dot_string(local) => Ok((name.to_owned(), rest)),
        _ => Err(AddressError::Syntax),
    }
}

/// `Quoted-string` after its opening quote; its meaning without quotes and backslashes.
fn take_quoted(text: &[u8]) -> Result<(String, &[u8]), AddressError> {
    let mut local = String::new();
    let mut bytes = text.iter().enumerate();
    while let Some((at, &b)) = bytes.next() {
        let b = match b {
            b'"' if local.is_empty() => return Err(AddressError::Syntax),
            b'"' => return Ok((local, text.get(at + 1..).unwrap_or_default())),
            b'\\' => *bytes.next().ok_or(AddressError::Syntax)?.1,
            b => b,
        };
        // qtextSMTP and quoted-pairSMTP: printable ASCII and the space, no controls.
        if !(0x20..0x7f).contains(&b) {
            return Err(AddressError::Syntax);
        }
        local.push(char::from(b));
    }
    Err(AddressError::Syntax)
}

fn is_dot_string(local: &[u8]) -> bool {
    // RFC 5322 §3.2.3: atext.
    let atext = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(b);
    local.split(|&b| b == b'.').all(|atom| !atom.is_empty() && atom.iter().all(atext))
}

/// RFC 5321 §4.1.2: sub-domain = Let-dig [Ldh-str]; RFC 1035 §2.3.4: 63 octets.
fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        && !label.starts_with(b"-")
        && !label.ends_with(b"-")
}

fn parse_literal(inner: &str) -> Option<IpAddr> {
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner.get(5..)?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(text: &str) -> Result<String, AddressError> {
        ForwardPath::take(text.as_bytes()).map(|(path, rest)| format!("{path}{}", String::from_utf8_lossy(rest)))
    }

    fn reverse(text: &str) -> Result<String, AddressError> {
        ReversePath::take(text.as_bytes()).map(|(path, rest)| format!("{path}{}", String::from_utf8_lossy(rest)))
    }

    #[test]
    fn paths_print_in_one_canonical_form() {
        for (given, printed) in [
            ("<ann@example.test>", "<ann@example.test>"),
            ("<Ann@EXAMPLE.Test> SIZE=1", "<Ann@example.test> SIZE=1"),
            ("<\"ann\"@example.test>", "<ann@example.test>"),
            ("<\"a\\nn\"@example.test>", "<ann@example.test>"),
            ("<\"a n\"@example.test>", "<\"a n\"@example.test>"),
            ("<\"a>n\"@example.test>x", "<\"a>n\"@example.test>x"),
            ("<\"a@b\"@example.test>", "<\"a@b\"@example.test>"),
            ("<\"a\\\"\\\\\"@example.test>", "<\"a\\\"\\\\\"@example.test>"),
            ("<ann@[127.0.0.1]>", "<ann@[127.0.0.1]>"),
            ("<ann@[ipv6:::1]>", "<ann@[IPv6:::1]>"),
            ("<@one.test,@two.test:ann@three.test>", "<ann@three.test>"),
            ("<@[IPv6:::1]:ann@three.test>", "<ann@three.test>"),
            ("<a%b@example.test>", "<a%b@example.test>"),
            ("<ann@localhost>", "<ann@localhost>"),
        ] {
            assert_eq!(forward(given).as_deref(), Ok(printed), "{given}");
            assert_eq!(reverse(given).as_deref(), Ok(printed), "{given}");
        }
        assert_eq!(forward("<PostMaster>").as_deref(), Ok("<postmaster>"));
        assert_eq!(reverse("<>").as_deref(), Ok("<>"));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "<",
            ">",
            "ann@example.test",
            "<ann>",
            "<@example.test>",
            "<ann@>",
            "<ann@@example.test>",
            "<ann@b@example.test>",
            "<.ann@example.test>",
            "<a..b@example.test>",
            "<ann.@example.test>",
            "<ann@example..test>",
            "<ann@example.test.>",
            "<ann@-a.test>",
            "<ann@a-.test>",
            "<ann@a_b.test>",
            "<ann @example.test>",
            "<ann@example.test",
            "<\"ann@example.test>",
            "<\"\"@example.test>",
            "<\"a\tb\"@example.test>",
            "<ann@[127.0.0.256]>",
            "<ann@[::1]>",
            "<ann@[x:y]>",
            "<ann@[127.0.0.1>",
            "<@one.test ann@two.test>",
            "<@one.test,ann@two.test>",
            "<@:ann@two.test>",
            "<(c)ann@example.test>",
            "<\"ann\"x@example.test>",
            "<a\"n\"n@example.test>",
            "<<ann@example.test>>",
            "<ann@example.test,b@c>",
            "<|/bin/sh@example.test;id>",
            "<ann\r@example.test>",
            "<ann@exa\nmple.test>",
            "<ann@example.test\0>",
        ] {
            assert_eq!(forward(text), Err(AddressError::Syntax), "{text:?}");
            assert_eq!(reverse(text), Err(AddressError::Syntax), "{text:?}");
        }
        assert_eq!(forward("<>"), Err(AddressError::Syntax));
        assert_eq!(reverse("<postmaster>"), Err(AddressError::Syntax));
    }

    #[test]
    fn addresses_outside_ascii_are_named_as_such() {
        for text in ["<änn@example.test>", "<ann@exämple.test>", "<ann＠example.test>", "<\"ä\"@example.test>"] {
            assert_eq!(forward(text), Err(AddressError::NotAscii), "{text}");
        }
    }

    #[test]
    fn lengths_are_allowed_up_to_the_limit_and_not_past_it() {
        let local = |n: usize| format!("<{}@example.test>", "a".repeat(n));
        assert!(forward(&local(64)).is_ok());
        assert_eq!(forward(&local(65)), Err(AddressError::TooLong));
        let label = |n: usize| format!("<a@{}.test>", "b".repeat(n));
        assert!(forward(&label(63)).is_ok());
        assert_eq!(forward(&label(64)), Err(AddressError::Syntax));
        // The path is 256 octets with its brackets: "<a@" + domain + ">".
        let path =
            |n: usize| format!("<a@{}{}>", "b.".repeat(n / 2 - 1), if n.is_multiple_of(2) { "bb" } else { "bbb" });
        assert_eq!(path(252).len(), 256);
        assert!(forward(&path(252)).is_ok());
        assert_eq!(path(253).len(), 257);
        assert_eq!(forward(&path(253)), Err(AddressError::TooLong));
        assert!(Domain::parse(&[b"b.".repeat(126).as_slice(), b"bbb"].concat()).is_ok());
        assert_eq!(Domain::parse(&[b"b.".repeat(127).as_slice(), b"bb"].concat()), Err(AddressError::TooLong));
    }

    #[test]
    fn printing_and_parsing_again_gives_the_same_mailbox() {
        for text in ["ann@example.test", "\"a b\"@[127.0.0.1]", "\"\\\"\\\\\"@[IPv6:2001:db8::1]", "\" \"@a"] {
            let mailbox = Mailbox::parse(text.as_bytes()).unwrap();
            assert_eq!(Mailbox::parse(mailbox.to_string().as_bytes()), Ok(mailbox));
        }
    }
}
