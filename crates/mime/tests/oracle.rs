//! The same messages read by another parser, and messages whose structure is known because they were built from it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod corpus;

use std::fmt::Write;
use std::ops::Range;

use mail_parser::{MessageParser, PartType};
use mime::{Content, Limits, Outline, parse, verify};
use proptest::prelude::*;

/// Start of header, start and end of body of the parts that hold no others.
type Leaf = (u64, u64, u64);

fn leaves(outline: &Outline) -> Vec<Leaf> {
    let leaves = outline.parts.iter().filter(|part| part.content == Content::Leaf);
    leaves.map(|part| (part.header.start, part.body.start, part.body.end)).collect()
}

fn oracle_leaves(message: &[u8]) -> Vec<Leaf> {
    let Some(parsed) = MessageParser::default().parse(message) else { return Vec::new() };
    let mut found = Vec::new();
    let mut messages = vec![&parsed];
    while let Some(message) = messages.pop() {
        for part in &message.parts {
            match &part.body {
                PartType::Message(inner) => messages.push(inner),
                PartType::Multipart(_) => {}
                _ => found.push((part.offset_header.into(), part.offset_body.into(), part.offset_end.into())),
            }
        }
    }
    found.sort();
    found
}

/// Messages on which the two differ, and why ours is right.
const DIFFERENT: [(&str, &str); 8] = [
    ("boundary-blanks", "RFC 2046 §5.1.1: a boundary does not end with a blank"),
    ("boundary-in-header", "a delimiter counts in a header too"),
    ("boundary-never-seen", "a multipart stays one when its boundary never comes"),
    ("boundary-outer-longer", "an outer delimiter closes what is open within"),
    ("boundary-unclosed", "an outer delimiter closes what is open within"),
    ("cut", "a message cut in its header is a message"),
    ("empty", "there is always a part"),
    ("message-in-multipart", "RFC 2046 §5.2.1: an encoded message is not looked into"),
];

#[test]
fn known_messages_are_read_as_by_the_oracle() {
    for (name, message) in corpus::all() {
        let ours = leaves(&parse(&message, Limits::default()));
        let theirs = oracle_leaves(&message);
        match DIFFERENT.iter().find(|(different, _)| *different == name) {
            Some((_, why)) => assert_ne!(ours, theirs, "{name} no longer differs: {why}"),
            None => assert_eq!(ours, theirs, "{name}"),
        }
    }
}

/// A message to be built.
#[derive(Clone, Debug)]
enum Node {
    Leaf { media: &'static str, body: String },
    Multipart { closed: bool, epilogue: bool, parts: Vec<Node> },
    Message { body: Box<Node> },
}

fn node() -> impl Strategy<Value = Node> {
    let media = prop::sample::select(&["text/plain", "text/html", "application/x-none", "image/png"][..]);
    let leaf = (media, "([a-z =-]{0,30}\r\n){0,4}[a-z-]{0,5}").prop_map(|(media, body)| Node::Leaf { media, body });
    leaf.prop_recursive(5, 40, 5, |inner| {
        let parts = prop::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            (any::<bool>(), any::<bool>(), parts).prop_map(|(closed, epilogue, parts)| Node::Multipart {
                closed,
                epilogue,
                parts
            }),
            inner.prop_map(|body| Node::Message { body: Box::new(body) }),
        ]
    })
}

/// What is known of a part by building it: path, header, body, lines.
type Built = (Vec<u32>, Range<u64>, Range<u64>, u64);

#[derive(Default)]
struct Builder {
    message: String,
    line_end: &'static str,
    boundaries: u32,
    built: Vec<Built>,
}

impl Builder {
    fn at(&self) -> u64 {
        self.message.len() as u64
    }

    fn line(&mut self, line: &str) {
        self.message.push_str(line);
        self.message.push_str(self.line_end);
    }

    /// Builds a part; `path` is its own, `within` is where the numbers of parts in it go on.
    fn part(&mut self, node: &Node, path: &[u32]) {
        let start = self.at();
        let place = self.built.len();
        self.built.push(Default::default());
        let body_start;
        match node {
            Node::Leaf { media, body } => {
                self.line(&format!("Content-Type: {media}"));
                self.line("");
                body_start = self.at();
                self.message.push_str(&body.replace("\r\n", self.line_end));
            }
            Node::Multipart { closed, epilogue, parts } => {
                self.boundaries += 1;
                let boundary = format!("=_{:04}", self.boundaries);
                self.line(&format!("Content-Type: multipart/mixed; boundary=\"{boundary}\""));
                self.line("");
                body_start = self.at();
                for (number, part) in (1..).zip(parts) {
                    if number > 1 {
                        self.line("");
                    }
                    self.line(&format!("--{boundary}"));
                    self.part(part, &[path, &[number]].concat());
                }
                if *closed {
                    self.line("");
                    write!(self.message, "--{boundary}--").unwrap();
                    if *epilogue {
                        self.line("");
                        self.line("epilogue");
                    }
                }
            }
            Node::Message { body } => {
                self.line("Content-Type: message/rfc822");
                self.line("");
                body_start = self.at();
                // The numbers within a message go on from its own; one that is not multipart is part 1.
                match **body {
                    Node::Multipart { .. } => self.part(body, path),
                    _ => self.part(body, &[path, &[1]].concat()),
                }
            }
        }
        let body = body_start..self.at();
        let lines = self.message[body.start as usize..].matches('\n').count() as u64;
        self.built[place] = (path.to_vec(), start..body.start, body, lines);
    }
}

