//! What the server says, written at the end of a buffer.
//!
//! Everything here takes arbitrary octets and puts out nothing that could be read as something else: no
//! line breaks in a text, no NUL in a string.

mod fetch;
mod mailbox;
mod response;
mod string;
mod structure;

pub use fetch::{fetch_begin, fetch_end, internal_date, item_name, mod_seq, section_name};
pub use mailbox::{flags, list, search_begin, search_end, search_number, status};
pub use response::{Code, Condition, continuation, tagged, untagged, untagged_number};
pub use string::{astring, literal_begin, mailbox_name, nstring, number, string};
pub use structure::{body_structure, envelope};
