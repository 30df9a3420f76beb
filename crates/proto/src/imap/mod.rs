//! IMAP4rev1 (RFC 3501) with the extensions that the capability list names.
//!
//! Read first: [`command::Command`] (what a client can ask), [`Session`] with its [`Request`] (framing, state,
//! log-on), [`mod@write`] (what a server can say).

pub mod command;
pub mod mutf7;
pub mod parse;
mod session;
pub mod table;
pub mod write;

pub use session::{Answer, Request, Session, Settings};