fn build(node: &Node, line_end: &'static str) -> Builder {
    let mut builder = Builder { line_end, ..Builder::default() };
    let path: &[u32] = if matches!(node, Node::Multipart { .. }) { &[] } else { &[1] };
    builder.part(node, path);
    builder
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_built_message_is_read_as_it_was_built(node in node(), crlf in any::<bool>(), chunk in 1usize..50) {
        let line_end = if crlf { "\r\n" } else { "\n" };
        let built = build(&node, line_end);
        let outline = verify(built.message.as_bytes(), chunk, Limits::default()).unwrap();
        let read: Vec<_> =
            outline.parts.iter().map(|part| (part.header.clone(), part.body.clone(), part.lines)).collect();
        let expected: Vec<_> =
            built.built.iter().map(|(_, header, body, lines)| (header.clone(), body.clone(), *lines)).collect();
        prop_assert_eq!(read, expected);
        for (index, (path, ..)) in built.built.iter().enumerate() {
            let found = outline.section_index(path).unwrap();
            // The message in a message has no number of its own when it is multipart.
            let holder = matches!(outline.parts[found].content, Content::Message { .. }) && found + 1 == index;
            prop_assert!(found == index || holder, "{:?}", path);
        }
    }

    #[test]
    fn a_built_message_is_read_as_by_the_oracle(node in node()) {
        let built = build(&node, "\r\n");
        prop_assume!(in_reach_of_oracle(&node));
        let ours = leaves(&parse(built.message.as_bytes(), Limits::default()));
        prop_assert_eq!(ours, oracle_leaves(built.message.as_bytes()));
    }

    #[test]
    fn well_formed_addresses_are_read_as_by_the_oracle(
        list in prop::collection::vec(("([A-Z][a-z]{1,8}( [A-Z][a-z]{1,8})?)?", "[a-z]{1,9}", "[a-z]{1,9}\\.test"), 1..6)
    ) {
        let text: Vec<_> = list.iter().map(|(name, mailbox, host)| match name.as_str() {
            "" => format!("{mailbox}@{host}"),
            _ => format!("{name} <{mailbox}@{host}>"),
        }).collect();
        let header = format!("To: {}\r\n\r\n", text.join(",\r\n "));
        let theirs = MessageParser::default().parse(&header).unwrap();
        let theirs: Vec<_> = theirs.to().unwrap().iter()
            .map(|address| (address.name().map(str::to_owned), address.address().unwrap().to_owned())).collect();
        let outline = parse(header.as_bytes(), Limits::default());
        let ours: Vec<_> = outline.envelope().to.iter()
            .map(|address| (
                address.name.clone().map(|name| String::from_utf8(name).unwrap()),
                address.addr_spec().to_string(),
            )).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn dates_are_read_as_by_the_oracle(unix in 0i64..4_000_000_000, offset in -720i16..=840) {
        let date = mime::date::DateTime { unix, offset };
        let header = format!("Date: {date}\r\n\r\n");
        let theirs = MessageParser::default().parse(&header).unwrap().date().unwrap().to_timestamp();
        prop_assert_eq!(theirs, unix);
        prop_assert_eq!(mime::date::parse(date.to_string().as_bytes()), Some(date));
    }

    #[test]
    fn encoded_bodies_are_decoded_as_by_the_oracle(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let encoded: String = body.iter().map(|octet| format!("={octet:02X}")).collect();
        let message = format!("Content-Type: a/b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}");
        let theirs = MessageParser::default().parse(&message).unwrap().parts[0].contents().to_vec();
        let mut ours = Vec::new();
        let mut decoder = mime::decode::Decoder::new(mime::Encoding::QuotedPrintable);
        decoder.push(encoded.as_bytes(), &mut ours);
        decoder.finish(&mut ours);
        prop_assert_eq!(&ours, &theirs);
        prop_assert_eq!(ours, body);
    }
}

/// The oracle takes all that follows for one part where a multipart is not closed, and breaks off at a message that is
/// nothing but a message.
fn in_reach_of_oracle(node: &Node) -> bool {
    match node {
        Node::Leaf { .. } => true,
        Node::Multipart { closed, parts, .. } => *closed && parts.iter().all(in_reach_of_oracle),
        Node::Message { body } => !matches!(**body, Node::Message { .. }) && in_reach_of_oracle(body),
    }
}
