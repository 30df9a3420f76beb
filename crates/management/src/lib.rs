//! What an administrator can do, each act declared once.
//!
//! A command is a verb and a noun with typed parameters, named as Exchange administrators know it. From its
//! declaration come the command line, its help and the requests on the management socket. What a command
//! does to the world goes through the ports of [`World`]; this crate refuses to know sockets, files and tasks.
//!
//! Read first: [`Command`] (one declaration), [`settings`] (every setting with its default and meaning),
//! [`World`] (what the server lends to commands).

mod command;
mod commands;
mod line;
mod outcome;
pub mod settings;
mod world;

pub use command::{Command, Given, Kind, Parameter, nearest};
pub use commands::cas_mailbox::NTLM_IN_USE;
pub use commands::{all, find, store};
pub use line::{Line, LineError, SecretSource, parse_line};
pub use outcome::{Failure, Object, Outcome, Request, Response, render_table};
pub use settings::{Service, ServiceSettings};
pub use world::{
    BackedUp, Connectors, LogOn, LogOns, Passwords, Port, RestoredMailbox, Services, StartedWith, StoreMaintenance,
    Verified, World,
};
