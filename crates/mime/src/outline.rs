use std::borrow::Cow;
use std::ops::Range;

use crate::envelope::Envelope;
use crate::parameter::{Parameter, decoded_parameter, raw_parameter};

/// Octets as they were sent; those that messages use all the time are borrowed from a table.
pub type Octets = Cow<'static, [u8]>;

/// What is known of a message without its octets: its envelope and the tree of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Octets of the whole message.
    pub size: u64,
    /// The parts in the order they stand in the message, each before those within it. The first is the message itself,
    /// so there is always one.
    pub parts: Vec<Part>,
    /// `Received:` fields of the message's own header: the hops it has made (RFC 5321 §6.3).
    pub received: u32,
    /// `From:` fields of the message's own header. RFC 5322 §3.6 wants one.
    pub from_fields: u32,
    pub has_date: bool,
    pub has_message_id: bool,
    /// A limit left something opaque that would have been interpreted.
    pub clipped: bool,
    pub(crate) envelope: Envelope,
}

impl Outline {
    /// The envelope of the message itself.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The message itself, as a part.
    #[allow(clippy::indexing_slicing, reason = "an outline has at least the root part")]
    pub fn root(&self) -> &Part {
        &self.parts[0]
    }

    /// The indexes of the parts directly within the part at `index`, in order.
    pub fn children(&self, index: usize) -> Children<'_> {
        let end = self.parts.get(index).map_or(0, |part| part.end as usize);
        Children { parts: &self.parts, next: index.saturating_add(1), end }
    }

    /// The part that an IMAP section number names (RFC 3501 §6.4.5); the message itself for the empty path.
    pub fn section(&self, path: &[u32]) -> Option<&Part> {
        self.parts.get(self.section_index(path)?)
    }

    /// As [`section`](Self::section), but the index of the part in [`parts`](Self::parts).
    pub fn section_index(&self, path: &[u32]) -> Option<usize> {
        let mut found = 0;
        // The part whose own numbers count at this place of the path: a multipart, or a whole message.
        let mut numbered = Some(0);
        for &number in path {
            let within = numbered?;
            found = match self.parts.get(within)?.content {
                Content::Multipart => {
                    let nth = usize::try_from(number.checked_sub(1)?).ok()?;
                    self.children(within).nth(nth)?
                }
                // RFC 3501 §6.4.5: every message has at least one part; one that is not multipart has only part 1.
                Content::Leaf | Content::Message { .. } => (number == 1).then_some(within)?,
            };
            numbered = match self.parts.get(found)?.content {
                Content::Multipart => Some(found),
                Content::Message { .. } => Some(found + 1),
                Content::Leaf => None,
            };
        }
        Some(found)
    }
}

/// The indexes of the parts directly within one part.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    parts: &'a [Part],
    next: usize,
    end: usize,
}

impl Iterator for Children<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.next >= self.end {
            return None;
        }
        let child = self.next;
        self.next = self.parts.get(child)?.end as usize;
        Some(child)
    }
}

/// A MIME entity. Ranges are octet offsets in the stream that was parsed; `header.end` is `body.start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The header, with the empty line that ends it.
    pub header: Range<u64>,
    /// The body, without the line end that belongs to the boundary after it (RFC 2046 §5.1.1).
    pub body: Range<u64>,
    /// Line feeds in the body.
    pub lines: u64,
    pub content: Content,
    pub media: MediaType,
    /// `Content-Transfer-Encoding:`, understood; `SevenBit` when there is none (RFC 2045 §6.1).
    pub encoding: Encoding,
    /// `Content-Transfer-Encoding:` as sent.
    pub encoding_sent: Option<Octets>,
    /// `Content-ID:`, with its angle brackets.
    pub id: Option<Octets>,
    /// `Content-Description:`, RFC 2047 words not decoded.
    pub description: Option<Octets>,
    pub disposition: Option<Disposition>,
    /// `Content-Language:` (RFC 3282).
    pub language: Vec<Octets>,
    /// `Content-Location:` (RFC 2557).
    pub location: Option<Octets>,
    /// `Content-MD5:` (RFC 1864).
    pub md5: Option<Octets>,
    /// The index after the last part within this one.
    pub(crate) end: u32,
}

