//! How mail comes in, as decisions: receive connectors, who may send what to whom, the trace header.
//!
//! Every answer names the connector, the right that was missing and the reason, for the log, and the reply,
//! for the peer. This crate refuses to know sockets, the clock and how accounts are looked up: its callers
//! ask the directory what [`Destination`] says and hand in what was found.
//!
//! Read first: [`ReceiveConnector`] (a session's policy as one object), [`Peer`] (who speaks, and the three
//! questions about it), [`Trace`] (what delivery puts in front of a message).

mod accept_id;
mod check;
mod connector;
mod destination;
mod firewall;
mod grant;
mod header;
mod originator;
mod path;
mod peer;
mod refusal;
mod remote_range;
mod rights;
mod select;
mod trace;
mod trouble;

pub use accept_id::AcceptId;
pub use connector::{Binding, BindingTls, Limits, ReceiveConnector};
pub use destination::Destination;
pub use firewall::HeaderFirewall;
pub use grant::{Grant, Principal};
pub use header::{HeaderWatch, lacks_header};
pub use path::{forward_path, reverse_path};
pub use peer::Peer;
pub use refusal::Refusal;
pub use remote_range::{RemoteRange, RemoteRangeError};
pub use rights::{PermissionGroup, Right, Rights};
pub use select::select;
pub use trace::Trace;
pub use trouble::store_trouble;
