//! The client's first message (MS-NLMP 2.2.1.1).

use super::Fault;
use super::flags::Flags;
use super::wire::{Charset, Message};

/// What a client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiate {
    pub(super) flags: Flags,
    pub(super) charset: Charset,
    /// As they came: a MIC covers them.
    pub(super) octets: Vec<u8>,
}

impl Negotiate {
    pub(super) const TYPE: u32 = 1;

    /// Signature, type and flags are all that must be there. Names of domain and workstation and the version are not
    /// read: nothing depends on them, and old clients leave them out or point their offsets anywhere.
    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        let message = Message::open(octets, Self::TYPE)?;
        let flags = Flags(message.u32(12)?);
        // MS-NLMP 3.2.5.1.1: Unicode where both are offered, OEM where it is alone, an error where there is neither.
        // curl offers OEM alone.
        let charset = match (flags.has(Flags::UNICODE), flags.has(Flags::OEM)) {
            (true, _) => Charset::Unicode,
            (false, true) => Charset::Oem,
            (false, false) => return Err(Fault::Charset),
        };
        Ok(Self { flags, charset, octets: octets.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::client;
    use super::*;

    #[test]
    fn a_message_of_sixteen_octets_is_enough() {
        // RequestTarget, NTLM, Unicode.
        let octets = client::negotiate_bare(Flags(0x205));
        assert_eq!(octets.len(), 16);
        let negotiate = Negotiate::parse(&octets).unwrap();
        assert_eq!((negotiate.charset, negotiate.octets), (Charset::Unicode, octets));
    }

    #[test]
    fn unicode_is_taken_before_oem_and_one_of_both_must_be_there() {
        let charset = |flags| Negotiate::parse(&client::negotiate_bare(Flags(flags))).map(|message| message.charset);
        assert_eq!(charset(0x203), Ok(Charset::Unicode));
        assert_eq!(charset(0x202), Ok(Charset::Oem));
        assert_eq!(charset(0x200), Err(Fault::Charset));
    }

    #[test]
    fn a_truncation_is_refused_in_the_fixed_part_and_harmless_behind_it() {
        let octets = client::negotiate(Flags(0xe208_8207));
        for end in 0..16 {
            assert_eq!(Negotiate::parse(&octets[..end]), Err(Fault::Truncated), "{end}");
        }
        for end in 16..=octets.len() {
            assert!(Negotiate::parse(&octets[..end]).is_ok(), "{end}");
        }
    }

    #[test]
    fn names_that_point_outside_are_not_followed() {
        let mut octets = client::negotiate_bare(Flags(0xb203));
        octets.extend([0xff; 16]);
        assert!(Negotiate::parse(&octets).is_ok());
    }

    #[test]
    fn the_other_messages_are_refused() {
        for found in [0, 2, 3, u32::MAX] {
            let mut octets = client::negotiate(Flags(0x207));
            octets[8..12].copy_from_slice(&found.to_le_bytes());
            assert_eq!(Negotiate::parse(&octets), Err(Fault::MessageType { expected: 1, found }));
        }
    }
}
