//! Commands, and how their arguments are read.

use crate::logon::Secret;

/// What a client says. Text is UTF-8, or else taken as Latin-1, as old mail programs send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// RFC 2449 §5.
    Capa,
    /// RFC 2595 §4.
    Stls,
    User(String),
    /// RFC 1939 §7: spaces may be part of the password, at its ends too.
    Pass(Secret),
    /// RFC 5034 §4; without a mechanism it lists them, as clients older than CAPA expect.
    Auth(Option<Auth>),
    Noop,
    Quit,
    /// What needs the maildrop.
    Transaction(Transaction),
}

/// The arguments of AUTH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// As the client wrote it.
    pub mechanism: Vec<u8>,
    /// Base64 or `=`.
    pub initial: Option<Secret>,
}

/// A command for the maildrop of a client that is logged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    Stat,
    List(Option<Number>),
    Uidl(Option<Number>),
    Retr(Number),
    /// The header, the blank line and so many lines of the body.
    Top(Number, u64),
    Dele(Number),
    Rset,
}

/// A message number as given: from 1 on when it means one. What is too great to be one stays too great.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub u32);

/// What stands after a command's name; each way of reading it is `None` when it reads otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'a>(pub &'a [u8]);

impl<'a> Arguments<'a> {
    pub fn none(self) -> Option<()> {
        self.words::<0>().map(|_| ())
    }

    pub fn number(self) -> Option<Number> {
        let [number] = self.words()?;
        parse_number(number)
    }

    /// The inner `None` when nothing stands there.
    pub fn number_if_any(self) -> Option<Option<Number>> {
        match self.none() {
            Some(()) => Some(None),
            None => self.number().map(Some),
        }
    }

    pub fn number_and_lines(self) -> Option<(Number, u64)> {
        let [number, lines] = self.words()?;
        Some((parse_number(number)?, digits(lines)?))
    }

    /// One name, in which spaces may stand.
    pub fn name(self) -> Option<String> {
        let name = self.0.trim_ascii();
        (!name.is_empty()).then(|| text(name))
    }

    /// All that stands after the one space, as it is.
    pub fn password(self) -> Option<Secret> {
        let password = self.0.strip_prefix(b" ")?;
        (!password.is_empty()).then(|| Secret::new(text(password)))
    }

    pub fn auth(self) -> Option<Option<Auth>> {
        if self.none().is_some() {
            return Some(None);
        }
        let (mechanism, initial) = match self.words() {
            Some([mechanism, initial]) => (mechanism, Some(Secret::new(text(initial)))),
            None => {
                let [mechanism] = self.words()?;
                (mechanism, None)
            }
        };
        Some(Some(Auth { mechanism: mechanism.to_vec(), initial }))
    }

    /// Exactly so many words; more than one space between them and spaces at the end are forgiven.
    fn words<const N: usize>(self) -> Option<[&'a [u8]; N]> {
        let mut words = self.0.split(|&octet| octet == b' ').filter(|word| !word.is_empty());
        let mut found = [b"".as_slice(); N];
        for place in &mut found {
            *place = words.next()?;
        }
        words.next().is_none().then_some(found)
    }
}

fn parse_number(word: &[u8]) -> Option<Number> {
    Some(Number(u32::try_from(digits(word)?).unwrap_or(u32::MAX)))
}

/// Digits alone; a number past 64 bits is the greatest there is.
fn digits(word: &[u8]) -> Option<u64> {
    let all_digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    all_digits.then(|| {
        word.iter().fold(0u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    })
}

fn text(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|&octet| char::from(octet)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_alone_and_never_wrap() {
        let number = |text: &str| Arguments(text.as_bytes()).number().map(|number| number.0);
        assert_eq!(number(" 1"), Some(1));
        assert_eq!(number("  007 "), Some(7));
        assert_eq!(number(" 4294967295"), Some(u32::MAX));
        assert_eq!(number(" 4294967297"), Some(u32::MAX));
        assert_eq!(number(" 99999999999999999999999999"), Some(u32::MAX));
        for text in ["", " ", " x", " +1", " -1", " 1x", " 1 2", " 0x1", " \u{661}"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_password_is_all_after_one_space() {
        let password = |octets| Arguments(octets).password().map(|password| password.expose().to_owned());
        assert_eq!(password(b" a b ").as_deref(), Some("a b "));
        assert_eq!(password(b"  a").as_deref(), Some(" a"));
        assert_eq!(password(" p\u{e4}ss".as_bytes()).as_deref(), Some("p\u{e4}ss"));
        assert_eq!(password(b" p\xe4ss\x00\xff").as_deref(), Some("p\u{e4}ss\0\u{ff}"));
        assert_eq!(password(b" "), None);
        assert_eq!(password(b""), None);
    }

    #[test]
    fn auth_takes_a_mechanism_and_an_initial_response() {
        let auth = |text: &str| {
            Arguments(text.as_bytes()).auth().map(|auth| {
                auth.map(|auth| {
                    let initial = auth.initial.map(|initial| initial.expose().to_owned());
                    (String::from_utf8(auth.mechanism).unwrap(), initial)
                })
            })
        };
        assert_eq!(auth(""), Some(None));
        assert_eq!(auth(" "), Some(None));
        assert_eq!(auth(" PLAIN"), Some(Some(("PLAIN".into(), None))));
        assert_eq!(auth(" PLAIN ="), Some(Some(("PLAIN".into(), Some("=".into())))));
        assert_eq!(auth(" PLAIN a b"), None);
    }
}
