//! Untagged answers about mailboxes: LIST, LSUB, STATUS, SEARCH, FLAGS.

use super::{mailbox_name, number};
use crate::imap::command::StatusItem;

/// `(\Seen keyword)`, as in FLAGS and FETCH responses.
pub fn flags<'a>(out: &mut Vec<u8>, flags: impl IntoIterator<Item = &'a str>) {
    out.push(b'(');
    for (i, flag) in flags.into_iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(flag.as_bytes());
    }
    out.push(b')');
}

/// A whole LIST or LSUB line (RFC 3501 §7.2.2); `verb` says which. The name is UTF-8.
pub fn list<'a>(
    out: &mut Vec<u8>,
    verb: &str,
    attributes: impl IntoIterator<Item = &'a str>,
    separator: char,
    name: &str,
) {
    out.extend_from_slice(b"* ");
    out.extend_from_slice(verb.as_bytes());
    out.push(b' ');
    flags(out, attributes);
    out.push(b' ');
    super::string(out, separator.encode_utf8(&mut [0; 4]).as_bytes());
    out.push(b' ');
    mailbox_name(out, name);
    out.extend_from_slice(b"\r\n");
}

/// A whole STATUS line (RFC 3501 §7.2.4).
pub fn status(out: &mut Vec<u8>, name: &str, items: impl IntoIterator<Item = (StatusItem, u64)>) {
    out.extend_from_slice(b"* STATUS ");
    mailbox_name(out, name);
    out.extend_from_slice(b" (");
    for (i, (item, value)) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(item.name().as_bytes());
        out.push(b' ');
        number(out, value);
    }
    out.extend_from_slice(b")\r\n");
}

/// Begins the SEARCH line (RFC 3501 §7.2.5). It is one line of any length, written in as many pieces as the
/// caller likes: this, each number, then [`search_end`].
pub fn search_begin(out: &mut Vec<u8>) {
    out.extend_from_slice(b"* SEARCH");
}

pub fn search_number(out: &mut Vec<u8>, value: u32) {
    out.push(b' ');
    number(out, value.into());
}

/// With the greatest mod-sequence of what was found, if the search asked for MODSEQ and found something
/// (RFC 7162 §3.1.5).
pub fn search_end(out: &mut Vec<u8>, mod_seq: Option<u64>) {
    if let Some(mod_seq) = mod_seq {
        out.extend_from_slice(b" (MODSEQ ");
        number(out, mod_seq);
        out.push(b')');
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_as_the_rfc_shows_them() {
        let attributes = ["\\HasNoChildren", "\\Sent"];
        assert_eq!(
            written(|out| list(out, "LIST", attributes, '/', "Größe/x")),
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"Gr&APYA3w-e/x\"\r\n"
        );
        assert_eq!(written(|out| list(out, "LSUB", [], '/', "INBOX")), "* LSUB () \"/\" INBOX\r\n");
        let items = [(StatusItem::Messages, 2), (StatusItem::HighestModSeq, 9)];
        assert_eq!(written(|out| status(out, "a b", items)), "* STATUS \"a b\" (MESSAGES 2 HIGHESTMODSEQ 9)\r\n");
    }

    #[test]
    fn a_search_line_grows_number_by_number() {
        let line = written(|out| {
            search_begin(out);
            search_number(out, 2);
            search_number(out, u32::MAX);
            search_end(out, Some(17));
        });
        assert_eq!(line, "* SEARCH 2 4294967295 (MODSEQ 17)\r\n");
        let nothing = written(|out| {
            search_begin(out);
            search_end(out, None);
        });
        assert_eq!(nothing, "* SEARCH\r\n");
    }
}
