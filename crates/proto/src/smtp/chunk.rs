//! The content of BDAT's chunks (RFC 3030); DATA's is read by [`crate::dot::Unstuffer`].

use memchr::memchr;

/// Looks for bare CR and LF in BDAT's octets; a CRLF may lie across two chunks.
#[derive(Debug, Default)]
pub(crate) struct BareCheck {
    after_cr: bool,
    bare: bool,
}

impl BareCheck {
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.bare && !rest.is_empty() {
            if self.after_cr {
                self.bare = !rest.starts_with(b"\n");
                self.after_cr = false;
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            // Up to the next CR no LF may stand.
            let line = memchr(b'\r', rest);
            let (text, tail) = rest.split_at(line.unwrap_or(rest.len()));
            self.bare = memchr(b'\n', text).is_some();
            self.after_cr = line.is_some();
            rest = tail.get(1..).unwrap_or_default();
        }
    }

    pub fn has_bare(&self) -> bool {
        self.bare
    }

    /// Whether it would be bare if the message ended here.
    pub fn would_end_bare(&self) -> bool {
        self.bare || self.after_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_end_of_line_is_found_at_every_split_point() {
        let cases: [(&[u8], bool); 12] = [
            (b"a\r\nb\r\n", false),
            (b"\r\n\r\n", false),
            (b"", false),
            (b"a", false),
            (b"a\nb\r\n", true),
            (b"a\rb\r\n", true),
            (b"\r\r\n", true),
            (b"\n", true),
            (b"\r\n\n", true),
            (b"a\r\n\r", true),
            (b"\r\n\rx", true),
            (b"x\n\r", true),
        ];
        for (wire, bare) in cases {
            for cut in 0..=wire.len() {
                let mut check = BareCheck::default();
                check.feed(&wire[..cut]);
                check.feed(&wire[cut..]);
                assert_eq!(check.would_end_bare(), bare, "{wire:?} at {cut}");
            }
        }
    }
}
