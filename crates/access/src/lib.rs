//! Client Access: what POP3 and IMAP sessions do with the store.
//!
//! This crate decides and renders: views with sequence numbers, FETCH, SEARCH, the maildrop. It refuses to
//! know sockets, TLS and log-on; it reaches messages only through the handles of `store`.
//!
//! Read first: [`reply::Reply`] (an answer of any length, made piece by piece).

pub mod imap;
pub mod pop3;
pub mod reply;
pub mod view;
