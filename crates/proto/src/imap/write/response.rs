//! Status responses and their codes (RFC 3501 §7.1, RFC 5530).

use super::number;
use crate::imap::command::Tag;

/// How a command ended, or what a server says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Ok,
    No,
    Bad,
    Bye,
}

impl Condition {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Bad => "BAD",
            Self::Bye => "BYE",
        }
    }
}

/// A response code. Sets of numbers are given as IMAP writes them (`1:3,7`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code<'a> {
    // RFC 3501 §7.1
    Alert,
    /// Names the charsets there are.
    BadCharset,
    /// `\*` is told with `any`: new keywords can be made.
    PermanentFlags {
        flags: &'a [&'a str],
        any: bool,
    },
    ReadOnly,
    ReadWrite,
    TryCreate,
    UidNext(u32),
    UidValidity(u32),
    /// The first such message's number.
    Unseen(u32),
    // RFC 4315 §3
    AppendUid {
        uid_validity: u32,
        uid: u32,
    },
    CopyUid {
        uid_validity: u32,
        from: &'a str,
        to: &'a str,
    },
    UidNotSticky,
    // RFC 7162 §3.1
    HighestModSeq(u64),
    NoModSeq,
    Modified(&'a str),
    // RFC 7162 §3.2.11
    Closed,
    // RFC 9051 §7.1
    HasChildren,
    // RFC 5530 §3
    AlreadyExists,
    AuthenticationFailed,
    AuthorizationFailed,
    Cannot,
    ClientBug,
    ContactAdmin,
    Corruption,
    Expired,
    ExpungeIssued,
    InUse,
    Limit,
    Nonexistent,
    NoPerm,
    OverQuota,
    PrivacyRequired,
    ServerBug,
    Unavailable,
}

impl Code<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let (name, arguments): (&str, &[u64]) = match *self {
            Self::Alert => ("ALERT", &[]),
            Self::BadCharset => ("BADCHARSET (US-ASCII UTF-8)", &[]),
            Self::PermanentFlags { flags, any } => {
                out.extend_from_slice(b"PERMANENTFLAGS ");
                super::flags(out, flags.iter().copied().chain(any.then_some("\\*")));
                return;
            }
            Self::HasChildren => ("HASCHILDREN", &[]),
            Self::Closed => ("CLOSED", &[]),
            Self::ReadOnly => ("READ-ONLY", &[]),
            Self::ReadWrite => ("READ-WRITE", &[]),
            Self::TryCreate => ("TRYCREATE", &[]),
            Self::UidNext(uid) => ("UIDNEXT", &[uid.into()]),
            Self::UidValidity(value) => ("UIDVALIDITY", &[value.into()]),
            Self::Unseen(number) => ("UNSEEN", &[number.into()]),
            Self::AppendUid { uid_validity, uid } => ("APPENDUID", &[uid_validity.into(), uid.into()]),
            Self::CopyUid { uid_validity, from, to } => {
                out.extend_from_slice(b"COPYUID ");
                number(out, uid_validity.into());
                for set in [from, to] {
                    out.push(b' ');
                    out.extend_from_slice(set.as_bytes());
                }
                return;
            }
            Self::UidNotSticky => ("UIDNOTSTICKY", &[]),
            Self::HighestModSeq(value) => ("HIGHESTMODSEQ", &[value]),
            Self::NoModSeq => ("NOMODSEQ", &[]),
            Self::Modified(set) => {
                out.extend_from_slice(b"MODIFIED ");
                out.extend_from_slice(set.as_bytes());
                return;
            }
            Self::AlreadyExists => ("ALREADYEXISTS", &[]),
            Self::AuthenticationFailed => ("AUTHENTICATIONFAILED", &[]),
            Self::AuthorizationFailed => ("AUTHORIZATIONFAILED", &[]),
            Self::Cannot => ("CANNOT", &[]),
            Self::ClientBug => ("CLIENTBUG", &[]),
            Self::ContactAdmin => ("CONTACTADMIN", &[]),
            Self::Corruption => ("CORRUPTION", &[]),
            Self::Expired => ("EXPIRED", &[]),
            Self::ExpungeIssued => ("EXPUNGEISSUED", &[]),
            Self::InUse => ("INUSE", &[]),
            Self::Limit => ("LIMIT", &[]),
            Self::Nonexistent => ("NONEXISTENT", &[]),
            Self::NoPerm => ("NOPERM", &[]),
            Self::OverQuota => ("OVERQUOTA", &[]),
            Self::PrivacyRequired => ("PRIVACYREQUIRED", &[]),
            Self::ServerBug => ("SERVERBUG", &[]),
            Self::Unavailable => ("UNAVAILABLE", &[]),
        };
        out.extend_from_slice(name.as_bytes());
        for &argument in arguments {
            out.push(b' ');
            number(out, argument);
        }
    }
}

