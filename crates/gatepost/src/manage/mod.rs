//! Management commands: the socket in the data directory, the server's side and the client's.

mod client;
mod socket;
mod world;

pub use client::{ManageError, command_named, run};
pub use socket::ManagementSocket;
pub use world::{Ports, now};

/// Octets of one request or response line.
const MAX_LINE: u64 = 64 * 1024 * 1024;
