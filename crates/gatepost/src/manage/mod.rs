//! Management commands: the socket in the data directory, the server's side and the client's.

mod client;
mod maintenance;
mod socket;
mod world;

pub use client::{ManageError, ask_if_running, command_named, help, run, show};
pub use maintenance::{Maintenance, repair, restore};
pub use socket::ManagementSocket;
pub use world::Ports;

/// Octets of one request or response line.
const MAX_LINE: u64 = 64 * 1024 * 1024;
