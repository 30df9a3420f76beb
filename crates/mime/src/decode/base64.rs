/// Base64 (RFC 2045 §6.8). Octets outside the alphabet are passed over; padding ends a run of data, after which another
/// may follow, as where encoded texts were joined.
#[derive(Clone, Debug, Default)]
pub struct Base64 {
    /// The bits of the characters since the last whole group of four.
    bits: u32,
    characters: u8,
}

const SKIP: u8 = 64;
const PADDING: u8 = 65;

const VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [SKIP; 256];
    let mut index = 0;
    while index < alphabet.len() {
        #[allow(clippy::indexing_slicing, reason = "index is less than the length; evaluated by the compiler")]
        let character = alphabet[index];
        #[allow(clippy::indexing_slicing, reason = "an octet is less than 256; evaluated by the compiler")]
        {
            values[character as usize] = index as u8;
        }
        index += 1;
    }
    #[allow(clippy::indexing_slicing, reason = "an octet is less than 256; evaluated by the compiler")]
    {
        values[b'=' as usize] = PADDING;
    }
    values
};

#[allow(clippy::indexing_slicing, reason = "an octet is less than 256")]
fn value(character: u8) -> u8 {
    VALUES[usize::from(character)]
}

impl Base64 {
    pub fn push(&mut self, encoded: &[u8], out: &mut Vec<u8>) {
        out.reserve(encoded.len() / 4 * 3 + 3);
        let mut rest = encoded;
        loop {
            if self.characters == 0 {
                rest = whole_groups(rest, out);
            }
            let Some((&character, tail)) = rest.split_first() else {
                return;
            };
            rest = tail;
            match value(character) {
                SKIP => {}
                PADDING => self.flush(out),
                sextet => {
                    self.bits = self.bits << 6 | u32::from(sextet);
                    self.characters += 1;
                    if self.characters == 4 {
                        self.flush(out);
                    }
                }
            }
        }
    }

    /// Appends what an unpadded end leaves.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.flush(out);
    }

    /// Appends the whole octets gathered so far; the odd bits of a short group are padding (RFC 2045 §6.8).
    fn flush(&mut self, out: &mut Vec<u8>) {
        let [_, first, second, third] = match self.characters {
            2 => self.bits << 12,
            3 => self.bits << 6,
            _ => self.bits,
        }
        .to_be_bytes();
        match self.characters {
            2 => out.push(first),
            3 => out.extend_from_slice(&[first, second]),
            4 => out.extend_from_slice(&[first, second, third]),
            _ => {}
        }
        (self.bits, self.characters) = (0, 0);
    }
}

/// Decodes groups of four characters of the alphabet as long as there are any.
fn whole_groups<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    while let [a, b, c, d, tail @ ..] = rest {
        let (a, b, c, d) = (value(*a), value(*b), value(*c), value(*d));
        if (a | b | c | d) >= SKIP {
            break;
        }
        let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        let [_, first, second, third] = bits.to_be_bytes();
        out.extend_from_slice(&[first, second, third]);
        rest = tail;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut decoder = Base64::default();
        for piece in pieces {
            decoder.push(piece, &mut out);
        }
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn known_answers() {
        let cases: [(&[u8], &[u8]); 9] = [
            (b"", b""),
            (b"Zg==", b"f"),
            (b"Zm8=", b"fo"),
            (b"Zm9vYmFy", b"foobar"),
            (b"Zm9v\r\nYmFy\r\n", b"foobar"),
            (b"Z m-9_v", b"foo"),
            // Two texts encoded apart and joined.
            (b"Zg==Zm8=", b"ffo"),
            // Cut: without padding, and in the middle of an octet.
            (b"Zm8", b"fo"),
            (b"Zm9vY", b"foo"),
        ];
        for (encoded, expected) in cases {
            assert_eq!(decode(&[encoded]), expected, "{}", encoded.escape_ascii());
            for at in 0..=encoded.len() {
                assert_eq!(decode(&[&encoded[..at], &encoded[at..]]), expected, "split at {at}");
            }
        }
    }

    #[test]
    fn every_octet_survives() {
        // All octets in the three places of a group: A-Z... written by hand from the alphabet's order.
        let octets: Vec<u8> = (0..=255).collect();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut encoded = Vec::new();
        for group in octets.chunks(3) {
            let bits = group.iter().fold(0u32, |bits, &octet| bits << 8 | u32::from(octet)) << (8 * (3 - group.len()));
            for place in 0..=group.len() {
                encoded.push(alphabet[(bits >> (18 - 6 * place)) as usize & 63]);
            }
        }
        assert_eq!(decode(&[&encoded]), octets);
    }
}
