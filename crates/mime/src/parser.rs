use memchr::{memchr, memchr_iter, memchr2, memmem};

use crate::field::Known;
use crate::header::unfold;
use crate::limits::Limits;
use crate::outline::Outline;
use crate::tree::{Place, Tree};

/// Reads a message as it streams by. Where the stream is cut into chunks makes no difference.
///
/// Lines end with CRLF or LF. A header ends with its first empty line; a line in it that has no colon is passed over. A
/// stream may end anywhere.
pub struct Parser {
    tree: Tree,
    /// Octets read.
    offset: u64,
    line_feeds: u64,
    /// The last octet read.
    last: u8,
    /// Octets of the last line end read.
    line_end: u64,
    state: State,
    /// The begin of a line that may be a delimiter, when it came in more than one chunk.
    candidate: Vec<u8>,
    /// Where the candidate stands.
    candidate_offset: u64,
    /// The begin of a field name that came in more than one chunk.
    name: Vec<u8>,
    /// The field being read, if its value is wanted.
    field: Option<Known>,
    /// Its value, folded as sent.
    value: Vec<u8>,
    /// Where a line begins with dashes, in a body.
    dashed_line: memmem::Finder<'static>,
}

/// What the next octets belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    /// The CR that a line of a header began with.
    HeaderReturn,
    /// A line that began with a dash, while delimiters may come.
    Candidate,
    /// The name of a header field.
    Name,
    /// The value of a header field, or a line of a header that means nothing.
    Value,
    /// A body, within a line.
    Body,
    /// The rest of a delimiter line.
    Delimiter {
        closes: bool,
    },
}

/// A field name that matters is shorter, with some blanks before its colon.
const LONGEST_NAME: usize = 64;

/// Reads a message that is held in memory.
pub fn parse(message: &[u8], limits: Limits) -> Outline {
    let mut parser = Parser::new(limits);
    parser.push(message);
    parser.finish()
}

impl Parser {
    pub fn new(limits: Limits) -> Self {
        Self {
            tree: Tree::new(limits),
            offset: 0,
            line_feeds: 0,
            last: 0,
            line_end: 0,
            state: State::LineStart,
            candidate: Vec::new(),
            candidate_offset: 0,
            name: Vec::new(),
            field: None,
            value: Vec::new(),
            dashed_line: memmem::Finder::new(b"\n--"),
        }
    }

