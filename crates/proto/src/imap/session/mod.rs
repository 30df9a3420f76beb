//! The IMAP session: framing, literals, states and log-on, without a socket.

mod capability;
mod commands;
mod connection;
mod framing;
mod logon;
mod request;
mod settings;
mod state;
#[cfg(test)]
mod tests;

pub use connection::Session;
pub use request::{Answer, Request};
pub use settings::Settings;
