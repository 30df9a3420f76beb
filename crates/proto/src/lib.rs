//! POP3, IMAP and SMTP as a client sees them: types, codecs and sans-I/O sessions.
//!
//! A session takes octets and the time, and gives back requests, octets to write and its next deadline.
//! It refuses to know sockets, clocks, the store and who may log on: it asks (a request) and is told (an
//! answer). In each protocol a parser never writes and a session never looks anything up.
//!
//! Read first: [`Session`] (the one signature of all three protocols), [`logon::Offer`] (what a session
//! may offer for log-on).

pub mod dot;
pub mod foreign;
pub mod imap;
pub mod logon;
pub mod ntlm;
pub mod pop3;
pub mod sasl;
mod session;
pub mod smtp;

pub use session::Session;
