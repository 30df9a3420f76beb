//! Lines of other protocols: a client at the wrong port, or one that was tricked into talking to us.
//!
//! A browser can be made to send requests with text of an attacker's choice to any port; a session that
//! skipped what it does not know until it meets what it does would do as that text says. So a session asks
//! here about each line that it does not know, answers once, and closes.

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Http,
    Smtp,
    Imap,
    Pop3,
}

impl Foreign {
    /// Judges a line without its end. Verbs that protocols share name the first of `ALL` that has them, so a
    /// session asks only about lines that are not its own.
    pub fn of(line: &[u8]) -> Option<Self> {
        let mut words = line.split(|&octet| octet == b' ');
        let (first, second) = (words.next()?, words.next());
        let is_one_of =
            |word: &[u8], verbs: &[&str]| verbs.iter().any(|verb| verb.as_bytes().eq_ignore_ascii_case(word));
        if second.is_some() && HTTP.iter().any(|verb| verb.as_bytes() == first) || line.starts_with(b"Host:") {
            return Some(Self::Http);
        }
        if is_one_of(first, &SMTP) {
            return Some(Self::Smtp);
        }
        if is_one_of(first, &POP3) {
            return Some(Self::Pop3);
        }
        second.is_some_and(|command| is_one_of(command, &IMAP)).then_some(Self::Imap)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
        }
    }
}

/// RFC 9110 §9.1 and RFC 9113 §3.4: methods are case-sensitive.
const HTTP: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"];
const SMTP: [&str; 5] = ["EHLO", "HELO", "LHLO", "MAIL", "RCPT"];
const POP3: [&str; 6] = ["CAPA", "STLS", "USER", "PASS", "APOP", "UIDL"];
/// After a tag.
const IMAP: [&str; 8] = ["CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "LOGOUT", "SELECT", "ID", "NAMESPACE"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_known_by_its_first_words() {
        for (line, foreign) in [
            ("GET / HTTP/1.1", Some(Foreign::Http)),
            ("PRI * HTTP/2.0", Some(Foreign::Http)),
            ("Host: mail.example.test", Some(Foreign::Http)),
            ("ehlo client.example.test", Some(Foreign::Smtp)),
            ("MAIL FROM:<a@example.test>", Some(Foreign::Smtp)),
            ("a1 login ann secret", Some(Foreign::Imap)),
            (". CAPABILITY", Some(Foreign::Imap)),
            ("CAPA", Some(Foreign::Pop3)),
            ("get / HTTP/1.1", None),
            ("GET", None),
            ("HELP", None),
            ("", None),
            (" ", None),
        ] {
            assert_eq!(Foreign::of(line.as_bytes()), foreign, "{line:?}");
        }
    }
}
