//! Replies (RFC 5321 §4.2) with enhanced status codes (RFC 2034, RFC 3463).

use std::borrow::Cow;
use std::fmt;

/// RFC 5321 §4.5.3.1.5: octets of a reply line, with its code and CRLF.
const MAX_LINE: usize = 512;

/// One reply. Texts are made of printable ASCII when written, whatever was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// Subject and detail; the class is the code's first digit (RFC 2034 §4).
    enhanced: Option<(u16, u16)>,
    text: Cow<'static, str>,
    more: Vec<Cow<'static, str>>,
}

impl Reply {
    /// With an enhanced code `class.subject.detail`, the class being that of `code`.
    pub const fn new(code: u16, subject: u16, detail: u16, text: &'static str) -> Self {
        Self { code, enhanced: Some((subject, detail)), text: Cow::Borrowed(text), more: Vec::new() }
    }

    /// Without an enhanced code: the greeting, the answer to HELO and EHLO (RFC 2034 §4), 3xx replies.
    pub const fn basic(code: u16, text: &'static str) -> Self {
        Self { code, enhanced: None, text: Cow::Borrowed(text), more: Vec::new() }
    }

    /// The same codes with another text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.text = text.into();
        self
    }

    /// One line more.
    #[must_use]
    pub fn with_line(mut self, line: impl Into<Cow<'static, str>>) -> Self {
        self.more.push(line.into());
        self
    }

    pub const fn code(&self) -> u16 {
        self.code
    }

    /// 4yz: the same may succeed later.
    pub const fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// Appends the reply's lines as they go over the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        let last = self.more.len();
        for (at, text) in std::iter::once(&self.text).chain(&self.more).enumerate() {
            let start = out.len();
            let separator = if at == last { ' ' } else { '-' };
            out.extend_from_slice(format!("{}{separator}", self.code).as_bytes());
            if let Some((subject, detail)) = self.enhanced {
                out.extend_from_slice(format!("{}.{subject}.{detail} ", self.code / 100).as_bytes());
            }
            // Nothing a text holds can end the line or reach the terminal of whoever reads it.
            out.extend(text.chars().map(|c| if matches!(c, ' '..='~') { c as u8 } else { b'?' }));
            out.truncate(start + MAX_LINE - 2);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// For logs: the first line.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.code)?;
        if let Some((subject, detail)) = self.enhanced {
            write!(f, "{}.{subject}.{detail} ", self.code / 100)?;
        }
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_carries_both_codes() {
        let reply = Reply::new(250, 1, 5, "one").with_line("two").with_line("three");
        assert_eq!(wire(&reply), "250-2.1.5 one\r\n250-2.1.5 two\r\n250 2.1.5 three\r\n");
        assert_eq!(wire(&Reply::basic(354, "go")), "354 go\r\n");
        assert_eq!(reply.to_string(), "250 2.1.5 one");
    }

    #[test]
    fn no_text_can_end_a_line() {
        assert_eq!(wire(&Reply::basic(250, "a\r\n250 b\u{1b}ü")), "250 a??250 b??\r\n");
    }

    #[test]
    fn a_line_has_at_most_512_octets() {
        // "550 5.1.1 " has 10 octets, CRLF two.
        for (given, expected) in [(499, 511), (500, 512), (501, 512), (5000, 512)] {
            let reply = Reply::new(550, 1, 1, "").with_text("x".repeat(given));
            assert_eq!(wire(&reply).len(), expected, "{given}");
        }
    }
}
