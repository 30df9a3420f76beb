//! FETCH and its items (RFC 3501 §6.4.5, RFC 7162 §3.1.4).

use std::num::NonZeroU32;

use super::SequenceSet;

/// FETCH or UID FETCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub set: SequenceSet,
    /// Whether `set` holds UIDs.
    pub uid: bool,
    /// In the order asked, without doubles; macros are spelled out. Holds [`FetchItem::Uid`] (first) for a
    /// UID FETCH, and [`FetchItem::ModSeq`] with CHANGEDSINCE, asked for or not (RFC 7162 §3.1.4.1).
    pub items: Vec<FetchItem>,
    pub changed_since: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchItem {
    Envelope,
    Flags,
    InternalDate,
    /// As `BODY[]`, answered as `RFC822`.
    Rfc822,
    /// As `BODY.PEEK[HEADER]`, answered as `RFC822.HEADER`.
    Rfc822Header,
    Rfc822Size,
    /// As `BODY[TEXT]`, answered as `RFC822.TEXT`.
    Rfc822Text,
    /// BODYSTRUCTURE without extension data.
    Body,
    BodyStructure,
    Section {
        section: Section,
        partial: Option<Partial>,
        /// BODY.PEEK: leaves `\Seen` alone.
        peek: bool,
    },
    Uid,
    ModSeq,
}

impl FetchItem {
    /// Whether fetching it sets `\Seen` (RFC 3501 §6.4.5).
    pub fn sets_seen(&self) -> bool {
        matches!(self, Self::Rfc822 | Self::Rfc822Text | Self::Section { peek: false, .. })
    }
}

/// What stands in the brackets of `BODY[...]`; the default is the whole message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// `1.2.3`; empty for the message itself.
    pub part: Vec<NonZeroU32>,
    /// Without it: the content of the part, or the whole message.
    pub text: Option<SectionText>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionText {
    /// Of the message, or of the message/rfc822 part that `part` names.
    Header,
    /// Header lines of these names (compared without case), with the empty line at the end.
    HeaderFields(Vec<String>),
    HeaderFieldsNot(Vec<String>),
    Text,
    /// Only with a part.
    Mime,
}

/// `<offset.length>`: octets of a section, cut at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    pub offset: u32,
    pub length: NonZeroU32,
}
