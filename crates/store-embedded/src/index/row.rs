//! A row as it lies on disk: its value, then a checksum over where it belongs and what it is.

use store::Result;

use super::damaged_index;
use crate::state::Key;

const LENGTH: usize = 4;

pub(super) fn seal(key: &Key, value: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(value.len() + LENGTH);
    sealed.extend_from_slice(value);
    sealed.extend_from_slice(&checksum(key, value).to_le_bytes());
    sealed
}

/// The value, unless it or its key is damaged.
pub(super) fn unseal<'a>(key: &Key, sealed: &'a [u8]) -> Result<&'a [u8]> {
    match sealed.split_last_chunk::<LENGTH>() {
        Some((value, sum)) if u32::from_le_bytes(*sum) == checksum(key, value) => Ok(value),
        _ => Err(damaged_index("a row does not match its checksum")),
    }
}

fn checksum(key: &Key, value: &[u8]) -> u32 {
    let octets = crc32c::crc32c_append(key.table() as u32, key.octets());
    crc32c::crc32c_append(octets, value)
}

#[cfg(test)]
mod tests {
    use store::{BodyId, MessageId};

    use super::*;

    #[test]
    fn any_cut_or_flipped_bit_and_any_other_place_is_noticed() {
        let key = Key::message(MessageId(7));
        let sealed = seal(&key, b"a value");
        assert_eq!(unseal(&key, &sealed).unwrap(), b"a value");
        for cut in 0..sealed.len() {
            assert!(unseal(&key, &sealed[..cut]).is_err(), "cut at {cut}");
        }
        for bit in 0..sealed.len() * 8 {
            let mut sealed = sealed.clone();
            sealed[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(&key, &sealed).is_err(), "bit {bit}");
        }
        for other in [Key::message(MessageId(8)), Key::body(BodyId(7))] {
            assert!(unseal(&other, &sealed).is_err(), "{other:?}");
        }
    }

    #[test]
    fn the_first_format_can_still_be_read() {
        let key = Key::message(MessageId(7));
        let fixture = b"a value\xdb\x69\x9d\x95";
        assert_eq!(seal(&key, b"a value"), fixture);
        assert_eq!(unseal(&key, fixture).unwrap(), b"a value");
    }
}
