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
pub use proto::logon::Mechanism;
pub use records::records;
pub use sasl::{sasl, verdict};
pub use smtp::smtp;

/// A target by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("imap", imap),
    ("mime", mime),
    ("ntlm", ntlm),
    ("pop3", pop3),
    ("records", records),
    ("sasl-external", |data| sasl(Mechanism::External, data)),
    ("sasl-gss-spnego", |data| sasl(Mechanism::GssSpnego, data)),
    ("sasl-gssapi", |data| sasl(Mechanism::Gssapi, data)),
    ("sasl-login", |data| sasl(Mechanism::Login, data)),
    ("sasl-ntlm", |data| sasl(Mechanism::Ntlm, data)),
    ("sasl-oauthbearer", |data| sasl(Mechanism::OAuthBearer, data)),
    ("sasl-plain", |data| sasl(Mechanism::Plain, data)),
    ("sasl-scram-sha-1", |data| sasl(Mechanism::ScramSha1, data)),
    ("sasl-scram-sha-1-plus", |data| sasl(Mechanism::ScramSha1Plus, data)),
    ("sasl-scram-sha-256", |data| sasl(Mechanism::ScramSha256, data)),
    ("sasl-scram-sha-256-plus", |data| sasl(Mechanism::ScramSha256Plus, data)),
    ("sasl-xoauth2", |data| sasl(Mechanism::XOAuth2, data)),
    ("smtp", smtp),
];
