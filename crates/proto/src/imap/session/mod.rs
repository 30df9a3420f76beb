//! The IMAP session: framing, literals, states and log-on, without a socket.

mod request;

pub use request::{Answer, Request};
