//! POP3 and the store: a maildrop is the inbox as it was at log-on.

mod maildrop;
mod marks;
mod message;
mod scan;

pub use maildrop::{Answer, Maildrop};
pub use message::Message;
pub use scan::Scan;
