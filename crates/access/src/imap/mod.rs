//! IMAP commands against the store: one file for each command or group of them.
//!
//! A [`Session`] is what a logged-on connection keeps between commands: the account and the selected folder
//! as a [`View`](crate::view::View). [`Session::execute`] carries out one parsed command and gives back an
//! [`Answer`], a reply that is pulled piece by piece and ends with the tagged line. What a client is told OK
//! for is durable by then.
//!
//! Which command may stand where in a connection (log-on, TLS, IDLE) is the protocol session's matter, in
//! `proto::imap`.

mod answer;
mod append;
mod copy;
mod expunge;
mod fetch;
mod flags;
mod folder;
mod list;
mod pattern;
mod refusal;
mod search;
mod select;
mod session;
mod set;
mod status;
mod telling;
mod turn;

pub use answer::Answer;
pub use append::Appending;
pub use session::Session;
