//! BODY and BODYSTRUCTURE (RFC 3501 §7.4.2), without recursion.

use mime::{Children, Content, Outline, Parameter, Part};
use proto::imap::write;

use super::envelope::envelope;

/// `extended`: with extension data, as BODYSTRUCTURE has it.
pub fn structure(out: &mut Vec<u8>, outline: &Outline, extended: bool) {
    let mut open: Vec<(&Part, Children<'_>)> = Vec::new();
    let mut next = Some(0);
    loop {
        if let Some(part) = next.and_then(|index| outline.parts.get(index)) {
            let children = outline.children(next.unwrap_or_default());
            out.push(b'(');
            match &part.content {
                Content::Leaf => {
                    leaf(out, part, extended);
                    out.push(b')');
                }
                Content::Message { envelope: inner } => {
                    basic(out, part);
                    out.push(b' ');
                    envelope(out, inner);
                    out.push(b' ');
                    open.push((part, children));
                }
                Content::Multipart => {
                    if children.clone().next().is_none() {
                        // The grammar wants at least one body in a multipart.
                        out.extend_from_slice(b"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)");
                    }
                    open.push((part, children));
                }
            }
        }
        let Some((part, children)) = open.last_mut() else { return };
        next = children.next();
        if next.is_none() {
            close(out, part, extended);
            open.pop();
        }
    }
}

/// What follows the parts within a multipart or message.
fn close(out: &mut Vec<u8>, part: &Part, extended: bool) {
    out.push(b' ');
    if let Content::Multipart = part.content {
        write::string(out, &part.media.subtype);
        if extended {
            out.push(b' ');
            parameters(out, &part.media.parameters);
            trailer(out, part);
        }
    } else {
        write::number(out, part.lines);
        if extended {
            extension(out, part);
        }
    }
    out.push(b')');
}

fn leaf(out: &mut Vec<u8>, part: &Part, extended: bool) {
    basic(out, part);
    // RFC 3501 §9: body-type-text carries its lines.
    if part.shown_media().0.eq_ignore_ascii_case(b"text") {
        out.push(b' ');
        write::number(out, part.lines);
    }
    if extended {
        extension(out, part);
    }
}

/// Type, subtype and body fields.
fn basic(out: &mut Vec<u8>, part: &Part) {
    let (kind, subtype) = part.shown_media();
    write::string(out, kind);
    out.push(b' ');
    write::string(out, subtype);
    out.push(b' ');
    parameters(out, &part.media.parameters);
    out.push(b' ');
    write::nstring(out, part.id.as_deref());
    out.push(b' ');
    write::nstring(out, part.description.as_deref());
    out.push(b' ');
    // RFC 2045 §6.1: what is not said is 7bit.
    write::string(out, part.encoding_sent.as_deref().unwrap_or(b"7bit"));
    out.push(b' ');
    write::number(out, part.body_size());
}

/// MD5, disposition, language and location of a part that is not multipart.
fn extension(out: &mut Vec<u8>, part: &Part) {
    out.push(b' ');
    write::nstring(out, part.md5.as_deref());
    trailer(out, part);
}

fn trailer(out: &mut Vec<u8>, part: &Part) {
    match &part.disposition {
        None => out.extend_from_slice(b" NIL "),
        Some(disposition) => {
            out.extend_from_slice(b" (");
            write::string(out, &disposition.kind);
            out.push(b' ');
            parameters(out, &disposition.parameters);
            out.extend_from_slice(b") ");
        }
    }
    match part.language.as_slice() {
        [] => out.extend_from_slice(b"NIL"),
        [one] => write::string(out, one),
        several => {
            for (i, language) in several.iter().enumerate() {
                out.push(if i == 0 { b'(' } else { b' ' });
                write::string(out, language);
            }
            out.push(b')');
        }
    }
    out.push(b' ');
    write::nstring(out, part.location.as_deref());
}

fn parameters(out: &mut Vec<u8>, parameters: &[Parameter]) {
    if parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (i, parameter) in parameters.iter().enumerate() {
        out.push(if i == 0 { b'(' } else { b' ' });
        write::string(out, &parameter.name);
        out.push(b' ');
        write::string(out, &parameter.value);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use mime::Limits;

    use super::*;

    fn shown(message: &str, extended: bool) -> String {
        let mut out = Vec::new();
        structure(&mut out, &mime::parse(message.as_bytes(), Limits::default()), extended);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_plain_message_is_one_text_part() {
        let message = "Subject: x\r\n\r\nbody\r\n";
        assert_eq!(shown(message, false), r#"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1)"#);
    }

    #[test]
    fn a_tree_is_written_as_it_is_nested() {
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\
            Content-Language: de, en\r\n\r\nx\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ny\r\n--b\r\n\
            Content-Type: image/png; name=\"a b\"\r\nContent-Transfer-Encoding: BASE64\r\n\
            Content-Disposition: attachment; filename=x.png\r\nContent-ID: <i>\r\n\r\nAAAA\r\n--b--\r\n";
        assert_eq!(
            shown(message, true),
            concat!(
                r#"(("text" "html" NIL NIL NIL "7bit" 1 0 NIL NIL ("de" "en") NIL)"#,
                r#"("message" "rfc822" NIL NIL NIL "7bit" 16 "#,
                r#"(NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) "#,
                r#"("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL)"#,
                r#"("image" "png" ("name" "a b") "<i>" NIL "BASE64" 4 NIL ("attachment" ("filename" "x.png")) NIL NIL)"#,
                r#" "mixed" ("boundary" "b") NIL NIL NIL)"#,
            )
        );
    }

    #[test]
    fn a_multipart_without_parts_shows_one_all_the_same() {
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\nno boundary here\r\n";
        let shown = shown(message, false);
        assert!(shown.starts_with("((") && shown.ends_with(" \"mixed\")"), "{shown}");
    }

    #[test]
    fn a_hundred_levels_close_as_often_as_they_open() {
        let mut message = String::new();
        for level in 0..99 {
            message += &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
        }
        let shown = shown(&(message + "\r\nx\r\n"), true);
        assert_eq!(shown.matches('(').count(), shown.matches(')').count());
        assert_eq!(shown.matches("mixed").count(), 99);
    }
}
