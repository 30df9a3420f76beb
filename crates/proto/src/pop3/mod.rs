//! POP3 as the server speaks it: RFC 1939 with RFC 2449 (CAPA, response codes), 2595 (STLS), 3206 and 5034
//! (AUTH). No APOP: it needs passwords in clear on the server.
//!
//! A command is one row of the table in `table.rs`, from which parsing, legality and CAPA derive.

mod command;
mod reply;
mod request;
mod session;
mod settings;
mod table;

pub use command::{Command, Number, Transaction};
pub use reply::{Code, MAX_REPLY, err, ok};
pub use request::{Answer, Request, Update};
pub use session::Session;
pub use settings::Settings;
