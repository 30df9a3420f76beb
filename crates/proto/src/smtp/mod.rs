//! SMTP as a server speaks it (RFC 5321): addresses, commands, replies and the sans-I/O session.
//!
//! A path is parsed once into a type and only the type is printed again. The session asks about every
//! sender, recipient, log-on and message, and knows nothing about who may do what.
//!
//! Read first: [`Session`], [`Request`] with [`Answer`], [`Reply`].

mod address;
mod chunk;
mod command;
mod limits;
mod reply;
mod session;

pub use address::{AddressError, Domain, ForwardPath, Mailbox, ReversePath};
pub use command::{BodyType, ClientName, Command, CommandError, Mail};
pub use limits::Limits;
pub use reply::Reply;
pub use session::{Answer, Configuration, Request, Session};
