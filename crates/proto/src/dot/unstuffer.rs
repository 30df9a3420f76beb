//! Reads dot-stuffed text.

use memchr::memchr2;

/// Reads the text of DATA as slices of what was received. Only CRLF `.` CRLF ends it (RFC 5321 §4.1.1.4),
/// and at once when it is the first line; an LF or CR alone ends no line and is remembered
/// ([`Unstuffer::bare_cr`], [`Unstuffer::bare_lf`]), for the message to be refused: that is what keeps one
/// message from being read as two.
#[derive(Clone, Debug)]
pub struct Unstuffer {
    place: Place,
    bare_cr: bool,
    bare_lf: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the beginning, or right after CRLF.
    LineStart,
    /// After the dot that began the line, which is not part of the text.
    Dot,
    /// After that dot and a CR, which has not been given out.
    DotCr,
    Within,
    /// After a CR, which has been given out.
    Cr,
    End,
}

/// What the octets were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text, perhaps none.
    Body(&'a [u8]),
    /// The end; octets after it are the next command's.
    End,
}

impl Default for Unstuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Unstuffer {
    pub const fn new() -> Self {
        Self { place: Place::LineStart, bare_cr: false, bare_lf: false }
    }

    /// How many octets of `input` were consumed, and what they were. To be called again with the rest until
    /// that is empty or the end has come. A CR held back from the chunk before comes without consuming any.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> (usize, Piece<'a>) {
        let Some(&first) = input.first() else { return (0, Piece::Body(b"")) };
        match (self.place, first) {
            (Place::End, _) => return (0, Piece::End),
            (Place::LineStart, b'.') => {
                self.place = Place::Dot;
                return (1, Piece::Body(b""));
            }
            (Place::Dot, b'\r') => {
                self.place = Place::DotCr;
                return (1, Piece::Body(b""));
            }
            (Place::DotCr, b'\n') => {
                self.place = Place::End;
                return (1, Piece::End);
            }
            (Place::DotCr, _) => {
                // The CR ended nothing: it is text, and is given out now.
                self.place = Place::Cr;
                return (0, Piece::Body(b"\r"));
            }
            (Place::Cr, byte) if byte != b'\n' => {
                self.bare_cr = true;
                self.place = Place::Within;
            }
            (Place::LineStart | Place::Dot, _) => self.place = Place::Within,
            (Place::Within | Place::Cr, _) => {}
        }
        let length = self.run(input);
        (length, Piece::Body(input.get(..length).unwrap_or_default()))
    }

    /// Whether a CR without LF was met.
    pub fn bare_cr(&self) -> bool {
        self.bare_cr
    }

    /// Whether an LF without CR was met.
    pub fn bare_lf(&self) -> bool {
        self.bare_lf
    }

    /// How far the text goes in one piece: up to a dot that begins a line, or all.
    fn run(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let (step, ended) = match (self.place, rest) {
                (_, []) => return at,
                (Place::LineStart, [b'.', ..]) => return at,
                (Place::Cr, [b'\n', ..]) => (1, Place::LineStart),
                (Place::Cr, _) => {
                    self.bare_cr = true;
                    (0, Place::Within)
                }
                _ => match memchr2(b'\r', b'\n', rest) {
                    None => (rest.len(), Place::Within),
                    Some(end) if rest.get(end) == Some(&b'\r') => (end + 1, Place::Cr),
                    Some(end) => {
                        self.bare_lf = true;
                        (end + 1, Place::Within)
                    }
                },
            };
            at += step;
            self.place = ended;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Read {
        text: Vec<u8>,
        ended: bool,
        left: Vec<u8>,
        bare: (bool, bool),
    }

    fn read(chunks: &[&[u8]]) -> Read {
        let mut unstuffer = Unstuffer::new();
        let mut read = Read { text: Vec::new(), ended: false, left: Vec::new(), bare: (false, false) };
        for chunk in chunks {
            let mut input = *chunk;
            while !input.is_empty() && !read.ended {
                let (consumed, piece) = unstuffer.next(input);
                match piece {
                    Piece::Body(text) => read.text.extend_from_slice(text),
                    Piece::End => read.ended = true,
                }
                input = &input[consumed..];
            }
            read.left.extend_from_slice(input);
        }
        read.bare = (unstuffer.bare_cr(), unstuffer.bare_lf());
        read
    }

    fn at_every_split(input: &[u8], text: &[u8], left: Option<&[u8]>, bare: (bool, bool)) {
        let expected =
            Read { text: text.to_vec(), ended: left.is_some(), left: left.unwrap_or_default().to_vec(), bare };
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let (a, rest) = input.split_at(first);
                let (b, c) = rest.split_at(second - first);
                assert_eq!(read(&[a, b, c]), expected, "{} at {first} and {second}", input.escape_ascii());
            }
        }
        assert_eq!(read(&input.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn crlf_dot_crlf_ends_and_what_follows_is_left() {
        at_every_split(b"a\r\nb\r\n.\r\nQUIT\r\n", b"a\r\nb\r\n", Some(b"QUIT\r\n"), (false, false));
        at_every_split(b".\r\nQUIT", b"", Some(b"QUIT"), (false, false));
    }

    #[test]
    fn a_leading_dot_is_taken_away_once() {
        at_every_split(b"..\r\n...x\r\n.y\r\nz.\r\n.\r\n", b".\r\n..x\r\ny\r\nz.\r\n", Some(b""), (false, false));
    }

    #[test]
    fn nothing_but_crlf_dot_crlf_ends() {
        at_every_split(b"a\n.\nb", b"a\n.\nb", None, (false, true));
        at_every_split(b"a\n.\r\nb", b"a\n.\r\nb", None, (false, true));
        at_every_split(b"a\r\n.\nb", b"a\r\n\nb", None, (false, true));
        at_every_split(b"a\r\n.\rb", b"a\r\n\rb", None, (true, false));
        at_every_split(b"a\r.\r\nb", b"a\r.\r\nb", None, (true, false));
        at_every_split(b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n", Some(b""), (true, false));
        at_every_split(b"a\r\r\n.\r\n", b"a\r\r\n", Some(b""), (true, false));
        at_every_split(b"a\n\r\n.\r\n", b"a\n\r\n", Some(b""), (false, true));
    }

    #[test]
    fn what_was_stuffed_comes_back() {
        for text in [b"".as_slice(), b".\r\n", b"a\r\n..b\r\n.\r\n\r\n", b"x.\r\n.x\r\n"] {
            let (mut stuffer, mut wire) = (super::super::Stuffer::new(None), Vec::new());
            stuffer.push(text, &mut wire);
            stuffer.finish(&mut wire);
            at_every_split(&wire, text, Some(b""), (false, false));
        }
    }

    #[test]
    fn a_text_without_leading_dots_is_one_slice() {
        let input = b"a\r\nb\r\nc\r\n";
        assert_eq!(Unstuffer::new().next(input), (input.len(), Piece::Body(input)));
    }
}
