//! Takes fields out of a header that its sender may not put there.

use memchr::memchr;

use crate::{Right, Rights};

/// What servers of one organisation tell each other about a message; from anybody else it is a lie.
const ORGANIZATION: &str = "X-MS-Exchange-Organization-";
const FOREST: &str = "X-MS-Exchange-Forest-";
/// The way that a message has taken (RFC 5321 §4.4, RFC 5322 §3.6.6).
const RECEIVED: &str = "Received";
const RESENT: &str = "Resent-";

/// Fed the message as it streams; gives back what is left of it. Holds no more than a field's name.
#[derive(Debug)]
pub struct HeaderFirewall {
    rights: Rights,
    at: At,
    /// What is not decided yet: the beginning of a line.
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// After a line of a field that stays, or goes.
    LineStart {
        goes: bool,
    },
    /// After a CR at a line's start.
    BlankLine,
    Name,
    Value {
        goes: bool,
    },
    Body,
}

impl HeaderFirewall {
    /// The longest name that means something here, and more.
    const MAX_NAME: usize = 256;

    pub fn new(rights: Rights) -> Self {
        let passes_all = [Right::AcceptHeadersOrganization, Right::AcceptHeadersForest, Right::AcceptHeadersRouting];
        let at = if passes_all.into_iter().all(|right| rights.has(right)) {
            At::Body
        } else {
            At::LineStart { goes: false }
        };
        Self { rights, at, held: Vec::new() }
    }

    /// Whether everything that comes passes as it is.
    pub fn is_done(&self) -> bool {
        self.at == At::Body
    }

    /// What is left of the message's next octets, and of what was held.
    pub fn feed(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(chunk.len());
        let mut rest = chunk;
        while let Some((&first, tail)) = rest.split_first() {
            match (self.at, first) {
                (At::Body, _) => {
                    out.extend_from_slice(rest);
                    return out;
                }
                // RFC 5322 §2.2.3: the line goes on with the field before, and with it.
                (At::LineStart { goes }, b' ' | b'\t') => self.at = At::Value { goes },
                (At::LineStart { .. }, b'\r') => {
                    self.held.push(first);
                    (self.at, rest) = (At::BlankLine, tail);
                }
                (At::LineStart { .. }, _) => self.at = At::Name,
                (At::BlankLine, b'\n') => {
                    self.release(&mut out);
                    self.at = At::Body;
                }
                (At::BlankLine, _) => {
                    self.release(&mut out);
                    self.at = At::Value { goes: false };
                }
                (At::Name, _) => {
                    self.held.push(first);
                    rest = tail;
                    self.name(first, &mut out);
                }
                (At::Value { goes }, _) => {
                    let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let (line, after) = rest.split_at(end);
                    if !goes {
                        out.extend_from_slice(line);
                    }
                    if line.ends_with(b"\n") {
                        self.at = At::LineStart { goes };
                    }
                    rest = after;
                }
            }
        }
        out
    }

    /// The message is complete: what is still held.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn name(&mut self, last: u8, out: &mut Vec<u8>) {
        match last {
            b':' => {
                let goes = self.goes();
                if goes {
                    self.held.clear();
                } else {
                    self.release(out);
                }
                self.at = At::Value { goes };
            }
            // A line without a colon belongs to no field.
            b'\n' => {
                self.release(out);
                self.at = At::LineStart { goes: false };
            }
            _ if self.held.len() > Self::MAX_NAME => {
                self.release(out);
                self.at = At::Value { goes: false };
            }
            _ => {}
        }
    }

    /// Whether the field whose name is held, its colon with it, may not be there.
    fn goes(&self) -> bool {
        // RFC 5322 §4.5: blanks before the colon are obsolete, and read by everyone.
        let name = self.held.strip_suffix(b":").unwrap_or(&self.held).trim_ascii_end();
        let begins = |with: &str| name.get(..with.len()).is_some_and(|name| name.eq_ignore_ascii_case(with.as_bytes()));
        let lacks = |right| !self.rights.has(right);
        (lacks(Right::AcceptHeadersOrganization) && begins(ORGANIZATION))
            || (lacks(Right::AcceptHeadersForest) && begins(FOREST))
            || (lacks(Right::AcceptHeadersRouting)
                && (name.eq_ignore_ascii_case(RECEIVED.as_bytes()) || begins(RESENT)))
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "Received: from a\r\n\tby b\r\nX-MS-Exchange-Organization-SCL: -1\r\n more\r\n\
        x-ms-exchange-forest-x : 1\r\nResent-From: c\r\nSubject: X-MS-Exchange-Forest-\r\nno colon\r\n\
        X-MS-Exchange-Organizations: kept\r\nSubject: \r\n d\r\n\r\nReceived: body\r\nX-MS-Exchange-Organization-A: b\r\n";

    fn passed(rights: Rights, message: &str, split: usize) -> String {
        let mut firewall = HeaderFirewall::new(rights);
        let (first, second) = message.as_bytes().split_at(split);
        let mut out = firewall.feed(first);
        out.extend(firewall.feed(second));
        out.extend(firewall.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_go_with_all_their_lines_for_want_of_a_right_wherever_the_message_is_split() {
        let without_lies = MESSAGE.replace("X-MS-Exchange-Organization-SCL: -1\r\n more\r\n", "").replacen(
            "x-ms-exchange-forest-x : 1\r\n",
            "",
            1,
        );
        let without_routing =
            without_lies.replace("Received: from a\r\n\tby b\r\n", "").replace("Resent-From: c\r\n", "");
        let routing = Rights::of(&[Right::AcceptHeadersRouting]);
        for split in 0..=MESSAGE.len() {
            assert_eq!(passed(Rights::of(&Right::ALL), MESSAGE, split), MESSAGE);
            assert_eq!(passed(routing, MESSAGE, split), without_lies, "{split}");
            assert_eq!(passed(Rights::NONE, MESSAGE, split), without_routing, "{split}");
        }
    }

    #[test]
    fn a_message_that_ends_in_its_header_is_given_back_whole() {
        for message in
            ["", "S", "Subject", "Subject:", "Subject: a", "Subject: a\r", "Subject: a\r\n\r", "\r\n", "\rx: y\r\n"]
        {
            for split in 0..=message.len() {
                assert_eq!(passed(Rights::NONE, message, split), message, "{message:?} {split}");
            }
        }
        let long = format!("{}: a\r\n\r\nb", "x".repeat(10_000));
        assert_eq!(passed(Rights::NONE, &long, 5), long);
    }
}
