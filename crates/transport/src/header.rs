//! Watches a message's header go by: its size, its hops, who it says it is from, what it lacks.

use memchr::memchr;
use proto::smtp::Reply;

use crate::originator::Originators;
use crate::{Peer, Refusal};

/// Fed the message as it streams; holds next to nothing of it.
#[derive(Debug)]
pub struct HeaderWatch {
    at: At,
    field: Field,
    /// The beginning of the current field's name.
    name: Vec<u8>,
    octets: u64,
    hops: u32,
    has_date: bool,
    has_message_id: bool,
    originators: Originators,
    /// Whether From and Sender are kept, to be judged.
    keeps_originators: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    LineStart,
    /// After a CR at a line's start.
    BlankLine,
    Name,
    Value,
    Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Other,
    From,
    Sender,
}

impl HeaderWatch {
    /// Octets of From and Sender that are kept; nobody writes a thousand authors.
    const MAX_ORIGINATORS: usize = 16 * 1024;
    /// The longest name that means something here.
    const MAX_NAME: usize = 64;

    pub fn new(peer: &Peer) -> Self {
        Self {
            at: At::LineStart,
            field: Field::Other,
            name: Vec::new(),
            octets: 0,
            hops: 0,
            has_date: false,
            has_message_id: false,
            originators: Originators::default(),
            keeps_originators: peer.judges_header(),
        }
    }

    /// Whether the empty line has come: the rest need not be fed.
    pub fn is_done(&self) -> bool {
        self.at == At::Body
    }

    pub fn has_date(&self) -> bool {
        self.has_date
    }

    pub fn has_message_id(&self) -> bool {
        self.has_message_id
    }

    /// Takes the message's next octets.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some((&first, tail)) = rest.split_first() {
            let taken = match (self.at, first) {
                (At::Body, _) => return,
                // RFC 5322 §2.2.3: a line that begins with a blank goes on with the field before.
                (At::LineStart, b' ' | b'\t') => {
                    self.at = At::Value;
                    0
                }
                (At::LineStart, b'\r') => {
                    self.at = At::BlankLine;
                    1
                }
                (At::LineStart, _) => {
                    self.name.clear();
                    self.field = Field::Other;
                    self.at = At::Name;
                    0
                }
                (At::BlankLine, b'\n') => {
                    self.at = At::Body;
                    1
                }
                (At::BlankLine, _) => {
                    self.at = At::Value;
                    0
                }
                (At::Name, b':') => {
                    self.begin_field();
                    self.at = At::Value;
                    1
                }
                // A line without a colon belongs to no field.
                (At::Name, b'\n') => {
                    self.at = At::LineStart;
                    1
                }
                (At::Name, b) => {
                    if self.name.len() < Self::MAX_NAME {
                        self.name.push(b);
                    }
                    1
                }
                (At::Value, _) => {
                    let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let (line, _) = rest.split_at(end);
                    if line.ends_with(b"\n") {
                        self.at = At::LineStart;
                    }
                    self.keep(line);
                    end
                }
            };
            self.octets += taken as u64;
            rest = if taken == 1 { tail } else { rest.get(taken..).unwrap_or_default() };
        }
    }

    /// Why the message is not to go on, from what is known so far.
    pub fn objection(&self, peer: &Peer) -> Option<Box<Refusal>> {
        let limits = &peer.connector.limits;
        if self.octets > limits.max_header_size {
            let limit = limits.max_header_size;
            let text = format!("Header size exceeds fixed maximum size (limit {limit} octets)");
            return Some(peer.refusal(None, text.clone(), Reply::new(552, 3, 4, "").with_text(text)));
        }
        if self.hops > limits.max_hop_count {
            let limit = limits.max_hop_count;
            let text = format!("Hop count exceeded, possible mail loop (limit {limit})");
            return Some(peer.refusal(None, text.clone(), Reply::new(554, 4, 6, "").with_text(text)));
        }
        None
    }

    /// Judges the whole header; to be asked once the message, or its empty line, has come.
    pub fn verdict(&self, peer: &Peer) -> Result<(), Box<Refusal>> {
        self.objection(peer).map_or_else(|| peer.may_send_as(&self.originators), Err)
    }

    fn begin_field(&mut self) {
        // RFC 5322 §4.5: blanks before the colon are obsolete, and read by everyone.
        let name = self.name.trim_ascii_end();
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        self.field = Field::Other;
        if is("Received") {
            self.hops = self.hops.saturating_add(1);
        } else if is("Date") {
            self.has_date = true;
        } else if is("Message-ID") {
            self.has_message_id = true;
        } else if self.keeps_originators && is("From") {
            self.field = Field::From;
        } else if self.keeps_originators && is("Sender") {
            self.field = Field::Sender;
        }
        match self.field {
            Field::From => push_field(&mut self.originators.from),
            Field::Sender => push_field(&mut self.originators.sender),
            Field::Other => {}
        }
    }

    fn keep(&mut self, line: &[u8]) {
        let held = |values: &[Vec<u8>]| values.iter().map(Vec::len).sum::<usize>();
        let total = held(&self.originators.from) + held(&self.originators.sender) + line.len();
        let values = match self.field {
            Field::Other => return,
            Field::From => &mut self.originators.from,
            Field::Sender => &mut self.originators.sender,
        };
        if total > Self::MAX_ORIGINATORS {
            self.originators.overflowed = true;
        } else if let Some(value) = values.last_mut() {
            value.extend_from_slice(line);
        }
    }
}

