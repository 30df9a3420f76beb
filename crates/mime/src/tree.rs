use std::borrow::Cow;

use crate::envelope::Envelope;
use crate::field::{Allowance, Known, interpret_content, interpret_message};
use crate::limits::Limits;
use crate::outline::{Content, Outline, Part};
use crate::parameter::{Parameter, joined_parameter};

/// A place in the stream, at the start of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Octets before it.
    pub(crate) offset: u64,
    /// Line feeds before it.
    pub(crate) line_feeds: u64,
    /// Octets of the line end just before it that belong to the delimiter that follows: 2, 1 or 0.
    pub(crate) line_end: u64,
}

/// A line found to be the delimiter of an open multipart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delimiter {
    /// The multipart, as an index of the open parts.
    level: usize,
    pub(crate) closes: bool,
}

/// The parts of a message that is still being read, and which of them are open.
pub(crate) struct Tree {
    limits: Limits,
    left: Allowance,
    outline: Outline,
    /// From the root to the part being read; each is within the one before.
    open: Vec<Open>,
    /// The innermost open part's header is being read, rather than its body.
    in_header: bool,
    /// Octets of a line that must be seen to know which delimiter it is, if any; 0 while none can come.
    reach: usize,
}

struct Open {
    part: usize,
    /// Line feeds before the body.
    line_feeds: u64,
    /// Of a multipart whose closing delimiter has not come.
    boundary: Option<Box<[u8]>>,
    /// A whole message, rather than a body part.
    message: bool,
}

impl Tree {
    pub(crate) fn new(limits: Limits) -> Self {
        let outline = Outline {
            size: 0,
            parts: Vec::new(),
            received: 0,
            from_fields: 0,
            has_date: false,
            has_message_id: false,
            clipped: false,
            envelope: Envelope::default(),
        };
        let left =
            Allowance { header_bytes: limits.header_bytes, addresses: limits.addresses, parameters: limits.parameters };
        let mut tree = Self { limits, left, outline, open: Vec::new(), in_header: true, reach: 0 };
        tree.begin_part(0);
        tree
    }

    pub(crate) fn in_header(&self) -> bool {
        self.in_header
    }

    pub(crate) fn reach(&self) -> usize {
        self.reach
    }

    /// Octets of header fields that may still be interpreted.
    pub(crate) fn header_bytes_left(&self) -> u64 {
        self.left.header_bytes
    }

    pub(crate) fn clip(&mut self) {
        self.outline.clipped = true;
    }

    /// Opens a part within the innermost open one.
    pub(crate) fn begin_part(&mut self, offset: u64) {
        let message = self.open.last().is_none_or(|parent| !self.is_multipart(parent.part));
        self.open.push(Open { part: self.outline.parts.len(), line_feeds: 0, boundary: None, message });
        self.outline.parts.push(Part::new(offset));
        self.in_header = true;
    }

    /// Notes that a field begins in the header being read, and says whether its value is wanted.
    pub(crate) fn begin_field(&mut self, name: &[u8]) -> Option<Known> {
        let known = Known::named(name)?;
        if self.open.len() == 1 {
            let outline = &mut self.outline;
            match known {
                Known::Received => outline.received = outline.received.saturating_add(1),
                Known::From => outline.from_fields = outline.from_fields.saturating_add(1),
                Known::Date => outline.has_date = true,
                Known::MessageId => outline.has_message_id = true,
                _ => {}
            }
        }
        let message = self.open.last().is_some_and(|open| open.message);
        (known != Known::Received && (message || known.is_content())).then_some(known)
    }

    /// Interprets a field of the header being read: its unfolded value, which took `octets` as sent.
    pub(crate) fn end_field(&mut self, known: Known, value: &[u8], octets: u64) {
        self.left.header_bytes = self.left.header_bytes.saturating_sub(octets);
        let Some(innermost) = self.open.last().map(|open| open.part) else {
            return;
        };
        let parts = &mut self.outline.parts;
        let complete = if known.is_content() {
            match parts.get_mut(innermost) {
                Some(part) => interpret_content(known, value, part, &mut self.left),
                None => true,
            }
        } else if innermost == 0 {
            interpret_message(known, value, &mut self.outline.envelope, &mut self.left)
        } else {
            // The part before a message in order is the one that holds it.
            match parts.get_mut(innermost - 1).map(|holder| &mut holder.content) {
                Some(Content::Message { envelope }) => interpret_message(known, value, envelope, &mut self.left),
                _ => true,
            }
        };
        if !complete {
            self.clip();
        }
    }

