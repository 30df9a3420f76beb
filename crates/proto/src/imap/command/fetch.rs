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
    HeaderFields(HeaderNames),
    HeaderFieldsNot(HeaderNames),
    Text,
    /// Only with a part.
    Mime,
}

/// Names of header fields, which are compared without case (RFC 5322 §1.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNames {
    asked: Vec<String>,
    /// In small letters, ascending: a header has many fields, and each is looked for among them.
    sorted: Vec<Vec<u8>>,
}

impl HeaderNames {
    pub fn new(asked: Vec<String>) -> Self {
        let mut sorted: Vec<_> = asked.iter().map(|name| name.to_ascii_lowercase().into_bytes()).collect();
        sorted.sort_unstable();
        sorted.dedup();
        Self { asked, sorted }
    }

    /// As the client wrote them, for the response that names them again.
    pub fn asked(&self) -> &[String] {
        &self.asked
    }

    pub fn has(&self, name: &[u8]) -> bool {
        let order = |known: &Vec<u8>| known.iter().copied().cmp(name.iter().map(u8::to_ascii_lowercase));
        self.sorted.binary_search_by(order).is_ok()
    }
}

/// `<offset.length>`: octets of a section, cut at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    pub offset: u32,
    pub length: NonZeroU32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_are_known_in_any_case_and_only_in_full() {
        let names = HeaderNames::new(["Subject", "from", "FROM", "X-a"].map(str::to_owned).to_vec());
        for (name, known) in
            [("From", true), ("SUBJECT", true), ("x-A", true), ("x-", false), ("Subjects", false), ("", false)]
        {
            assert_eq!(names.has(name.as_bytes()), known, "{name}");
        }
        assert_eq!(names.asked().len(), 4);
    }
}