/// Whether a message that begins so has no header at all, and needs the empty line that parts one from the
/// text: else the lines that delivery puts in front would take its first lines in. `None`: cannot be told yet.
pub fn lacks_header(beginning: &[u8]) -> Option<bool> {
    /// RFC 5322 §2.1.1: octets of a line.
    const LONGEST: usize = 998;
    match beginning.first()? {
        b' ' | b'\t' => return Some(true),
        b'\r' => return Some(false),
        _ => {}
    }
    match beginning.iter().find(|b| matches!(b, b':' | b'\r')) {
        Some(b':') => Some(false),
        Some(_) => Some(true),
        None => (beginning.len() >= LONGEST).then_some(true),
    }
}

/// Two are enough to know that there are several.
fn push_field(values: &mut Vec<Vec<u8>>) {
    if values.len() < 2 {
        values.push(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ReceiveConnector;
    use crate::peer::tests::account;

    fn peer(user: bool) -> Peer {
        Peer {
            connector: Arc::new(ReceiveConnector::default_connector(&[])),
            user: user.then(account),
            is_private: true,
        }
    }

    fn reply(peer: &Peer, message: &[u8]) -> Option<String> {
        let whole = watch(peer, &[message]).verdict(peer);
        for cut in 0..=message.len() {
            let parts = watch(peer, &[&message[..cut], &message[cut..]]).verdict(peer);
            assert_eq!(parts, whole, "split at {cut}");
        }
        whole.err().map(|refusal| refusal.reply.to_string())
    }

    fn watch(peer: &Peer, chunks: &[&[u8]]) -> HeaderWatch {
        let mut watch = HeaderWatch::new(peer);
        for chunk in chunks {
            watch.feed(chunk);
        }
        watch
    }

    #[test]
    fn a_user_is_held_to_its_own_addresses_in_the_header() {
        let user = peer(true);
        for header in [
            "From: ann@example.test\r\n\r\n",
            "FROM : Ann <Ann@Example.test>\r\n\r\n",
            "From: alias@example.test\r\nSender: ann@example.test\r\n\r\n",
            "From:\r\n ann@example.test,\r\n alias@example.test\r\n\r\n",
            "Subject: nothing else\r\n\r\n",
            "",
            "From: ann@example.test\r\n\r\nFrom: boss@example.test\r\n",
            "From: ann@example.test\r\n\r\n.\r\n\r\nFrom: boss@example.test\r\n\r\n",
        ] {
            assert_eq!(reply(&user, header.as_bytes()), None, "{header:?}");
        }
        for header in [
            "From: boss@example.test\r\n\r\n",
            "From: boss@elsewhere.test\r\n\r\n",
            "From: ann@example.test\r\nFrom: ann@example.test\r\n\r\n",
            "From: ann@example.test\r\nfrom\t: boss@example.test\r\n\r\n",
            "From: ann@example.test, boss@example.test\r\n\r\n",
            "From: ann@example.test\r\nSender: boss@example.test\r\n\r\n",
            "From: ann@example.test\r\n ,boss@example.test\r\n\r\n",
            "no field\r\nFrom: boss@example.test\r\n\r\n",
            "From: ann@example.test\r\nno field\r\nFrom: boss@example.test\r\n\r\n",
            "From:\r\n\r\n",
            "From: ann\r\n\r\n",
            "From: \"ann@example.test\" <boss@example.test>\r\n\r\n",
            "From: boss@example.test <ann@example.test>\r\n\r\n",
            "From: boss@example.test",
        ] {
            let expected = "550 5.7.1 Client does not have permissions to send as this sender";
            let refused = reply(&user, header.as_bytes()).unwrap_or_default();
            assert!(refused.starts_with(expected), "{header:?}: {refused}");
            assert_eq!(reply(&peer(false), header.as_bytes()), None, "{header:?}");
        }
        let long = format!("From: {}ann@example.test\r\n\r\n", "ann@example.test,\r\n ".repeat(1000));
        let refusal = watch(&user, &[long.as_bytes()]).verdict(&user).unwrap_err();
        assert!(refusal.reason.contains("too long"), "{refusal}");
    }

    #[test]
    fn a_from_field_that_cannot_be_read_is_refused_with_the_cure() {
        for header in ["From: Ann; Team <ann@example.test>\r\n\r\n", "From: Ann@Home <ann@example.test>\r\n\r\n"] {
            let refused = reply(&peer(true), header.as_bytes()).unwrap_or_default();
            assert!(refused.ends_with("put names with special characters in quotes"), "{refused}");
        }
        assert_eq!(reply(&peer(true), b"From: \"Ann; Team\" <ann@example.test>\r\n\r\n"), None);
    }

    #[test]
    fn hops_are_counted_up_to_the_limit() {
        for (count, expected) in [(60, None), (61, Some("554 5.4.6 Hop count exceeded, possible mail loop (limit 60)"))]
        {
            let header = format!("{}\r\n", "Received: from a\r\n\tby b\r\n".repeat(count));
            assert_eq!(
                watch(&peer(false), &[header.as_bytes()])
                    .verdict(&peer(false))
                    .err()
                    .map(|r| r.reply.to_string())
                    .as_deref(),
                expected
            );
        }
        let body = format!("Subject: x\r\n\r\n{}", "Received: x\r\n".repeat(100));
        assert!(watch(&peer(false), &[body.as_bytes()]).verdict(&peer(false)).is_ok());
    }

    #[test]
    fn a_header_may_have_the_limits_octets_and_not_one_more() {
        for (size, fits) in [(256 * 1024, true), (256 * 1024 + 1, false)] {
            let header = format!("X: {}\r\n\r\nbody", "x".repeat(size - 7));
            assert_eq!(watch(&peer(false), &[header.as_bytes()]).objection(&peer(false)).is_none(), fits);
        }
    }

    #[test]
    fn a_message_without_a_header_is_known_by_its_first_line() {
        for (beginning, lacks) in [
            ("Subject: x", Some(false)),
            ("From ann Thu Jan 1 00:00:00 1970\r\n", Some(false)),
            ("\r\ntext: x", Some(false)),
            ("hello\r\n", Some(true)),
            (" Subject: x", Some(true)),
            ("\tx", Some(true)),
            ("", None),
            ("hello", None),
        ] {
            assert_eq!(lacks_header(beginning.as_bytes()), lacks, "{beginning:?}");
        }
        assert_eq!(lacks_header(&[b'x'; 997]), None);
        assert_eq!(lacks_header(&[b'x'; 998]), Some(true));
    }

    #[test]
    fn what_the_header_lacks_is_known() {
        let user = peer(true);
        let header = b"date: x\r\nMESSAGE-ID : y\r\n\r\n";
        for cut in 0..header.len() {
            let watch = watch(&user, &[&header[..cut], &header[cut..]]);
            assert!(watch.has_date() && watch.has_message_id() && watch.is_done());
        }
        let watch = watch(&user, &[b"X-Date: x\r\n Date: y\r\n\r\nDate: z\r\n"]);
        assert!(!watch.has_date() && !watch.has_message_id());
    }
}
