//! The content transfer encodings undone as they stream by (RFC 2045 §6.7, §6.8). What comes out is never longer than
//! what went in, up to a small carry, and damage never stops a decoder.

mod base64;
mod quoted_printable;

pub use base64::Base64;
pub use quoted_printable::QuotedPrintable;

use crate::outline::Encoding;

/// Undoes the encoding of one body.
pub enum Decoder {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    /// A body of an encoding that is not known stays as it is.
    pub fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Base64 => Self::Base64(Base64::default()),
            Encoding::QuotedPrintable => Self::QuotedPrintable(QuotedPrintable::default()),
            Encoding::SevenBit | Encoding::EightBit | Encoding::Binary | Encoding::Other => Self::Identity,
        }
    }

    /// Appends what the next octets of the body stand for.
    pub fn push(&mut self, encoded: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Identity => out.extend_from_slice(encoded),
            Self::Base64(decoder) => decoder.push(encoded, out),
            Self::QuotedPrintable(decoder) => decoder.push(encoded, out),
        }
    }

    /// Appends what the end of the body leaves.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self {
            Self::Identity => {}
            Self::Base64(decoder) => decoder.finish(out),
            Self::QuotedPrintable(decoder) => decoder.finish(out),
        }
    }
}

pub(crate) fn from_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
