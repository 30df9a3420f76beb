//! What each fuzz target does with its input. The corpora in `fuzz/corpus/` run through the same functions as plain
//! tests, so that what fuzzing found stays found on any toolchain.
//!
//! A session must say the same however its input is cut: each is run on the whole input and on single octets.

#![allow(clippy::panic, reason = "a promise that does not hold is what a fuzzer is to find")]

mod drive;
mod imap;
mod message;
mod ntlm;
mod pop3;
mod records;
mod sasl;
mod smtp;

pub use imap::imap;
pub use message::mime;
pub use ntlm::ntlm;
pub use pop3::pop3;
pub use records::records;
pub use sasl::sasl;
pub use smtp::smtp;

/// A target by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("imap", imap),
    ("mime", mime),
    ("ntlm", ntlm),
    ("pop3", pop3),
    ("records", records),
    ("sasl", sasl),
    ("smtp", smtp),
];
