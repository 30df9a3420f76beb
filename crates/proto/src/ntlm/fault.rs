//! Why a log-on does not come about. These texts are for the log; a client learns that it failed.

use std::error::Error;
use std::fmt;

use super::{MAX_MESSAGE, MAX_NAME};

/// A message that cannot be used, whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More than [`MAX_MESSAGE`] octets.
    TooLong,
    /// The fixed part of the message is not all there.
    Truncated,
    Signature,
    /// Another of the three messages than the one that is due.
    MessageType {
        expected: u32,
        found: u32,
    },
    /// Neither Unicode nor OEM was offered.
    Charset,
    /// A field that lies outside of the message, or on its fixed part.
    OutOfBounds(&'static str),
    /// A name in no encoding that was agreed on.
    Text(&'static str),
    /// A name of more than [`MAX_NAME`] code units.
    NameTooLong(&'static str),
    Anonymous,
    /// LM or LMv2 without an NT response; their octets do not tell which.
    LanManager,
    Version1,
    /// An NTLMv2 response that is not built as one.
    Response(&'static str),
    /// The target information of the challenge is not in the response as it was sent.
    TargetInfo,
    /// An encrypted session key that does not have 16 octets.
    SessionKey,
    /// A MIC is announced where the message has none.
    NoMic,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the NTLM message has more than {MAX_MESSAGE} octets"),
            Self::Truncated => f.write_str("the NTLM message is cut off"),
            Self::Signature => f.write_str("this is no NTLM message"),
            Self::MessageType { expected, found } => {
                write!(f, "an NTLM message of type {found} came where type {expected} is due")
            }
            Self::Charset => f.write_str("the client offers neither Unicode nor OEM text"),
            Self::OutOfBounds(field) => write!(f, "the {field} lies outside of the NTLM message's payload"),
            Self::Text(field) => write!(f, "the {field} is not in the character set that was agreed on"),
            Self::NameTooLong(field) => write!(f, "the {field} is longer than {MAX_NAME} characters"),
            Self::Anonymous => f.write_str("the client wants to log on as nobody, which is not accepted"),
            Self::LanManager => {
                f.write_str("the client gives a LAN Manager response (LM or LMv2) alone, which is not accepted")
            }
            Self::Version1 => f.write_str("the client speaks NTLM version 1, which is not accepted"),
            Self::Response(why) => write!(f, "the NTLMv2 response is malformed: {why}"),
            Self::TargetInfo => f.write_str("the NTLMv2 response does not repeat what this server said of itself"),
            Self::SessionKey => f.write_str("the encrypted session key does not have 16 octets"),
            Self::NoMic => f.write_str("the client announces a message integrity code and has no place for it"),
        }
    }
}

impl Error for Fault {}

/// A proof that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The password is wrong, or there is no such account.
    Proof,
    /// The integrity code does not fit the three messages.
    Mic,
    /// A channel binding is required and none was given.
    NoBinding,
    /// The client bound its log-on to another TLS connection than this one.
    Binding,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proof => "the password is wrong or the user is unknown",
            Self::Mic => "the message integrity code is wrong: the messages were altered on their way",
            Self::NoBinding => "the client gives no channel binding, which is required",
            Self::Binding => "the channel binding is of another TLS connection: somebody stands between",
        })
    }
}

impl Error for Refusal {}
