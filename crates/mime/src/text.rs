//! The text of a part, as it streams by: its transfer encoding and its charset undone.

use crate::outline::Part;
use crate::{charset, decode};

/// Octets that are decoded at a time, which bounds what is held between the two steps.
const STEP: usize = 4096;

/// Turns the body of a text part into the text that its reader sees.
pub struct Decoder {
    encoding: decode::Decoder,
    charset: charset::Decoder,
    octets: Vec<u8>,
}

impl Decoder {
    pub fn new(part: &Part) -> Self {
        Self {
            encoding: decode::Decoder::new(part.encoding),
            charset: charset::Decoder::new(part.charset()),
            octets: Vec::new(),
        }
    }

    /// Appends the text that the next octets of the body stand for.
    pub fn push(&mut self, body: &[u8], text: &mut String) {
        for piece in body.chunks(STEP) {
            self.encoding.push(piece, &mut self.octets);
            self.charset.push(&self.octets, text);
            self.octets.clear();
        }
    }

    /// Appends what the end of the body leaves.
    pub fn finish(mut self, text: &mut String) {
        self.encoding.finish(&mut self.octets);
        self.charset.push(&self.octets, text);
        self.charset.finish(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, parse};

    #[test]
    fn the_text_is_the_same_at_every_split() {
        let cases: [(&[u8], &str); 4] = [
            (b"Content-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9", "café"),
            (
                b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=E2=82=AC =\n5",
                "€ 5",
            ),
            (b"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n4oKsIDU=", "€ 5"),
            (b"Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64\n\nrCA1AA", "€5"),
        ];
        for (message, expected) in cases {
            let outline = parse(message, Limits::default());
            let part = outline.root();
            let body = &message[part.body.start as usize..];
            for at in 0..=body.len() {
                let mut text = String::new();
                let mut decoder = Decoder::new(part);
                decoder.push(&body[..at], &mut text);
                decoder.push(&body[at..], &mut text);
                decoder.finish(&mut text);
                assert_eq!(text, expected, "split at {at}");
            }
        }
    }
}
