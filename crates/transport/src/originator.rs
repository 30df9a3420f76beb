//! The mailboxes of a From or Sender field (RFC 5322 §3.6.2), read strictly: what could be read in two ways
//! is not read at all, so that no reader can be shown another sender than the one that was judged.

use proto::smtp::Mailbox;

/// The fields of a header that say who it is from, as sent after their colons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Originators {
    pub from: Vec<Vec<u8>>,
    pub sender: Vec<Vec<u8>>,
    /// There was more than may be held.
    pub overflowed: bool,
}

/// All mailboxes of a folded field value, at least one; `None` if it is anything else than a list of them.
pub(crate) fn mailboxes(value: &[u8]) -> Option<Vec<Mailbox>> {
    let mut lexer = Lexer { rest: value };
    let mut found = Vec::new();
    loop {
        found.push(mailbox(&mut lexer)?);
        match lexer.token()? {
            Token::Comma => {}
            Token::End => return Some(found),
            _ => return None,
        }
    }
}

/// `[phrase] <addr-spec>` or `addr-spec`.
fn mailbox(lexer: &mut Lexer) -> Option<Mailbox> {
    let mut words = 0;
    let mut last = Vec::new();
    loop {
        match lexer.token()? {
            Token::Word(word) => {
                words += 1;
                last = word;
            }
            Token::Open => {
                let Token::Word(local) = lexer.token()? else { return None };
                let (Token::At, Some(mailbox)) = (lexer.token()?, domain(lexer, &local)) else { return None };
                return matches!(lexer.token()?, Token::Close).then_some(mailbox);
            }
            Token::At if words == 1 => return domain(lexer, &last),
            Token::At | Token::Close | Token::Comma | Token::End => return None,
        }
    }
}

fn domain(lexer: &mut Lexer, local: &[u8]) -> Option<Mailbox> {
    let Token::Word(domain) = lexer.token()? else { return None };
    Mailbox::parse(&[local, b"@", &domain].concat()).ok()
}

enum Token {
    /// An atom with its dots, a quoted string with its quotes, or a domain literal with its brackets.
    Word(Vec<u8>),
    Open,
    Close,
    At,
    Comma,
    End,
}

struct Lexer<'a> {
    rest: &'a [u8],
}

impl Lexer<'_> {
    /// The next token after blanks and comments; `None` for what has no place in a list of mailboxes.
    fn token(&mut self) -> Option<Token> {
        loop {
            match self.rest {
                [] => return Some(Token::End),
                [b' ' | b'\t' | b'\r' | b'\n', tail @ ..] => self.rest = tail,
                [b'(', tail @ ..] => self.rest = after_comment(tail)?,
                [b'<', ..] => return self.single(Token::Open),
                [b'>', ..] => return self.single(Token::Close),
                [b'@', ..] => return self.single(Token::At),
                [b',', ..] => return self.single(Token::Comma),
                [b'"', ..] => return self.delimited(b'"'),
                [b'[', ..] => return self.delimited(b']'),
                _ => return self.atom(),
            }
        }
    }

    fn single(&mut self, token: Token) -> Option<Token> {
        self.rest = self.rest.get(1..)?;
        Some(token)
    }

    fn delimited(&mut self, end: u8) -> Option<Token> {
        let mut bytes = self.rest.iter().enumerate().skip(1);
        while let Some((at, &b)) = bytes.next() {
            if b == b'\\' {
                bytes.next()?;
            } else if b == end {
                let (word, tail) = self.rest.split_at(at + 1);
                self.rest = tail;
                // A folded string is one line to its readers.
                return Some(Token::Word(word.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect()));
            }
        }
        None
    }

    /// RFC 5322 §3.2.3, the dots of the obsolete phrase, and octets beyond ASCII, which mail programs put into
    /// names though they should not. An address with any of those is refused further on.
    fn atom(&mut self) -> Option<Token> {
        let in_atom = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(b) || !b.is_ascii();
        let end = self.rest.iter().position(|b| !in_atom(b)).unwrap_or(self.rest.len());
        let (word, tail) = self.rest.split_at(end);
        self.rest = tail;
        (!word.is_empty()).then(|| Token::Word(word.to_vec()))
    }
}

/// Comments nest; counted, not recursed into.
fn after_comment(text: &[u8]) -> Option<&[u8]> {
    let mut depth = 1u32;
    let mut bytes = text.iter().enumerate();
    while let Some((at, &b)) = bytes.next() {
        match b {
            b'\\' => {
                bytes.next()?;
            }
            b'(' => depth += 1,
            b')' if depth == 1 => return text.get(at + 1..),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Vec<String>> {
        mailboxes(value.as_bytes()).map(|all| all.iter().map(Mailbox::to_string).collect())
    }

    #[test]
    fn lists_of_mailboxes_are_read() {
        for (value, addresses) in [
            (" ann@example.test", vec!["ann@example.test"]),
            ("Ann <ann@example.test>", vec!["ann@example.test"]),
            ("\"Ann, @home <x@y>\" <Ann@Example.Test>\r\n", vec!["Ann@example.test"]),
            ("Ann M. Müller\r\n\t<ann@example.test> (at (home))", vec!["ann@example.test"]),
            ("=?utf-8?q?Ann?= <ann@example.test>, bob@example.test", vec!["ann@example.test", "bob@example.test"]),
            ("(c) ann (c) @ (c) example.test (c)", vec!["ann@example.test"]),
            ("<\"a b\"@example.test>", vec!["\"a b\"@example.test"]),
            ("x <ann@[127.0.0.1]>", vec!["ann@[127.0.0.1]"]),
            ("(\\)) ann@example.test", vec!["ann@example.test"]),
        ] {
            assert_eq!(read(value), Some(addresses.into_iter().map(str::to_owned).collect()), "{value}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        for value in [
            "",
            " ",
            "ann",
            "ann@",
            "@example.test",
            "<>",
            "Ann <>",
            "ann@example.test,",
            ",ann@example.test",
            "ann@example.test bob@example.test",
            "ann@example.test <bob@example.test>",
            "<ann@example.test> <bob@b.test>",
            "<ann@example.test> x",
            "friends: ann@example.test;",
            "undisclosed:;",
            "<@a.test:ann@example.test>",
            "\"ann@example.test",
            "(ann@example.test",
            "ann@example.test)",
            "<ann@example.test",
            "ann@example.test>",
            "<<ann@example.test>>",
            "a b@example.test",
            "ann@exa mple.test",
            "ann@example.test\0",
            "änn@example.test",
            "ann@example.test\u{a0}",
            "ann;bob@example.test",
            "a..b@example.test",
            "\"a\" \"b\"@example.test",
        ] {
            assert_eq!(read(value), None, "{value:?}");
        }
    }
}
