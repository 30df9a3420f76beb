//! The server's side of SASL exchanges (RFC 4422), one and the same for POP3, IMAP and SMTP.
//!
//! A protocol session hands in what stood after the mechanism's name, then each line of the client (all without
//! line end) and each finding of its driver, and does what the [`Step`] says in its own words. A mechanism is a
//! file here and a row in [`Mechanism`](crate::logon::Mechanism); base64, `=` and `*` are dealt with once, for all
//! of them. What a mechanism has to know of accounts, clocks, randomness and TLS, it asks for.

mod bearer;
mod exchange;
mod external;
mod gssapi;
mod login;
mod ntlm;
mod plain;
pub mod scram;

pub use exchange::{Exchange, Step};
