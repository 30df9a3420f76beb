//! Where lines end and whether a literal follows.

use crate::imap::parse::Announcement;

/// The literal that a line announces at its end: `{n}` or `{n+}` before the line end, outside of quotes. A
/// size that is no number of 64 bits counts as the greatest.
pub fn announced(line: &[u8]) -> Option<Announcement> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let open = line.strip_suffix(b"}")?;
    let (open, non_sync) = open.strip_suffix(b"+").map_or((open, false), |open| (open, true));
    let brace = open.iter().rposition(|b| !b.is_ascii_digit()).filter(|&at| open.get(at) == Some(&b'{'))?;
    let digits = open.get(brace + 1..).filter(|digits| !digits.is_empty())?;
    if ends_in_quotes(open.get(..brace)?) {
        return None;
    }
    let add = |n: u64, &b: &u8| n.saturating_mul(10).saturating_add(u64::from(b - b'0'));
    Some(Announcement { size: digits.iter().fold(0, add), non_sync })
}

/// Whether a string was opened and not closed.
fn ends_in_quotes(line: &[u8]) -> bool {
    let mut rest = line.iter();
    let mut quoted = false;
    while let Some(b) = rest.next() {
        match b {
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                rest.next();
            }
            _ => {}
        }
    }
    quoted
}

/// The rest of a refused command, which is consumed and never executed: its line, and each literal that comes
/// unasked (RFC 7888 §4) with the line behind it.
#[derive(Debug, PartialEq, Eq)]
pub struct Skip {
    /// What is left of the literal.
    literal: u64,
    /// The end of the line so far, as much as an announcement can be.
    tail: Vec<u8>,
    skipped: u64,
    limit: u64,
    /// What is written when the client awaits an answer.
    pub reply: Vec<u8>,
}

/// How far a [`Skip`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    More,
    Done,
    /// More than the limit was sent, or is announced.
    TooMuch,
}

impl Skip {
    const TAIL: usize = 32;

    pub fn new(literal: u64, limit: u64, reply: Vec<u8>) -> Self {
        Self { literal, tail: Vec::new(), skipped: 0, limit, reply }
    }

    /// Within a line that began with `line`.
    pub fn within(line: &[u8], limit: u64, reply: Vec<u8>) -> Self {
        Self {
            tail: line.get(line.len().saturating_sub(Self::TAIL)..).unwrap_or_default().to_vec(),
            ..Self::new(0, limit, reply)
        }
    }

    /// Takes octets: how many, and how far it is then.
    pub fn input(&mut self, bytes: &[u8]) -> (usize, Skipped) {
        let consumed = if self.literal > 0 {
            let taken = bytes.len().min(usize::try_from(self.literal).unwrap_or(usize::MAX));
            self.literal -= taken as u64;
            taken
        } else {
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let line = bytes.get(..end).unwrap_or_default();
            self.tail.extend_from_slice(line.get(line.len().saturating_sub(Self::TAIL)..).unwrap_or_default());
            self.tail.drain(..self.tail.len().saturating_sub(Self::TAIL));
            end
        };
        self.skipped = self.skipped.saturating_add(consumed as u64);
        if self.tail.last() == Some(&b'\n') {
            match announced(&self.tail) {
                Some(literal) if literal.non_sync => {
                    self.literal = literal.size;
                    self.tail.clear();
                }
                // The client awaits to be invited: it can be answered now.
                _ => return (consumed, Skipped::Done),
            }
        }
        let state =
            if self.skipped.saturating_add(self.literal) > self.limit { Skipped::TooMuch } else { Skipped::More };
        (consumed, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_stand_at_the_end_and_outside_of_quotes() {
        let literal = |size, non_sync| Some(Announcement { size, non_sync });
        let cases: [(&[u8], Option<Announcement>); 14] = [
            (b"a LOGIN {3}\r\n", literal(3, false)),
            (b"a LOGIN {3+}\n", literal(3, true)),
            (b"{0}\r\n", literal(0, false)),
            (b"a \"b\" {3}\r\n", literal(3, false)),
            (b"a \"b\\\"\" {3}\r\n", literal(3, false)),
            (b"a {99999999999999999999999999}\r\n", literal(u64::MAX, false)),
            (b"a \"b {3}\r\n", None),
            (b"a \"b\\\" {3}\r\n", None),
            (b"a {3} \r\n", None),
            (b"a {}\r\n", None),
            (b"a {+}\r\n", None),
            (b"a 3}\r\n", None),
            (b"a {3}", None),
            (b"\r\n", None),
        ];
        for (line, expected) in cases {
            assert_eq!(announced(line), expected, "{line:?}");
        }
    }

    #[test]
    fn unasked_literals_of_a_skipped_command_are_consumed_at_every_split() {
        let text = b"rest {11+}\r\na2 LOGOUT\r\n more {3+}\r\n{9} end\r\na3 NOOP\r\n";
        let whole = text.len() - b"a3 NOOP\r\n".len();
        for split in 0..=whole {
            let mut skip = Skip::new(0, 1000, Vec::new());
            let mut at = 0;
            let mut state = Skipped::More;
            while state == Skipped::More {
                let end = if at < split { split } else { text.len() };
                let (consumed, now) = skip.input(&text[at..end]);
                at += consumed;
                state = now;
            }
            assert_eq!((at, state), (whole, Skipped::Done), "split at {split}");
        }
    }

    #[test]
    fn skipping_ends_where_the_client_waits_or_the_limit_is() {
        assert_eq!(Skip::new(0, 100, Vec::new()).input(b"x {5}\r\nx"), (7, Skipped::Done));
        assert_eq!(Skip::new(0, 100, Vec::new()).input(b"x {500+}\r\nx"), (10, Skipped::TooMuch));
        assert_eq!(Skip::new(0, 9, Vec::new()).input(b"123456789"), (9, Skipped::More));
        assert_eq!(Skip::new(0, 9, Vec::new()).input(b"1234567890"), (10, Skipped::TooMuch));
        let mut skip = Skip::new(2, 100, Vec::new());
        assert_eq!(skip.input(b"\n\n\r\nx"), (2, Skipped::More));
        assert_eq!(skip.input(b"\r\nx"), (2, Skipped::Done));
    }
}
