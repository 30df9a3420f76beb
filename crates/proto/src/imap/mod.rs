//! IMAP4rev1 (RFC 3501) with the extensions that the capability list names.
//!
//! Read first: [`command::Command`] (what a client can ask).

pub mod command;
