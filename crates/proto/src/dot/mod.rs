//! Text that ends with a line of one dot: POP3's multi-line responses (RFC 1939 §3) and SMTP's DATA
//! (RFC 5321 §4.5.2). Both work on chunks cut anywhere.

mod stuffer;
mod unstuffer;

pub use stuffer::Stuffer;
pub use unstuffer::{Piece, Unstuffer};
