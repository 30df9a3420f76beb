use memchr::memchr3;

use super::from_hex;

/// Blanks held back until it is known whether a line ends after them. RFC 2045 §6.7 allows lines of 76 octets; a longer
/// run of blanks is taken to be text.
const HELD_BLANKS: usize = 1024;

/// Quoted-printable (RFC 2045 §6.7). An escape that is none stays as it stands.
#[derive(Clone, Debug, Default)]
pub struct QuotedPrintable {
    state: State,
    /// Blanks whose line may end after them; then they were added on the way and are dropped (RFC 2045 §6.7 rule 3).
    blanks: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Blanks,
    /// Blanks and then CR.
    BlanksReturn,
    /// `=`
    Escape,
    /// `=` and one hexadecimal digit, as sent.
    Digit(u8),
    /// `=` and blanks, which a soft line break may have.
    SoftBlanks,
    /// `=`, perhaps blanks, and CR.
    SoftReturn,
}

impl QuotedPrintable {
    pub fn push(&mut self, encoded: &[u8], out: &mut Vec<u8>) {
        let mut rest = encoded;
        while let Some((&octet, tail)) = rest.split_first() {
            if self.state == State::Text {
                // Only these need care: an escape, and blanks that a line end may follow.
                let plain = memchr3(b'=', b' ', b'\t', rest).unwrap_or(rest.len());
                if plain > 0 {
                    out.extend_from_slice(rest.get(..plain).unwrap_or_default());
                    rest = rest.get(plain..).unwrap_or_default();
                    continue;
                }
            }
            if self.step(octet, out) {
                rest = tail;
            }
        }
    }

    /// Appends what a cut body leaves.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        match self.state {
            State::Text | State::Blanks => {}
            State::BlanksReturn => out.push(b'\r'),
            // A soft break at the very end.
            State::Escape | State::SoftBlanks | State::SoftReturn => {}
            State::Digit(digit) => out.extend_from_slice(&[b'=', digit]),
        }
        self.blanks.clear();
    }

    /// Takes one octet; says whether it was consumed or only changed the state.
    fn step(&mut self, octet: u8, out: &mut Vec<u8>) -> bool {
        let (state, consumed) = match (self.state, octet) {
            (State::Text, b'=') => (State::Escape, true),
            (State::Text | State::Blanks, b' ' | b'\t') => {
                if self.blanks.len() == HELD_BLANKS {
                    out.append(&mut self.blanks);
                }
                self.blanks.push(octet);
                (State::Blanks, true)
            }
            (State::Text, _) => {
                out.push(octet);
                (State::Text, true)
            }
            (State::Blanks, b'\r') => (State::BlanksReturn, true),
            (State::Blanks, b'\n') => {
                self.blanks.clear();
                (State::Text, false)
            }
            (State::Blanks, _) => {
                out.append(&mut self.blanks);
                (State::Text, false)
            }
            (State::BlanksReturn, _) => {
                if octet == b'\n' {
                    self.blanks.clear();
                }
                out.append(&mut self.blanks);
                out.push(b'\r');
                (State::Text, false)
            }
            (State::Escape | State::SoftBlanks | State::SoftReturn, b'\n') => (State::Text, true),
            (State::Escape | State::SoftBlanks, b'\r') => (State::SoftReturn, true),
            (State::Escape | State::SoftBlanks, b' ' | b'\t') => (State::SoftBlanks, true),
            (State::Escape, _) if from_hex(octet).is_some() => (State::Digit(octet), true),
            (State::Escape, _) => {
                out.push(b'=');
                (State::Text, false)
            }
            // Neither escape nor soft break: the blanks or CR after the `=` meant nothing.
            (State::SoftBlanks | State::SoftReturn, _) => {
                out.push(b'=');
                (State::Text, false)
            }
            (State::Digit(first), _) => match (from_hex(first), from_hex(octet)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    (State::Text, true)
                }
                _ => {
                    out.extend_from_slice(&[b'=', first]);
                    (State::Text, false)
                }
            },
        };
        self.state = state;
        consumed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut decoder = QuotedPrintable::default();
        for piece in pieces {
            decoder.push(piece, &mut out);
        }
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn known_answers() {
        let cases: [(&[u8], &[u8]); 14] = [
            (b"", b""),
            (b"plain text\r\n", b"plain text\r\n"),
            (b"caf=C3=A9", "café".as_bytes()),
            (b"caf=c3=a9", "café".as_bytes()),
            (b"soft =\r\nbreak", b"soft break"),
            (b"soft=  \t\r\nbreak", b"softbreak"),
            (b"soft=\nbreak", b"softbreak"),
            (b"blanks \t \r\nend  \n", b"blanks\r\nend\n"),
            (b"kept  inside", b"kept  inside"),
            (b"=3D=20\r\n", b"= \r\n"),
            (b"=xy =4 =", b"=xy =4 "),
            (b"a \rb", b"a \rb"),
            (b"cut=4", b"cut=4"),
            (b"tail  ", b"tail"),
        ];
        for (encoded, expected) in cases {
            assert_eq!(decode(&[encoded]), expected, "{}", encoded.escape_ascii());
            for at in 0..=encoded.len() {
                assert_eq!(decode(&[&encoded[..at], &encoded[at..]]), expected, "split at {at}");
            }
        }
    }

    #[test]
    fn held_blanks_are_bounded() {
        for (blanks, kept) in [(HELD_BLANKS, 0), (HELD_BLANKS + 1, HELD_BLANKS)] {
            let line = [vec![b' '; blanks], b"\r\n".to_vec()].concat();
            assert_eq!(decode(&[&line]).len(), kept + 2);
        }
    }
}