    /// Ends the header being read after its empty line, and opens what the part holds.
    pub(crate) fn end_header(&mut self, place: Place) {
        self.in_header = false;
        self.settle_media_type();
        let level = self.open.len() - 1;
        let full = self.outline.parts.len() >= self.limits.parts as usize;
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let Some(part) = self.outline.parts.get_mut(open.part) else {
            return;
        };
        open.line_feeds = place.line_feeds;
        part.header.end = place.offset;
        part.body = place.offset..place.offset;

        let multipart = part.media.is_type("multipart");
        // RFC 2046 §5.2.1 forbids to encode a message; one that is cannot be looked into.
        let message = part.media.is("message", "rfc822") && part.encoding.is_identity();
        if !multipart && !message {
            return;
        }
        if level >= self.limits.depth as usize {
            self.outline.clipped = true;
            return;
        }
        if multipart {
            // RFC 2046 §5.1.1: a boundary does not end with a blank; mailers quote one that seems to.
            let boundary = joined_parameter(&part.media.parameters, b"boundary");
            let boundary = boundary.as_deref().unwrap_or_default().trim_ascii_end();
            if boundary.len() > self.limits.boundary_bytes as usize {
                self.outline.clipped = true;
            } else if !boundary.is_empty() {
                open.boundary = Some(boundary.into());
                self.reach = self.reach.max(boundary.len() + DASHES);
                part.content = Content::Multipart;
            }
        } else if full {
            self.outline.clipped = true;
        } else {
            part.content = Content::Message { envelope: Box::default() };
            self.begin_part(place.offset);
        }
    }

    /// Finds the delimiter that a line is (RFC 2046 §5.1.1): it begins with two dashes and a boundary, and the rest does
    /// not matter. Of boundaries that begin alike the longest counts, of equal ones the innermost. `line` is the whole
    /// line, or at least [`reach`](Self::reach) octets of it.
    pub(crate) fn delimiter(&mut self, line: &[u8]) -> Option<Delimiter> {
        let text = line.strip_prefix(b"--")?;
        let mut longest: &[u8] = &[];
        let mut level = 0;
        for (candidate, open) in self.open.iter().enumerate().rev() {
            if let Some(boundary) = &open.boundary
                && boundary.len() > longest.len()
                && text.starts_with(boundary)
            {
                longest = boundary;
                level = candidate;
            }
        }
        let after = text.get(longest.len()..).filter(|_| !longest.is_empty())?;
        let closes = after.starts_with(b"--");
        if !closes && self.outline.parts.len() >= self.limits.parts as usize {
            // No more parts: what follows belongs to the one being read.
            self.open.iter_mut().for_each(|open| open.boundary = None);
            self.reach = 0;
            self.outline.clipped = true;
            return None;
        }
        Some(Delimiter { level, closes })
    }

    /// Closes the parts that a delimiter line at `place` ends.
    pub(crate) fn delimit(&mut self, delimiter: Delimiter, place: Place) {
        self.close_to(delimiter.level + 1, place);
        if delimiter.closes
            && let Some(open) = self.open.last_mut()
        {
            open.boundary = None;
        }
        let longest = self.open.iter().filter_map(|open| open.boundary.as_deref()).map(<[u8]>::len).max();
        self.reach = longest.map_or(0, |longest| longest + DASHES);
    }

    /// Closes every part where the message ends.
    pub(crate) fn finish(mut self, place: Place) -> Outline {
        self.close_to(0, place);
        self.outline.size = place.offset;
        self.outline
    }

    fn close_to(&mut self, level: usize, place: Place) {
        // A part ends before the line end of the delimiter, but neither before it began nor before what is within it.
        let mut end = place.offset - place.line_end;
        while self.open.len() > level {
            if self.in_header {
                self.settle_media_type();
            }
            let next = self.outline.parts.len();
            let Some(open) = self.open.pop() else { return };
            let Some(part) = self.outline.parts.get_mut(open.part) else {
                return;
            };
            part.end = u32::try_from(next).unwrap_or(u32::MAX);
            if self.in_header {
                self.in_header = false;
                end = end.max(part.header.start);
                part.header.end = end;
                part.body = end..end;
            } else {
                end = end.max(part.body.start);
                part.body.end = end;
                let line_feeds = place.line_feeds - u64::from(end < place.offset);
                part.lines = line_feeds.saturating_sub(open.line_feeds);
            }
        }
    }

    /// Gives the innermost part the default media type if its header named none.
    fn settle_media_type(&mut self) {
        let digest = match self.open.as_slice() {
            // RFC 2046 §5.1.5
            [.., parent, _] => {
                let parent = self.outline.parts.get(parent.part);
                parent.is_some_and(|part| part.content == Content::Multipart && part.media.is("multipart", "digest"))
            }
            _ => false,
        };
        let Some(part) = self.open.last().and_then(|open| self.outline.parts.get_mut(open.part)) else {
            return;
        };
        let media = &mut part.media;
        if !media.kind.is_empty() {
            return;
        }
        if digest {
            media.kind = Cow::Borrowed(b"message");
            media.subtype = Cow::Borrowed(b"rfc822");
        } else {
            // RFC 2045 §5.2
            media.kind = Cow::Borrowed(b"text");
            media.subtype = Cow::Borrowed(b"plain");
            media.parameters.push(Parameter { name: Cow::Borrowed(b"charset"), value: Cow::Borrowed(b"us-ascii") });
        }
    }

    fn is_multipart(&self, part: usize) -> bool {
        self.outline.parts.get(part).is_some_and(|part| part.content == Content::Multipart)
    }
}

/// The dashes before a boundary, and those after it that make it the last.
const DASHES: usize = 4;
