//! The stored form of an outline: one version octet, then numbers in groups of seven bits, low ones first, and strings,
//! either a word of the dictionary or a length and octets.

use std::borrow::Cow;
use std::ops::Range;

use thiserror::Error;

use crate::dictionary::{number_of, word_at};
use crate::envelope::{Address, Envelope};
use crate::outline::{Content, Disposition, Encoding, MediaType, Octets, Outline, Part};
use crate::parameter::Parameter;

const VERSION: u8 = 1;

/// A stored outline that cannot be read; the message it was made of can be parsed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error("outline of unknown version {0}")]
    Version(u8),
    #[error("outline cut short")]
    Cut,
    #[error("outline damaged: {0}")]
    Damaged(&'static str),
}

impl Outline {
    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer { out: Vec::with_capacity(512) };
        out.out.push(VERSION);
        out.bits([self.has_date, self.has_message_id, self.clipped]);
        out.number(self.size);
        out.number(self.received.into());
        out.number(self.from_fields.into());
        out.envelope(&self.envelope);
        out.number(self.parts.len() as u64);
        let mut start = 0;
        for (index, part) in self.parts.iter().enumerate() {
            out.part(part, index, start);
            start = part.header.start;
        }
        out.out
    }

    /// Reads the stored form, and holds it to what [`Parser`](crate::Parser) promises: parts nest, and lie within the
    /// message.
    pub fn decode(stored: &[u8]) -> Result<Self, DecodeError> {
        let (&version, rest) = stored.split_first().ok_or(DecodeError::Cut)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let mut reader = Reader { rest };
        let [has_date, has_message_id, clipped] = reader.bits()?;
        let size = reader.number()?;
        let received = reader.small()?;
        let from_fields = reader.small()?;
        let envelope = reader.envelope()?;
        let parts = reader.parts(size)?;
        if !reader.rest.is_empty() {
            return Err(DecodeError::Damaged("octets after its end"));
        }
        Ok(Self { size, parts, received, from_fields, has_date, has_message_id, clipped, envelope })
    }
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    /// Flags as one number, the first lowest.
    fn bits<const N: usize>(&mut self, flags: [bool; N]) {
        self.number(flags.iter().rev().fold(0, |bits, &flag| bits << 1 | u64::from(flag)));
    }

    fn string(&mut self, octets: &[u8]) {
        match number_of(octets) {
            Some(word) => self.number(word << 1),
            None => {
                self.number((octets.len() as u64) << 1 | 1);
                self.out.extend_from_slice(octets);
            }
        }
    }

    /// A string if there is one; whether there is stands in flags before.
    fn optional<T: AsRef<[u8]>>(&mut self, string: &Option<T>) {
        if let Some(string) = string {
            self.string(string.as_ref());
        }
    }

    fn envelope(&mut self, envelope: &Envelope) {
        let Envelope { date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id } = envelope;
        let strings = [date, subject, in_reply_to, message_id];
        let lists = [from, to, cc, sender, reply_to, bcc];
        self.bits(strings.map(Option::is_some));
        self.bits(lists.map(|list| !list.is_empty()));
        strings.into_iter().for_each(|string| self.optional(string));
        for list in lists.into_iter().filter(|list| !list.is_empty()) {
            self.number(list.len() as u64);
            for Address { name, route, mailbox, host } in list {
                let strings = [mailbox, host, name, route];
                self.bits(strings.map(Option::is_some));
                strings.into_iter().for_each(|string| self.optional(string));
            }
        }
    }

    fn parameters(&mut self, parameters: &[Parameter]) {
        if parameters.is_empty() {
            return;
        }
        self.number(parameters.len() as u64);
        for parameter in parameters {
            self.string(&parameter.name);
            self.string(&parameter.value);
        }
    }

    fn part(&mut self, part: &Part, index: usize, previous_start: u64) {
        self.bits([
            part.content == Content::Multipart,
            matches!(part.content, Content::Message { .. }),
            part.encoding_sent.is_some(),
            !part.media.parameters.is_empty(),
            part.disposition.is_some(),
            part.id.is_some(),
            !part.language.is_empty(),
            part.description.is_some(),
            part.location.is_some(),
            part.md5.is_some(),
            part.disposition.as_ref().is_some_and(|disposition| !disposition.parameters.is_empty()),
        ]);
        // The parser's parts are in order; ranges that somebody else put out of it must not stop the writer.
        self.number(part.header.start.saturating_sub(previous_start));
        self.number(part.header.end.saturating_sub(part.header.start));
        self.number(part.body.end.saturating_sub(part.body.start));
        self.number(part.lines);
        if part.content != Content::Leaf {
            self.number(u64::from(part.end).saturating_sub(index as u64));
        }
        self.string(&part.media.kind);
        self.string(&part.media.subtype);
        self.parameters(&part.media.parameters);
        self.optional(&part.encoding_sent);
        if let Some(Disposition { kind, parameters }) = &part.disposition {
            self.string(kind);
            self.parameters(parameters);
        }
        self.optional(&part.id);
        if !part.language.is_empty() {
            self.number(part.language.len() as u64);
            part.language.iter().for_each(|tag| self.string(tag));
        }
        self.optional(&part.description);
        self.optional(&part.location);
        self.optional(&part.md5);
        if let Content::Message { envelope } = &part.content {
            self.envelope(envelope);
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&octet, rest) = self.rest.split_first().ok_or(DecodeError::Cut)?;
            self.rest = rest;
            let bits = u64::from(octet & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if octet & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError::Damaged("number too large"))
    }

    fn small(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.number()?).map_err(|_| DecodeError::Damaged("number too large"))
    }

    /// The number of things that follow, each of at least one octet.
    fn count(&mut self) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.number()?).map_err(|_| DecodeError::Cut)?;
        if count > self.rest.len() { Err(DecodeError::Cut) } else { Ok(count) }
    }

    fn bits<const N: usize>(&mut self) -> Result<[bool; N], DecodeError> {
        let bits = self.number()?;
        if bits >> N != 0 {
            return Err(DecodeError::Damaged("unknown flag"));
        }
        let mut place = 0;
        Ok([(); N].map(|()| {
            place += 1;
            bits >> (place - 1) & 1 == 1
        }))
    }

    fn string(&mut self) -> Result<Octets, DecodeError> {
        let number = self.number()?;
        if number & 1 == 0 {
            return word_at(number >> 1).map(Cow::Borrowed).ok_or(DecodeError::Damaged("unknown word"));
        }
        let length = usize::try_from(number >> 1).map_err(|_| DecodeError::Cut)?;
        let (octets, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Cut)?;
        self.rest = rest;
        Ok(Cow::Owned(octets.to_vec()))
    }

    fn optional(&mut self, there: bool) -> Result<Option<Octets>, DecodeError> {
        there.then(|| self.string()).transpose()
    }

    fn optional_owned(&mut self, there: bool) -> Result<Option<Vec<u8>>, DecodeError> {
        Ok(self.optional(there)?.map(Cow::into_owned))
    }

    fn envelope(&mut self) -> Result<Envelope, DecodeError> {
        let [date, subject, in_reply_to, message_id] = self.bits()?;
        let [from, to, cc, sender, reply_to, bcc] = self.bits()?;
        Ok(Envelope {
            date: self.optional_owned(date)?,
            subject: self.optional_owned(subject)?,
            in_reply_to: self.optional_owned(in_reply_to)?,
            message_id: self.optional_owned(message_id)?,
            from: self.addresses(from)?,
            to: self.addresses(to)?,
            cc: self.addresses(cc)?,
            sender: self.addresses(sender)?,
            reply_to: self.addresses(reply_to)?,
            bcc: self.addresses(bcc)?,
        })
    }

    fn addresses(&mut self, there: bool) -> Result<Vec<Address>, DecodeError> {
        let count = if there { self.count()? } else { 0 };
        (0..count)
            .map(|_| {
                let [mailbox, host, name, route] = self.bits()?;
                Ok(Address {
                    mailbox: self.optional_owned(mailbox)?,
                    host: self.optional_owned(host)?,
                    name: self.optional_owned(name)?,
                    route: self.optional_owned(route)?,
                })
            })
            .collect()
    }

    fn parameters(&mut self, there: bool) -> Result<Vec<Parameter>, DecodeError> {
        let count = if there { self.count()? } else { 0 };
        (0..count).map(|_| Ok(Parameter { name: self.string()?, value: self.string()? })).collect()
    }

    fn languages(&mut self, there: bool) -> Result<Vec<Octets>, DecodeError> {
        let count = if there { self.count()? } else { 0 };
        (0..count).map(|_| self.string()).collect()
    }

    fn parts(&mut self, size: u64) -> Result<Vec<Part>, DecodeError> {
        let count = self.count()?;
        let count32 = u32::try_from(count).map_err(|_| DecodeError::Damaged("too many parts"))?;
        let mut parts: Vec<Part> = Vec::new();
        // The parts that the next one is within: the index after their last part, and the range for those in them.
        let mut open: Vec<(u32, Range<u64>)> = vec![(count32, 0..size)];
        let mut start = 0;
        for index in 0..count32 {
            while open.last().is_some_and(|(end, _)| *end == index) {
                open.pop();
            }
            let (outer_end, range) = open.last().cloned().ok_or(DecodeError::Damaged("parts outside the root"))?;
            let part = self.part(index, start)?;
            // The root holds all; a message within a message is all that it holds.
            let alone =
                index == 0 || parts.last().is_some_and(|holder| matches!(holder.content, Content::Message { .. }));
            if alone && part.end != outer_end {
                return Err(DecodeError::Damaged("part beside a message"));
            }
            if part.end > outer_end || part.header.start < range.start || part.body.end > range.end {
                return Err(DecodeError::Damaged("part outside the one that holds it"));
            }
            start = part.header.start;
            open.push((part.end, part.body.clone()));
            parts.push(part);
        }
        if parts.is_empty() { Err(DecodeError::Damaged("no parts")) } else { Ok(parts) }
    }

    fn part(&mut self, index: u32, previous_start: u64) -> Result<Part, DecodeError> {
        let flags = self.bits()?;
        let [multipart, message, encoded, parameters, disposed, id, language, described, located, md5, qualified] =
            flags;
        let outside = DecodeError::Damaged("part outside the message");
        let start = previous_start.checked_add(self.number()?).ok_or(outside)?;
        let header_end = start.checked_add(self.number()?).ok_or(outside)?;
        let body_end = header_end.checked_add(self.number()?).ok_or(outside)?;
        let lines = self.number()?;
        // Itself, and what it holds: a message always holds one part.
        let count = match (multipart, message) {
            (false, false) => 1,
            (true, false) => self.small()?.max(1),
            (false, true) => self.small()?.max(2),
            (true, true) => return Err(DecodeError::Damaged("part of two kinds")),
        };
        let media =
            MediaType { kind: self.string()?, subtype: self.string()?, parameters: self.parameters(parameters)? };
        let encoding_sent = self.optional(encoded)?;
        let disposition = if disposed {
            Some(Disposition { kind: self.string()?, parameters: self.parameters(qualified)? })
        } else {
            None
        };
        Ok(Part {
            header: start..header_end,
            body: header_end..body_end,
            lines,
            end: index.checked_add(count).ok_or(DecodeError::Damaged("too many parts"))?,
            media,
            encoding: encoding_sent.as_deref().map_or(Encoding::SevenBit, Encoding::named),
            encoding_sent,
            disposition,
            id: self.optional(id)?,
            language: self.languages(language)?,
            description: self.optional(described)?,
            location: self.optional(located)?,
            md5: self.optional(md5)?,
            content: if multipart {
                Content::Multipart
            } else if message {
                Content::Message { envelope: Box::new(self.envelope()?) }
            } else {
                Content::Leaf
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, parse};

    const MESSAGE: &[u8] = b"Received: x\r\nFrom: Ann <ann@example.test>\r\nTo: g: b@x.test;, <@r.test:c@y.test>\r\n\
        Subject: s\r\nDate: d\r\nMessage-ID: <m@x>\r\nIn-Reply-To: <n@x>\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: message/rfc822\r\nContent-Language: en, de\r\n\r\nSubject: inner\r\n\
        Content-Type: multipart/digest; boundary=c\r\n\r\n--c\r\n\r\nSender: s@x\r\n\r\nbody\r\n--c--\r\n\
        --b\r\nContent-Type: image/png; name*0=a; name*1=b\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=a.png\r\nContent-ID: <i@x>\r\nContent-Description: d\r\n\
        Content-Location: l\r\nContent-MD5: Q2hl\r\n\r\nZm9v\r\n--b--\r\nepilogue";

    fn outline() -> Outline {
        let outline = parse(MESSAGE, Limits::default());
        assert_eq!(outline.parts.len(), 6);
        outline
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let outline = outline();
        assert_eq!(Outline::decode(&outline.encode()), Ok(outline));
    }

    #[test]
    fn every_cut_is_noticed() {
        let stored = outline().encode();
        for end in 0..stored.len() {
            assert!(Outline::decode(&stored[..end]).is_err(), "cut at {end}");
        }
        assert!(Outline::decode(&[&stored[..], b"x"].concat()).is_err());
    }

    #[test]
    fn damage_never_breaks_the_reader() {
        let stored = outline().encode();
        for place in 0..stored.len() {
            for bit in 0..8 {
                let mut damaged = stored.clone();
                damaged[place] ^= 1 << bit;
                if let Ok(outline) = Outline::decode(&damaged) {
                    let round = Outline::decode(&outline.encode());
                    assert_eq!(round.as_ref(), Ok(&outline), "bit {bit} of octet {place}");
                    assert!((0..outline.parts.len()).all(|part| outline.children(part).all(|child| child > part)));
                }
            }
        }
    }

    #[test]
    fn parts_that_do_not_nest_are_refused() {
        let breaks: [fn(&mut Vec<Part>); 8] = [
            // Root, message, digest, message, text; image. Of these the digest goes on beside its message,
            |parts| parts[2].end -= 2,
            // a message goes on beyond the part that holds it,
            |parts| parts[3].end += 1,
            |parts| parts[1].end += 2,
            // the root ends early,
            |parts| parts[0].end -= 1,
            // a body, or the part before it in order, reaches out of the part that holds it,
            |parts| parts[4].body.end += 100,
            |parts| parts[5].body.end += 100,
            |parts| parts[1].body.end = parts[1].body.start,
            // or a part begins before the body it lies in.
            |parts| parts[1].header.start = 0,
        ];
        for (number, change) in breaks.into_iter().enumerate() {
            let mut outline = outline();
            change(&mut outline.parts);
            assert!(Outline::decode(&outline.encode()).is_err(), "break {number}");
        }
        let nested = ["b", "c"]
            .map(|boundary| format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n"));
        let mut outline = parse(nested.concat().as_bytes(), Limits::default());
        assert_eq!(outline.parts.len(), 3);
        outline.parts[1].end += 1;
        assert!(Outline::decode(&outline.encode()).is_err());
    }

    #[test]
    fn other_versions_are_refused() {
        let mut stored = outline().encode();
        stored[0] = 2;
        assert_eq!(Outline::decode(&stored), Err(DecodeError::Version(2)));
        assert_eq!(Outline::decode(&[]), Err(DecodeError::Cut));
    }

    #[test]
    fn the_stored_form_of_version_1_stays_readable() {
        assert_eq!(Outline::decode(STORED_V1), Ok(outline()));
        assert_eq!(outline().encode(), STORED_V1);
    }

    /// [`MESSAGE`], as the first code that wrote this version stored it.
    const STORED_V1: &[u8] =
        b"\x01\x03\xca\x04\x01\x01\x0f\x03\x03d\x03s\x0b<n@x>\x0b<m@x>\x01\x07\x07ann\x19example.test\x07Ann\x04\
        \x01\x03g\x03\x03b\rx.test\x00\x0b\x03c\ry.test\x0f@r.test\x06\t\x00\xba\x01\x90\x03\x18\x06\x08\n\x01F\
        \x03bB\xbf\x01:_\x08\x04\x16\x18\x02\x88\x01\x05de\x02\x00\x0binner\t:>!\x05\x03\x08\x14\x01F\x03c\x02C\
        \x02\x13\x02\x02\x16\x18\x00\x08\x01\x03\x03s\x03x\x08\x02\x0f\x04\x00\x02\x04\x0146\xbc\x0f!\xd6\x01\
        \x04\x00&*\x02\rname*0\x03a\rname*1\x03bxh\x01J\x0ba.png\x0b<i@x>\x03d\x03l\tQ2hl";

    #[test]
    fn numbers_of_every_length_are_read_again() {
        for bits in 0..64 {
            for number in [1u64 << bits, (1 << bits) - 1, u64::MAX >> bits] {
                let mut writer = Writer { out: Vec::new() };
                writer.number(number);
                let mut reader = Reader { rest: &writer.out };
                assert_eq!(reader.number(), Ok(number));
                assert!(reader.rest.is_empty());
            }
        }
        for octets in [&[0x80; 10][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]] {
            assert!(Reader { rest: octets }.number().is_err());
        }
    }
}
