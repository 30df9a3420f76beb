/// How much of a message is interpreted. Beyond a limit the octets are still counted and addressable, as opaque text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of parts below the root. A multipart or message deeper than this stays a leaf.
    pub depth: u32,
    /// Parts of one message, the root included: half a kilobyte of memory each. What follows the last of them belongs to
    /// its body.
    pub parts: u32,
    /// Octets of header field values that are interpreted, over the whole message. A field that does not fit in what is
    /// left is passed over whole; smaller ones after it are still read.
    pub header_bytes: u64,
    /// Addresses (group markers included) kept in the envelopes of one message.
    pub addresses: u32,
    /// Media type and disposition parameters and language tags kept for one message.
    pub parameters: u32,
    /// Octets of a multipart boundary. RFC 2046 §5.1.1 allows 70; mailers exceed it. A longer one leaves an opaque leaf.
    pub boundary_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 100,
            parts: 2_000,
            header_bytes: 1 << 20,
            addresses: 20_000,
            parameters: 50_000,
            boundary_bytes: 256,
        }
    }
}
