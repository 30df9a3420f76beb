use crate::address;
use crate::dictionary::intern;
use crate::envelope::{Address, Envelope};
use crate::outline::{Disposition, Encoding, Octets, Part};
use crate::parameter::parse_parameters;
use crate::structured::{Lexer, is_blank};

/// A header field that an outline tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Bcc,
    Cc,
    Date,
    From,
    InReplyTo,
    MessageId,
    Received,
    ReplyTo,
    Sender,
    Subject,
    To,
    ContentDescription,
    ContentDisposition,
    ContentId,
    ContentLanguage,
    ContentLocation,
    ContentMd5,
    ContentTransferEncoding,
    ContentType,
}

const NAMES: [(&[u8], Known); 19] = [
    (b"received", Known::Received),
    (b"from", Known::From),
    (b"to", Known::To),
    (b"subject", Known::Subject),
    (b"date", Known::Date),
    (b"message-id", Known::MessageId),
    (b"content-type", Known::ContentType),
    (b"content-transfer-encoding", Known::ContentTransferEncoding),
    (b"content-disposition", Known::ContentDisposition),
    (b"content-id", Known::ContentId),
    (b"content-description", Known::ContentDescription),
    (b"content-language", Known::ContentLanguage),
    (b"content-location", Known::ContentLocation),
    (b"content-md5", Known::ContentMd5),
    (b"cc", Known::Cc),
    (b"bcc", Known::Bcc),
    (b"reply-to", Known::ReplyTo),
    (b"sender", Known::Sender),
    (b"in-reply-to", Known::InReplyTo),
];

impl Known {
    /// The field of that name. RFC 5322 §1.2.2: names are not case sensitive; §4.5: blanks may stand before the colon.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let name = name.trim_ascii_end();
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }

    /// RFC 2045 §9: in the header of a body part only fields whose names begin with `content-` mean anything.
    pub(crate) fn is_content(self) -> bool {
        matches!(
            self,
            Self::ContentDescription
                | Self::ContentDisposition
                | Self::ContentId
                | Self::ContentLanguage
                | Self::ContentLocation
                | Self::ContentMd5
                | Self::ContentTransferEncoding
                | Self::ContentType
        )
    }
}

/// What may still be kept of one message's header fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) header_bytes: u64,
    pub(crate) addresses: u32,
    pub(crate) parameters: u32,
}

/// Interprets a field of a message's header; `false` when a part of it was left out for want of allowance.
pub(crate) fn interpret_message(known: Known, value: &[u8], envelope: &mut Envelope, left: &mut Allowance) -> bool {
    let value = value.trim_ascii();
    let mut addresses = |list: &mut Vec<Address>| address::parse_into(value, &mut left.addresses, list);
    match known {
        Known::Bcc => return addresses(&mut envelope.bcc),
        Known::Cc => return addresses(&mut envelope.cc),
        Known::From => return addresses(&mut envelope.from),
        Known::ReplyTo => return addresses(&mut envelope.reply_to),
        Known::Sender => return addresses(&mut envelope.sender),
        Known::To => return addresses(&mut envelope.to),
        Known::Date => keep_first(&mut envelope.date, value),
        Known::InReplyTo => keep_first(&mut envelope.in_reply_to, value),
        Known::MessageId => keep_first(&mut envelope.message_id, value),
        Known::Subject => keep_first(&mut envelope.subject, value),
        _ => {}
    }
    true
}

/// Interprets a `Content-` field of any part's header; `false` when a part of it was left out for want of allowance.
pub(crate) fn interpret_content(known: Known, value: &[u8], part: &mut Part, left: &mut Allowance) -> bool {
    let value = value.trim_ascii();
    let mut lexer = Lexer::new(value);
    match known {
        Known::ContentType if part.media.kind.is_empty() => {
            return media_type(&mut lexer, part, left);
        }
        Known::ContentDisposition if part.disposition.is_none() => {
            lexer.skip_blanks();
            let kind = lexer.run(ends_token);
            if kind.is_empty() {
                return true;
            }
            let mut parameters = Vec::new();
            let complete = parse_parameters(&mut lexer, &mut left.parameters, &mut parameters);
            part.disposition = Some(Disposition { kind: intern(kind), parameters });
            return complete;
        }
        Known::ContentTransferEncoding if part.encoding_sent.is_none() => {
            lexer.skip_blanks();
            let name = lexer.run(ends_token);
            if !name.is_empty() {
                part.encoding = Encoding::named(name);
                part.encoding_sent = Some(intern(name));
            }
        }
        Known::ContentLanguage if part.language.is_empty() => {
            return languages(&mut lexer, part, left);
        }
        Known::ContentDescription => keep_first_octets(&mut part.description, value),
        Known::ContentId => keep_first_octets(&mut part.id, value),
        Known::ContentLocation => keep_first_octets(&mut part.location, value),
        Known::ContentMd5 => keep_first_octets(&mut part.md5, value),
        _ => {}
    }
    true
}

/// `type "/" subtype *(";" parameter)` (RFC 2045 §5.1).
fn media_type(lexer: &mut Lexer<'_>, part: &mut Part, left: &mut Allowance) -> bool {
    lexer.skip_blanks();
    let kind = lexer.run(ends_token);
    lexer.skip_blanks();
    let subtype = if lexer.eat(b'/') {
        lexer.skip_blanks();
        lexer.run(ends_token)
    } else {
        b""
    };
    // RFC 2045 §5.2: a damaged type is plain text.
    let (kind, subtype): (&[u8], &[u8]) =
        if kind.is_empty() || subtype.is_empty() { (b"text", b"plain") } else { (kind, subtype) };
    part.media.kind = intern(kind);
    part.media.subtype = intern(subtype);
    parse_parameters(lexer, &mut left.parameters, &mut part.media.parameters)
}

/// `Language-tag *("," Language-tag)` (RFC 3282 §2).
fn languages(lexer: &mut Lexer<'_>, part: &mut Part, left: &mut Allowance) -> bool {
    loop {
        lexer.skip_blanks();
        let tag = lexer.run(ends_token);
        if !tag.is_empty() {
            if left.parameters == 0 {
                return false;
            }
            left.parameters -= 1;
            part.language.push(intern(tag));
        } else if lexer.peek().is_some() {
            lexer.bump();
        } else {
            return true;
        }
    }
}

fn ends_token(octet: u8) -> bool {
    is_blank(octet) || matches!(octet, b';' | b'/' | b'(' | b'"' | b',' | b'=')
}

fn keep_first(kept: &mut Option<Vec<u8>>, value: &[u8]) {
    if kept.is_none() {
        *kept = Some(value.to_vec());
    }
}

fn keep_first_octets(kept: &mut Option<Octets>, value: &[u8]) {
    if kept.is_none() {
        *kept = Some(intern(value));
    }
}
