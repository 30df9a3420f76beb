//! The server: sockets, TLS, time, log-on and the command line around the protocol cores.
//!
//! Everything that decides stands in the other crates and does no I/O; this one drives them. A connection
//! is one task: [`connection::Connection`] moves octets between a socket and a protocol's session, and the
//! protocol's function in [`serve`] answers its requests from the store.
//!
//! Read first: [`connection::Connection`], [`serve::Site`] (what all sessions share), [`logon::Logon`].

pub mod cli;
pub mod clock;
pub mod connection;
pub mod connectors;
pub mod engine;
pub mod ldap;
pub mod listen;
pub mod logon;
pub mod logs;
pub mod manage;
pub mod serve;
pub mod server;
pub mod setup;
pub mod tls;
