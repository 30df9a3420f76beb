//! Messages to store: well-formed, of any size, and different at every octet that matters.

/// A message of exactly `size` octets, as far as its header fits; other seeds give other octets everywhere.
pub(super) fn letter(seed: u64, size: usize) -> Vec<u8> {
    let header =
        format!("From: ann@example.test\r\nSubject: letter {seed}\r\nMessage-ID: <{seed}@example.test>\r\n\r\n");
    let mut octets = Vec::with_capacity(size + 80);
    if size >= header.len() {
        octets.extend_from_slice(header.as_bytes());
    }
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while octets.len() < size {
        // xorshift64: a line of 64 letters at a time, so that no two chunks are alike.
        for _ in 0..64 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            octets.push(b'a' + (state % 26) as u8);
        }
        octets.extend_from_slice(b"\r\n");
    }
    octets.truncate(size);
    octets
}

/// Header lines for the front of a message, of exactly `size` octets (0, or 8 and more).
pub(super) fn prefix(size: usize) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    let mut octets = b"X-P: ".to_vec();
    octets.resize(size - 2, b'p');
    octets.extend_from_slice(b"\r\n");
    octets
}
