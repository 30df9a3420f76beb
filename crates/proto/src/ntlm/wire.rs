//! Reading and writing at places that a message names itself. Nothing outside of the message is ever reached.

use super::{Fault, MAX_MESSAGE};

/// MS-NLMP 2.2.1.1: what each message begins with.
pub(super) const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

/// A message of a client that has a signature and is of the type that is due.
#[derive(Clone, Copy)]
pub(super) struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    pub fn open(octets: &'a [u8], expected: u32) -> Result<Self, Fault> {
        if octets.len() > MAX_MESSAGE {
            return Err(Fault::TooLong);
        }
        let message = Self(octets);
        if message.array(0)? != SIGNATURE {
            return Err(Fault::Signature);
        }
        match message.u32(8)? {
            found if found == expected => Ok(message),
            found => Err(Fault::MessageType { expected, found }),
        }
    }

    pub fn array<const N: usize>(self, at: usize) -> Result<[u8; N], Fault> {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Fault::Truncated)
    }

    pub fn u32(self, at: usize) -> Result<u32, Fault> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// What the length and offset at a place refer to. The payload begins behind the fixed part, at `payload`.
    pub fn field(self, at: usize, payload: usize, name: &'static str) -> Result<&'a [u8], Fault> {
        let length = usize::from(u16::from_le_bytes(self.array(at)?));
        // MS-NLMP 2.2.1.3: the maximal length, at `at + 2`, must be ignored.
        let offset = self.u32(at + 4)?;
        // The offset of nothing says nothing; clients leave zero or any other number there.
        if length == 0 {
            return Ok(&[]);
        }
        let start = usize::try_from(offset).ok().filter(|start| *start >= payload);
        let range = start.and_then(|start| Some(start..start.checked_add(length)?));
        range.and_then(|range| self.0.get(range)).ok_or(Fault::OutOfBounds(name))
    }
}

/// How names travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// UTF-16LE.
    Unicode,
    /// The code page of the client, which nobody tells: its ASCII half is all that can be read.
    Oem,
}

impl Charset {
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Unicode => utf16(text),
            Self::Oem => text.as_bytes().to_vec(),
        }
    }

    /// The most octets that so many code units have.
    pub const fn octets(self, units: usize) -> usize {
        match self {
            Self::Unicode => units * 2,
            Self::Oem => units,
        }
    }

    /// A name without NUL. What is no character, half of a pair of surrogates above all, makes it none.
    pub fn decode(self, octets: &[u8]) -> Option<String> {
        let text = match self {
            Self::Unicode => {
                let (units, rest) = octets.as_chunks();
                let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
                let text: Result<String, _> = char::decode_utf16(units).collect();
                text.ok().filter(|_| rest.is_empty())?
            }
            Self::Oem => str::from_utf8(octets).ok().filter(|text| text.is_ascii())?.to_owned(),
        };
        (!text.contains('\0')).then_some(text)
    }
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The length, twice, and the offset of a field (MS-NLMP 2.2.1.2).
pub(super) fn put_field(out: &mut Vec<u8>, length: u16, offset: u32) {
    out.extend(length.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(offset.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: u16, offset: u32, payload: &[u8]) -> Vec<u8> {
        let mut octets = [SIGNATURE.as_slice(), &3u32.to_le_bytes()].concat();
        put_field(&mut octets, length, offset);
        octets.extend(payload);
        octets
    }

    fn field(length: u16, offset: u32) -> Result<Vec<u8>, Fault> {
        let octets = message(length, offset, b"abcd");
        Message::open(&octets, 3).unwrap().field(12, 20, "user name").map(<[u8]>::to_vec)
    }

    #[test]
    fn a_field_is_read_inside_of_the_payload_and_nowhere_else() {
        let outside = Err(Fault::OutOfBounds("user name"));
        assert_eq!(field(4, 20), Ok(b"abcd".to_vec()));
        assert_eq!(field(1, 23), Ok(b"d".to_vec()));
        for (length, offset) in
            [(5, 20), (1, 24), (1, 19), (4, 0), (1, u32::MAX), (u16::MAX, u32::MAX), (u16::MAX, 20), (1, 1 << 31)]
        {
            assert_eq!(field(length, offset), outside, "{length} at {offset}");
        }
    }

    #[test]
    fn an_empty_field_may_have_any_offset() {
        for offset in [0, 1, 24, 25, u32::MAX] {
            assert_eq!(field(0, offset), Ok(Vec::new()));
        }
    }

    #[test]
    fn the_longest_message_is_opened_and_one_octet_more_is_not() {
        let mut octets = message(0, 0, b"");
        octets.resize(MAX_MESSAGE, 0);
        assert!(Message::open(&octets, 3).is_ok());
        octets.push(0);
        assert_eq!(Message::open(&octets, 3).err(), Some(Fault::TooLong));
    }

    #[test]
    fn other_signatures_and_types_are_not_opened() {
        let octets = message(0, 0, b"");
        assert_eq!(Message::open(&octets, 1).err(), Some(Fault::MessageType { expected: 1, found: 3 }));
        assert_eq!(Message::open(b"NTLMSSP_\x03\0\0\0", 3).err(), Some(Fault::Signature));
        for end in 0..12 {
            assert_eq!(Message::open(&octets[..end], 3).err(), Some(Fault::Truncated));
        }
    }

    #[test]
    fn names_are_read_in_both_character_sets_and_half_characters_in_none() {
        assert_eq!(Charset::Unicode.decode(&utf16("Jürgen 𝄞")), Some("Jürgen 𝄞".into()));
        assert_eq!(Charset::Oem.decode(b"ann"), Some("ann".into()));
        assert_eq!(Charset::Unicode.decode(b""), Some(String::new()));
        for bad in [b"\x00\xd8".as_slice(), b"\x00\xdc", b"\x00\xdc\x00\xd8", b"a\0b", b"a\0\0\0", b"\x00\xd8a\0"] {
            assert_eq!(Charset::Unicode.decode(bad), None, "{bad:?}");
        }
        for bad in [b"J\xfcrgen".as_slice(), "Jürgen".as_bytes(), b"a\0"] {
            assert_eq!(Charset::Oem.decode(bad), None, "{bad:?}");
        }
    }
}
