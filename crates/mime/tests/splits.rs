//! Where a stream is cut makes no difference, and no octets break a promise.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod corpus;

use mime::{Limits, Parser, parse, verify};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[test]
fn every_split_gives_the_same_outline() {
    for (name, message) in corpus::all() {
        let whole = parse(&message, Limits::default());
        for at in 0..=message.len() {
            let mut parser = Parser::new(Limits::default());
            parser.push(&message[..at]);
            parser.push(&message[at..]);
            assert_eq!(parser.finish(), whole, "{name} split at {at}");
        }
    }
}

#[test]
fn every_chunk_size_gives_the_same_outline() {
    for (name, message) in corpus::all() {
        for chunk in (1..20).chain([64, 1000]) {
            assert!(verify(&message, chunk, Limits::default()).is_ok(), "{name} in chunks of {chunk}");
        }
    }
}

#[test]
fn blanks_before_a_colon_are_judged_the_same_at_every_split() {
    for blanks in [0, 1, 56, 57, 58, 200] {
        let message = format!("Subject{}: x\r\n\r\n", " ".repeat(blanks));
        let found = parse(message.as_bytes(), Limits::default()).envelope().subject.is_some();
        assert_eq!(found, blanks <= 57, "{blanks} blanks");
        for chunk in 1..message.len() {
            assert_eq!(verify(message.as_bytes(), chunk, Limits::default()).err(), None, "{blanks} blanks");
        }
    }
}

#[test]
fn every_cut_of_a_message_keeps_the_promises() {
    for (name, message) in corpus::all() {
        for end in 0..message.len() {
            assert_eq!(verify(&message[..end], 7, Limits::default()).err(), None, "{name} cut at {end}");
        }
    }
}

#[test]
fn small_limits_are_the_same_at_every_split() {
    let limits = Limits { depth: 2, parts: 4, header_bytes: 150, addresses: 2, parameters: 3, boundary_bytes: 6 };
    for (name, message) in corpus::all() {
        for chunk in 1..20 {
            assert_eq!(verify(&message, chunk, limits).err(), None, "{name} in chunks of {chunk}");
        }
    }
}

/// Pieces that messages are made of, so that chance makes something like messages.
const PIECES: [&str; 34] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\n\n",
    "-",
    "--",
    "--a",
    "--ab",
    "--a--",
    "--ab--",
    "\r\n--a\r\n",
    "\r\n--ab\r\n",
    "\r\n--a--\r\n",
    "\n--ab--\n",
    " ",
    "\t",
    ":",
    ";",
    "\"",
    "(",
    "text",
    "Content-Type: multipart/mixed; boundary=a\r\n",
    "Content-Type: multipart/digest; boundary=\"ab\"\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: text/plain; charset*0=utf;\r\n charset*1=-8\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Disposition: attachment; filename=a\r\n",
    "From: Ann <a@x>, b@x\r\n",
    "To: g: a@x;\r\n",
    "Received: x\r\n",
    "Subject:",
    "Subject : =?utf-8?q?a?=\r\n b\r\n",
    "\0\u{fc}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_up_messages_keep_the_promises(pieces in vec(select(&PIECES[..]), 0..60), chunk in 1usize..40) {
        let message = pieces.concat();
        prop_assert_eq!(verify(message.as_bytes(), chunk, Limits::default()).err(), None);
    }

    #[test]
    fn made_up_messages_keep_the_promises_at_small_limits(
        pieces in vec(select(&PIECES[..]), 0..60),
        chunk in 1usize..40,
        depth in 0u32..4,
        parts in 0u32..6,
        header_bytes in 0u64..200,
    ) {
        let limits = Limits { depth, parts, header_bytes, addresses: 3, parameters: 3, boundary_bytes: 1 + depth };
        let message = pieces.concat();
        let outline = verify(message.as_bytes(), chunk, limits);
        prop_assert_eq!(outline.as_ref().err(), None);
    }

    #[test]
    fn random_octets_keep_the_promises(message in vec(any::<u8>(), 0..500), chunk in 1usize..40) {
        prop_assert_eq!(verify(&message, chunk, Limits::default()).err(), None);
    }
}
