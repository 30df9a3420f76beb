//! Makes dot-stuffed text.

use memchr::{memchr, memmem};

/// Writes a message as a POP3 multi-line response: doubles the dot at a line's beginning and ends with
/// `.` CRLF on a line of its own.
#[derive(Clone, Debug)]
pub struct Stuffer {
    /// Lines still to be sent after the header (TOP); `None`: all.
    lines: Option<u64>,
    in_header: bool,
    place: Place,
}

/// What the last octets were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing at all yet.
    Start,
    /// Right after CRLF.
    AfterCrLf,
    /// Right after an LF without CR.
    AfterLf,
    /// A CR that may become the line's end; with it the line holds nothing else.
    BlankCr,
    Cr,
    Within,
}

impl Place {
    const fn begins_line(self) -> bool {
        matches!(self, Self::Start | Self::AfterCrLf | Self::AfterLf)
    }
}

impl Stuffer {
    /// With `lines`, the header, the blank line and at most so many lines of the body (RFC 1939 §7, TOP).
    pub const fn new(lines: Option<u64>) -> Self {
        Self { lines, in_header: true, place: Place::Start }
    }

    /// Appends the coded form of the message's next octets to `out`.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        match self.lines {
            None => self.push_all(chunk, out),
            Some(_) => self.push_lines(chunk, out),
        }
    }

    /// Whether all lines that were asked for are there: what follows is not needed.
    pub fn is_done(&self) -> bool {
        !self.in_header && self.lines == Some(0)
    }

    /// Appends the end: a line that has none is given one first (RFC 1939 §3).
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.place {
            Place::Start | Place::AfterCrLf => out.extend_from_slice(b".\r\n"),
            Place::AfterLf | Place::BlankCr | Place::Cr | Place::Within => out.extend_from_slice(b"\r\n.\r\n"),
        }
    }

    /// Dots at a line's beginning are rare, so this copies far more than a line at a time.
    fn push_all(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let [.., last] = chunk else { return };
        if self.place.begins_line() && chunk.starts_with(b".") {
            out.push(b'.');
        }
        let mut copied = 0;
        // After any LF: a client that ends lines at a bare LF would take `LF . LF` for the end and the rest
        // of the message for answers to its commands.
        for at in memmem::find_iter(chunk, b"\n.") {
            out.extend_from_slice(chunk.get(copied..=at).unwrap_or_default());
            out.push(b'.');
            copied = at + 1;
        }
        out.extend_from_slice(chunk.get(copied..).unwrap_or_default());
        let before = match chunk {
            [.., before, _] => *before == b'\r',
            _ => matches!(self.place, Place::Cr | Place::BlankCr),
        };
        self.place = match last {
            b'\n' if before => Place::AfterCrLf,
            b'\n' => Place::AfterLf,
            b'\r' => Place::Cr,
            _ => Place::Within,
        };
    }

    /// Line by line, as lines are to be counted.
    fn push_lines(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) {
        while !chunk.is_empty() && !self.is_done() {
            let (line, rest) = chunk.split_at(memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1));
            chunk = rest;
            let begins = self.place.begins_line();
            if begins && line.starts_with(b".") {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            let blank = match line {
                [b'\n'] => begins || self.place == Place::BlankCr,
                [b'\r', b'\n'] => begins,
                _ => false,
            };
            self.place = match line {
                [.., b'\r', b'\n'] => Place::AfterCrLf,
                [b'\n'] if matches!(self.place, Place::Cr | Place::BlankCr) => Place::AfterCrLf,
                [.., b'\n'] => Place::AfterLf,
                [b'\r'] if begins => Place::BlankCr,
                [.., b'\r'] => Place::Cr,
                _ => Place::Within,
            };
            if !self.place.begins_line() {
                continue;
            }
            if self.in_header {
                self.in_header = !blank;
            } else if let Some(lines) = &mut self.lines {
                *lines -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(lines: Option<u64>, chunks: &[&[u8]]) -> Vec<u8> {
        let (mut stuffer, mut out) = (Stuffer::new(lines), Vec::new());
        for chunk in chunks {
            stuffer.push(chunk, &mut out);
        }
        stuffer.finish(&mut out);
        out
    }

    /// The message in two and in three pieces, and octet by octet, comes out as it does in one.
    fn at_every_split(lines: Option<u64>, message: &[u8], expected: &[u8]) {
        assert_eq!(stuffed(lines, &[message]).escape_ascii().to_string(), expected.escape_ascii().to_string());
        for first in 0..=message.len() {
            for second in first..=message.len() {
                let (a, rest) = message.split_at(first);
                let (b, c) = rest.split_at(second - first);
                assert_eq!(stuffed(lines, &[a, b, c]), expected, "split at {first} and {second}, TOP {lines:?}");
            }
        }
        let octets: Vec<&[u8]> = message.chunks(1).collect();
        assert_eq!(stuffed(lines, &octets), expected);
    }

    #[test]
    fn a_leading_dot_is_doubled_at_every_split() {
        at_every_split(None, b"", b".\r\n");
        at_every_split(None, b".", b"..\r\n.\r\n");
        at_every_split(None, b"a: b\r\n\r\n.\r\n..x\r\ny.\r\n", b"a: b\r\n\r\n..\r\n...x\r\ny.\r\n.\r\n");
    }

    #[test]
    fn a_last_line_without_end_gets_one_at_every_split() {
        at_every_split(None, b"a\r\nb", b"a\r\nb\r\n.\r\n");
        at_every_split(None, b"a\r\nb\r", b"a\r\nb\r\r\n.\r\n");
        at_every_split(None, b"a\r\nb\n", b"a\r\nb\n\r\n.\r\n");
    }

    #[test]
    fn a_dot_after_a_bare_lf_is_doubled_too() {
        at_every_split(None, b"a\n.\nb\r\n", b"a\n..\nb\r\n.\r\n");
        at_every_split(None, b"a\n.\r\nb\r\n", b"a\n..\r\nb\r\n.\r\n");
        at_every_split(None, b"a\r.\r\n", b"a\r.\r\n.\r\n");
    }

    #[test]
    fn top_sends_the_header_the_blank_line_and_so_many_lines() {
        let message = b"A: 1\r\nB: 2\r\n\r\none\r\n.two\r\n\r\nfour";
        at_every_split(Some(0), message, b"A: 1\r\nB: 2\r\n\r\n.\r\n");
        at_every_split(Some(1), message, b"A: 1\r\nB: 2\r\n\r\none\r\n.\r\n");
        at_every_split(Some(2), message, b"A: 1\r\nB: 2\r\n\r\none\r\n..two\r\n.\r\n");
        at_every_split(Some(3), message, b"A: 1\r\nB: 2\r\n\r\none\r\n..two\r\n\r\n.\r\n");
        at_every_split(Some(4), message, b"A: 1\r\nB: 2\r\n\r\none\r\n..two\r\n\r\nfour\r\n.\r\n");
        at_every_split(Some(u64::MAX), message, b"A: 1\r\nB: 2\r\n\r\none\r\n..two\r\n\r\nfour\r\n.\r\n");
    }

    #[test]
    fn top_of_a_message_without_header_or_body_ends_properly() {
        at_every_split(Some(0), b"", b".\r\n");
        at_every_split(Some(0), b"\r\nbody\r\n", b"\r\n.\r\n");
        at_every_split(Some(0), b"A: 1\r\n", b"A: 1\r\n.\r\n");
        at_every_split(Some(1), b"A: 1\n\none\ntwo\n", b"A: 1\n\none\n\r\n.\r\n");
        at_every_split(Some(0), b"A: 1\r\n\rx\r\n\r\ny", b"A: 1\r\n\rx\r\n\r\n.\r\n");
    }

    #[test]
    fn top_is_done_as_soon_as_its_last_line_is() {
        let (mut stuffer, mut out) = (Stuffer::new(Some(1)), Vec::new());
        stuffer.push(b"A: 1\r\n\r\none", &mut out);
        assert!(!stuffer.is_done());
        stuffer.push(b"\r\ntwo", &mut out);
        assert!(stuffer.is_done());
        assert_eq!(out, b"A: 1\r\n\r\none\r\n");
    }
}