/// `tag OK [CODE] text`, a whole line.
pub fn tagged(out: &mut Vec<u8>, tag: &Tag, condition: Condition, code: Option<Code<'_>>, text: &str) {
    out.extend_from_slice(tag.as_str().as_bytes());
    status(out, condition, code, text);
}

/// `* OK [CODE] text`, a whole line.
pub fn untagged(out: &mut Vec<u8>, condition: Condition, code: Option<Code<'_>>, text: &str) {
    out.push(b'*');
    status(out, condition, code, text);
}

/// `* n EXISTS` and its like.
pub fn untagged_number(out: &mut Vec<u8>, count: u64, name: &str) {
    out.extend_from_slice(b"* ");
    number(out, count);
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `+ text`, a whole line; the text may be empty (RFC 3501 §7.5: the space stays).
pub fn continuation(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"+ ");
    resp_text(out, text);
    out.extend_from_slice(b"\r\n");
}

fn status(out: &mut Vec<u8>, condition: Condition, code: Option<Code<'_>>, text: &str) {
    out.push(b' ');
    out.extend_from_slice(condition.name().as_bytes());
    out.push(b' ');
    if let Some(code) = code {
        out.push(b'[');
        code.write(out);
        out.extend_from_slice(b"] ");
    }
    resp_text(out, text);
    out.extend_from_slice(b"\r\n");
}

/// RFC 3501 §9: text is TEXT-CHARs. Anything else, as from a banner an operator set, becomes `?`.
fn resp_text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.chars().map(|c| if matches!(c, ' '..='~') { c as u8 } else { b'?' }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(code: Code<'_>) -> String {
        let mut out = Vec::new();
        untagged(&mut out, Condition::Ok, Some(code), "Text.");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn codes_with_arguments_are_written_as_their_rfcs_have_them() {
        assert_eq!(line(Code::UidValidity(7)), "* OK [UIDVALIDITY 7] Text.\r\n");
        let flags = ["\\Seen", "$Forwarded"];
        let code = Code::PermanentFlags { flags: &flags, any: true };
        assert_eq!(line(code), "* OK [PERMANENTFLAGS (\\Seen $Forwarded \\*)] Text.\r\n");
        assert_eq!(line(Code::PermanentFlags { flags: &[], any: false }), "* OK [PERMANENTFLAGS ()] Text.\r\n");
        assert_eq!(line(Code::AppendUid { uid_validity: 3, uid: 9 }), "* OK [APPENDUID 3 9] Text.\r\n");
        let code = Code::CopyUid { uid_validity: 3, from: "1:2", to: "5,7" };
        assert_eq!(line(code), "* OK [COPYUID 3 1:2 5,7] Text.\r\n");
        assert_eq!(line(Code::Modified("7,9")), "* OK [MODIFIED 7,9] Text.\r\n");
        assert_eq!(line(Code::HighestModSeq(u64::MAX >> 1)), "* OK [HIGHESTMODSEQ 9223372036854775807] Text.\r\n");
    }

    #[test]
    fn a_text_cannot_end_its_line() {
        let mut out = Vec::new();
        tagged(&mut out, &Tag::new(b"a1").unwrap(), Condition::No, None, "x\r\n* BYE \u{fc}");
        assert_eq!(out, b"a1 NO x??* BYE ?\r\n");
    }
}
