//! The server's side of NTLM (MS-NLMP), version 2 only.
//!
//! Three messages: the client's [`Negotiate`], the server's [`Challenge`] and the client's answer, which becomes a
//! [`Proof`]. A proof says who wants to log on; whoever finds that account has it verified against the account's
//! [`NtHash`]. Randomness and time are given from outside, octets go in and out: base64 and the lines of a protocol
//! are not known here.
//!
//! What is refused: LM, LMv2 alone, NTLM version 1, anonymous log-ons. What is not offered: signing and sealing of
//! what follows, since no mail protocol has a place for it; their flags are agreed to because some clients insist.

mod authenticate;
mod av_pair;
mod binding;
mod challenge;
#[cfg(test)]
pub(crate) mod client;
mod fault;
mod flags;
mod hash;
mod negotiate;
mod proof;
mod response;
mod target;
#[cfg(test)]
mod tests;
mod time;
mod wire;

pub use binding::Binding;
pub use challenge::Challenge;
pub use fault::{Fault, Refusal};
pub use hash::{NtHash, SessionKey};
pub use negotiate::Negotiate;
pub use proof::Proof;
pub use target::Target;
pub use time::FileTime;

/// Octets that a message of a client has at most. Real ones have some hundreds; an echoed target info makes the most.
pub const MAX_MESSAGE: usize = 8192;

/// UTF-16 code units that the name of a user, a domain or a workstation has at most.
pub const MAX_NAME: usize = 256;
