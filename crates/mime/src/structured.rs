//! The tokens of structured header values (RFC 5322 §3.2, RFC 2045 §5.1).

use memchr::{memchr, memchr2, memchr3};

/// Reads an unfolded value from its start to its end, each octet once.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Passes over the next octet.
    pub(crate) fn bump(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        let eaten = self.peek() == Some(octet);
        if eaten {
            self.bump();
        }
        eaten
    }

    /// Takes octets up to the first that `stops`.
    pub(crate) fn run(&mut self, stops: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|&octet| stops(octet)).unwrap_or(self.rest.len());
        self.take(length)
    }

    /// Takes octets up to `stop`, or all.
    pub(crate) fn until(&mut self, stop: u8) -> &'a [u8] {
        self.take(memchr(stop, self.rest).unwrap_or(self.rest.len()))
    }

    /// Passes over blanks and comments (CFWS, RFC 5322 §3.2.2).
    pub(crate) fn skip_blanks(&mut self) {
        loop {
            self.run(|octet| !is_blank(octet));
            if self.peek() != Some(b'(') {
                return;
            }
            self.comment();
        }
    }

    /// Takes a comment, and gives what is between its parentheses. Nested ones are counted, not followed; one that is
    /// not closed runs to the end.
    pub(crate) fn comment(&mut self) -> &'a [u8] {
        self.bump();
        let mut depth = 1usize;
        let mut at = 0;
        while depth > 0 {
            let Some(found) = self.rest.get(at..).and_then(|rest| memchr3(b'(', b')', b'\\', rest)) else {
                return self.take(self.rest.len());
            };
            at += found;
            match self.rest.get(at) {
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                // A quoted pair (RFC 5322 §3.2.1): the next octet means nothing.
                _ => at += 1,
            }
            at += 1;
        }
        let content = self.take(at - 1);
        self.bump();
        content
    }

    /// Takes a quoted string and appends what it stands for. One that is not closed runs to the end.
    pub(crate) fn quoted(&mut self, out: &mut Vec<u8>) {
        self.bump();
        while let Some(special) = memchr2(b'"', b'\\', self.rest) {
            out.extend_from_slice(self.take(special));
            let escaped = self.peek() == Some(b'\\');
            self.bump();
            if !escaped {
                return;
            }
            // RFC 5322 §3.2.4: a quoted pair stands for its second octet.
            out.extend(self.peek());
            self.bump();
        }
        out.extend_from_slice(self.take(self.rest.len()));
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }
}

pub(crate) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Takes the quoted pairs out of a comment's text.
pub(crate) fn without_quoted_pairs(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(escape) = memchr(b'\\', rest) {
        out.extend_from_slice(rest.get(..escape).unwrap_or_default());
        out.extend(rest.get(escape + 1));
        rest = rest.get(escape + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_nest_and_escape() {
        let mut lexer = Lexer::new(b"(a (b) \\) c)d");
        assert_eq!(lexer.comment(), b"a (b) \\) c");
        assert_eq!(lexer.peek(), Some(b'd'));
        for open in [&b"(a"[..], b"(a\\", b"(", b"(a (b)"] {
            let mut lexer = Lexer::new(open);
            assert_eq!(lexer.comment(), &open[1..]);
            assert_eq!(lexer.peek(), None);
        }
    }

    #[test]
    fn quoted_strings_lose_their_quoting() {
        let cases: [(&[u8], &[u8]); 5] =
            [(b"\"a b\"", b"a b"), (b"\"a\\\"b\"", b"a\"b"), (b"\"", b""), (b"\"a\\", b"a"), (b"\"open", b"open")];
        for (value, expected) in cases {
            let mut out = Vec::new();
            Lexer::new(value).quoted(&mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_million_open_comments_take_linear_time() {
        let value = vec![b'('; 1_000_000];
        let mut lexer = Lexer::new(&value);
        lexer.skip_blanks();
        assert_eq!(lexer.peek(), None);
    }
}