impl Part {
    pub(crate) fn new(start: u64) -> Self {
        Self {
            header: start..start,
            body: start..start,
            lines: 0,
            content: Content::Leaf,
            media: MediaType { kind: Cow::Borrowed(b""), subtype: Cow::Borrowed(b""), parameters: Vec::new() },
            encoding: Encoding::SevenBit,
            encoding_sent: None,
            id: None,
            description: None,
            disposition: None,
            language: Vec::new(),
            location: None,
            md5: None,
            end: 0,
        }
    }

    /// Header and body together.
    pub fn range(&self) -> Range<u64> {
        self.header.start..self.body.end
    }

    /// Octets of the body as sent, before its transfer encoding is undone.
    pub fn body_size(&self) -> u64 {
        self.body.end.saturating_sub(self.body.start)
    }

    /// The media type to show for this part. A multipart or message that could not be opened (no boundary, encoded, too
    /// deep) is shown as what it then is, for a reader of `multipart/*` or `message/rfc822` expects parts within it:
    /// plain text, and RFC 2046 §4.5.1's octet stream.
    pub fn shown_media(&self) -> (&[u8], &[u8]) {
        match self.content {
            Content::Leaf if self.media.is_type("multipart") => (b"text", b"plain"),
            Content::Leaf if self.media.is("message", "rfc822") => (b"application", b"octet-stream"),
            _ => (&self.media.kind, &self.media.subtype),
        }
    }

    /// The charset of a text part; `us-ascii` where none is named (RFC 2046 §4.1.2).
    pub fn charset(&self) -> &[u8] {
        raw_parameter(&self.media.parameters, b"charset").unwrap_or(b"us-ascii")
    }

    /// The file name the sender gave, for people: of the disposition, else of the media type. RFC 2231 continuations and
    /// charsets are undone, and RFC 2047 words too, which many mailers put there in their stead.
    pub fn file_name(&self) -> Option<String> {
        self.disposition
            .as_ref()
            .and_then(|disposition| decoded_parameter(&disposition.parameters, b"filename"))
            .or_else(|| decoded_parameter(&self.media.parameters, b"name"))
    }
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Octets. Also a multipart or message that was not opened, see [`Part::shown_media`].
    Leaf,
    /// The parts that [`Outline::children`] gives; a damaged multipart may have none.
    Multipart,
    /// A message (`message/rfc822`) with its envelope. It is itself the next part in order, and the only child.
    Message { envelope: Box<Envelope> },
}

/// A media type (RFC 2045 §5.1), spelled as sent. Never empty: what is missing or damaged is the default of RFC 2045
/// §5.2, or of RFC 2046 §5.1.5 in a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    pub kind: Octets,
    pub subtype: Octets,
    /// As sent, in order, quoting removed; RFC 2231 pieces stay pieces (see [`decoded_parameter`]).
    pub parameters: Vec<Parameter>,
}

impl MediaType {
    /// Compares as RFC 2045 §5.1 says: without regard to case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.is_type(kind) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    pub fn is_type(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }
}

/// `Content-Disposition:` (RFC 2183).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// `inline`, `attachment` or another word, spelled as sent.
    pub kind: Octets,
    pub parameters: Vec<Parameter>,
}

impl Disposition {
    /// RFC 2183 §2.8: a word that is not known is treated as `attachment`.
    pub fn is_attachment(&self) -> bool {
        !self.kind.eq_ignore_ascii_case(b"inline")
    }
}

/// A content transfer encoding (RFC 2045 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    SevenBit,
    EightBit,
    Binary,
    QuotedPrintable,
    Base64,
    Other,
}

impl Encoding {
    pub(crate) fn named(name: &[u8]) -> Self {
        // RFC 2045 §6.1: the values are not case sensitive.
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name {
            _ if is(b"7bit") => Self::SevenBit,
            _ if is(b"8bit") => Self::EightBit,
            _ if is(b"binary") => Self::Binary,
            _ if is(b"quoted-printable") => Self::QuotedPrintable,
            _ if is(b"base64") => Self::Base64,
            _ => Self::Other,
        }
    }

    /// The body is its own octets.
    pub fn is_identity(self) -> bool {
        matches!(self, Self::SevenBit | Self::EightBit | Self::Binary)
    }
}