    /// Reads the next octets of the message.
    pub fn push(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let read = match self.state {
                State::LineStart => self.line_start(rest),
                State::HeaderReturn => self.header_return(rest),
                State::Candidate => self.candidate(rest),
                State::Name => self.name(rest),
                State::Value => self.value(rest),
                State::Body => self.body(rest),
                State::Delimiter { closes } => self.delimiter(rest, closes),
            };
            rest = rest.get(read..).unwrap_or_default();
        }
    }

    /// Ends the message.
    pub fn finish(mut self) -> Outline {
        if self.state == State::Candidate {
            let candidate = std::mem::take(&mut self.candidate);
            self.decide(&candidate);
        }
        if self.state == (State::Delimiter { closes: false }) {
            self.tree.begin_part(self.offset);
        }
        if self.tree.in_header() {
            self.end_field();
        }
        let place = Place { line_end: 0, ..self.place() };
        self.tree.finish(place)
    }

    // Each of these reads some octets at the front of the chunk, says how many, and sets the state for those that
    // follow. One that reads none changes the state, never in a circle.

    fn line_start(&mut self, rest: &[u8]) -> usize {
        let first = rest.first().copied();
        let in_header = self.tree.in_header();
        if in_header && !matches!(first, Some(b' ' | b'\t')) {
            self.end_field();
        }
        if first == Some(b'-') && self.tree.reach() > 0 {
            self.candidate.clear();
            self.candidate_offset = self.offset;
            self.state = State::Candidate;
            return 0;
        }
        if !in_header {
            self.state = State::Body;
            return 0;
        }
        match first {
            // RFC 5322 §2.2.3: the field goes on. Even a line of nothing but blanks does (§4.2).
            Some(b' ' | b'\t') => {
                self.state = State::Value;
                0
            }
            Some(b'\n') => {
                self.took(b"\n");
                self.end_header();
                1
            }
            Some(b'\r') => {
                self.took(b"\r");
                self.state = State::HeaderReturn;
                1
            }
            _ => {
                self.name.clear();
                self.state = State::Name;
                0
            }
        }
    }

    fn header_return(&mut self, rest: &[u8]) -> usize {
        if rest.first() == Some(&b'\n') {
            self.took(b"\n");
            self.end_header();
            return 1;
        }
        self.state = State::Value;
        0
    }

    fn candidate(&mut self, rest: &[u8]) -> usize {
        let wanted = self.tree.reach().saturating_sub(self.candidate.len());
        let seen = rest.get(..wanted).unwrap_or(rest);
        let line_feed = memchr(b'\n', seen);
        let seen = line_feed.and_then(|line_feed| seen.get(..line_feed)).unwrap_or(seen);
        let enough = line_feed.is_some() || seen.len() == wanted;
        if enough && self.candidate.is_empty() {
            self.decide(seen);
            return 0;
        }
        self.candidate.extend_from_slice(seen);
        self.took(seen);
        if enough {
            let candidate = std::mem::take(&mut self.candidate);
            self.decide(&candidate);
            self.candidate = candidate;
        }
        seen.len()
    }

    /// Decides whether a line is a delimiter, by its begin.
    fn decide(&mut self, line: &[u8]) {
        self.state = match self.tree.delimiter(line) {
            Some(delimiter) => {
                self.tree.delimit(delimiter, Place { offset: self.candidate_offset, ..self.place() });
                State::Delimiter { closes: delimiter.closes }
            }
            None if self.tree.in_header() => State::Value,
            None => State::Body,
        };
    }

    fn name(&mut self, rest: &[u8]) -> usize {
        let found = memchr2(b':', b'\n', rest);
        let piece = found.and_then(|found| rest.get(..found)).unwrap_or(rest);
        let too_long = self.name.len() + piece.len() > LONGEST_NAME;
        match found.and_then(|found| rest.get(found)) {
            Some(b':') => {
                if too_long {
                    self.field = None;
                } else if self.name.is_empty() {
                    self.field = self.tree.begin_field(piece);
                } else {
                    self.name.extend_from_slice(piece);
                    self.field = self.tree.begin_field(&self.name);
                }
                self.state = State::Value;
                self.took(piece);
                self.took(b":");
                piece.len() + 1
            }
            Some(_) => {
                // No colon, no field.
                self.state = State::Value;
                self.took(piece);
                piece.len()
            }
            None => {
                if too_long {
                    self.state = State::Value;
                } else {
                    self.name.extend_from_slice(piece);
                }
                self.took(piece);
                piece.len()
            }
        }
    }

    fn value(&mut self, rest: &[u8]) -> usize {
        let line = self.take_line(rest);
        if self.field.is_some() {
            if (self.value.len() + line.len()) as u64 > self.tree.header_bytes_left() {
                self.tree.clip();
                self.field = None;
                self.value = Vec::new();
            } else {
                self.value.extend_from_slice(line);
            }
        }
        line.len()
    }

    fn body(&mut self, rest: &[u8]) -> usize {
        if self.tree.reach() == 0 {
            self.took_lines(rest);
            return rest.len();
        }
        let read = match self.dashed_line.find(rest) {
            Some(line_feed) => line_feed + 1,
            // The dash may be the first of two.
            None if rest.ends_with(b"\n-") => rest.len() - 1,
            None => rest.len(),
        };
        let taken = rest.get(..read).unwrap_or(rest);
        self.took_lines(taken);
        if taken.ends_with(b"\n") {
            self.state = State::LineStart;
        }
        read
    }

    fn delimiter(&mut self, rest: &[u8], closes: bool) -> usize {
        let line = self.take_line(rest);
        if self.state == State::LineStart && !closes {
            self.tree.begin_part(self.offset);
        }
        line.len()
    }

    /// Takes octets up to a line end, at which the next line starts.
    fn take_line<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let line_feed = memchr(b'\n', rest);
        let line = line_feed.and_then(|line_feed| rest.get(..=line_feed)).unwrap_or(rest);
        self.took(line);
        if line_feed.is_some() {
            self.state = State::LineStart;
        }
        line
    }

    fn end_field(&mut self) {
        if let Some(known) = self.field.take() {
            self.tree.end_field(known, &unfold(&self.value), self.value.len() as u64);
        }
        self.value.clear();
    }

    fn end_header(&mut self) {
        self.tree.end_header(self.place());
        self.state = State::LineStart;
    }

    fn place(&self) -> Place {
        Place { offset: self.offset, line_feeds: self.line_feeds, line_end: self.line_end }
    }

    /// Counts octets that have no line feed but, perhaps, their last.
    fn took(&mut self, octets: &[u8]) {
        self.line_feeds += u64::from(octets.ends_with(b"\n"));
        self.note_end(octets);
    }

    /// Counts octets of any number of lines.
    fn took_lines(&mut self, octets: &[u8]) {
        self.line_feeds += memchr_iter(b'\n', octets).count() as u64;
        self.note_end(octets);
    }

    fn note_end(&mut self, octets: &[u8]) {
        self.offset += octets.len() as u64;
        match octets {
            [.., b'\r', b'\n'] => self.line_end = 2,
            [b'\n'] if self.last == b'\r' => self.line_end = 2,
            [.., b'\n'] => self.line_end = 1,
            _ => {}
        }
        self.last = octets.last().copied().unwrap_or(self.last);
    }
}
