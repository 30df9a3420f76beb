//! The server: sockets, TLS, time, log-on and the command line around the protocol cores.
//!
//! Everything that decides stands in the other crates and does no I/O; this one drives them. A connection
//! is one task: [`connection::Connection`] moves octets between a socket and a protocol's session, and the
//! protocol's function in [`serve`] answers its requests from the store.
//!
//! Read first: [`connection::Connection`], [`serve::Site`] (what all sessions share), [`logon::Logon`].

pub mod connection;
pub mod logon;
pub mod serve;
