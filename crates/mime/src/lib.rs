//! Internet messages (RFC 5322, 2045-2049, 2183, 2231), read once and as they stream by.
//!
//! [`Parser`] is pushed the octets of a message in pieces of any size and gives back an [`Outline`]: the envelope and
//! the tree of parts with their exact octet ranges, so that a message can be shown, searched and cut into sections later
//! without being read again. The outline has a compact binary form that is kept beside the message. No input makes the
//! parser fail, recurse, take more than linear time or hold more than its [`Limits`] allow; what lies beyond a limit
//! stays opaque text.
//!
//! The small modules turn raw octets into what a person reads: [`word`] (encoded words, extended parameters),
//! [`decode`] (transfer encodings), [`charset`], [`text`] (both at once), [`address`], [`date`] and [`header`].
//!
//! The crate refuses to know about files, sockets, clocks, and what any protocol makes of a message.
//!
//! Read first: [`Parser`], [`Outline`], [`Part`].

pub mod address;
pub mod charset;
pub mod date;
pub mod decode;
pub mod header;
pub mod text;
pub mod word;

mod codec;
mod dictionary;
mod envelope;
mod field;
mod limits;
mod outline;
mod parameter;
mod parser;
mod structured;
mod tree;
mod verify;

pub use codec::DecodeError;
pub use envelope::{Address, Envelope};
pub use limits::Limits;
pub use outline::{Children, Content, Disposition, Encoding, MediaType, Octets, Outline, Part};
pub use parameter::{Parameter, decoded_parameter, raw_parameter};
pub use parser::{Parser, parse};
pub use verify::{Inconsistency, verify};
