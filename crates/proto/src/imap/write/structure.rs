//! ENVELOPE and BODYSTRUCTURE (RFC 3501 §7.4.2).

use mime::{Address, Content, Disposition, Envelope, Octets, Outline, Parameter, Part};

use super::{nstring, number, string};

/// An ENVELOPE's value.
pub fn envelope(out: &mut Vec<u8>, envelope: &Envelope) {
    out.push(b'(');
    nstring(out, envelope.date.as_deref());
    out.push(b' ');
    nstring(out, envelope.subject.as_deref());
    let lists = [
        &*envelope.from,
        envelope.effective_sender(),
        envelope.effective_reply_to(),
        &envelope.to,
        &envelope.cc,
        &envelope.bcc,
    ];
    for list in lists {
        out.push(b' ');
        addresses(out, list);
    }
    out.push(b' ');
    nstring(out, envelope.in_reply_to.as_deref());
    out.push(b' ');
    nstring(out, envelope.message_id.as_deref());
    out.push(b')');
}

fn addresses(out: &mut Vec<u8>, list: &[Address]) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        nstring(out, address.name.as_deref());
        out.push(b' ');
        nstring(out, address.route.as_deref());
        out.push(b' ');
        nstring(out, address.mailbox.as_deref());
        out.push(b' ');
        nstring(out, address.host.as_deref());
        out.push(b')');
    }
    out.push(b')');
}

/// A BODYSTRUCTURE's value, or with `extended` false a BODY's: without extension data.
pub fn body_structure(out: &mut Vec<u8>, outline: &Outline, extended: bool) {
    // What is still to be written, the next of it last. As long as the parts are deep.
    let mut open = vec![Open::Part(0)];
    while let Some(next) = open.pop() {
        match next {
            Open::Part(index) => {
                let Some(part) = outline.parts.get(index) else { continue };
                out.push(b'(');
                match &part.content {
                    Content::Leaf => {
                        leaf(out, part);
                        end_single(out, part, extended);
                    }
                    Content::Multipart => open.push(Open::Multipart { index, children: outline.children(index) }),
                    Content::Message { envelope: of } => {
                        basic(out, part);
                        out.push(b' ');
                        envelope(out, of);
                        out.push(b' ');
                        open.push(Open::Message(index));
                        open.push(Open::Part(index + 1));
                    }
                }
            }
            Open::Multipart { index, mut children } => {
                if let Some(child) = children.next() {
                    open.push(Open::Multipart { index, children });
                    open.push(Open::Part(child));
                } else if let Some(part) = outline.parts.get(index) {
                    end_multipart(out, part, outline.children(index).next().is_none(), extended);
                }
            }
            Open::Message(index) => {
                if let Some(part) = outline.parts.get(index) {
                    out.push(b' ');
                    number(out, part.lines);
                    end_single(out, part, extended);
                }
            }
        }
    }
}

enum Open<'a> {
    Part(usize),
    /// With the children that are not written yet.
    Multipart {
        index: usize,
        children: mime::Children<'a>,
    },
    /// A message whose own structure is written.
    Message(usize),
}

/// RFC 3501 §9: body-type-basic or body-type-text.
fn leaf(out: &mut Vec<u8>, part: &Part) {
    basic(out, part);
    if part.shown_media().0.eq_ignore_ascii_case(b"text") {
        out.push(b' ');
        number(out, part.lines);
    }
}

/// Media type and body-fields.
fn basic(out: &mut Vec<u8>, part: &Part) {
    let (kind, subtype) = part.shown_media();
    string(out, kind);
    out.push(b' ');
    string(out, subtype);
    out.push(b' ');
    parameters(out, &part.media.parameters);
    out.push(b' ');
    nstring(out, part.id.as_deref());
    out.push(b' ');
    nstring(out, part.description.as_deref());
    out.push(b' ');
    // RFC 2045 §6.1: 7BIT where none is named.
    string(out, part.encoding_sent.as_deref().unwrap_or(b"7bit"));
    out.push(b' ');
    number(out, part.body_size());
}

fn end_single(out: &mut Vec<u8>, part: &Part, extended: bool) {
    if extended {
        out.push(b' ');
        nstring(out, part.md5.as_deref());
        extension(out, part);
    }
    out.push(b')');
}

fn end_multipart(out: &mut Vec<u8>, part: &Part, childless: bool, extended: bool) {
    if childless {
        // RFC 3501 §9: body-type-mpart = 1*body, also where the boundary never comes.
        out.extend_from_slice(b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0");
        out.extend_from_slice(if extended { b" NIL NIL NIL NIL)" } else { b")" });
    }
    out.push(b' ');
    string(out, part.shown_media().1);
    if extended {
        out.push(b' ');
        parameters(out, &part.media.parameters);
        extension(out, part);
    }
    out.push(b')');
}

/// Disposition, language and location.
fn extension(out: &mut Vec<u8>, part: &Part) {
    out.push(b' ');
    disposition(out, part.disposition.as_ref());
    out.push(b' ');
    language(out, &part.language);
    out.push(b' ');
    nstring(out, part.location.as_deref());
}

fn disposition(out: &mut Vec<u8>, disposition: Option<&Disposition>) {
    let Some(disposition) = disposition else {
        out.extend_from_slice(b"NIL");
        return;
    };
    out.push(b'(');
    string(out, &disposition.kind);
    out.push(b' ');
    parameters(out, &disposition.parameters);
    out.push(b')');
}

fn language(out: &mut Vec<u8>, tags: &[Octets]) {
    match tags {
        [] => out.extend_from_slice(b"NIL"),
        [tag] => string(out, tag),
        _ => {
            for (i, tag) in tags.iter().enumerate() {
                out.push(if i == 0 { b'(' } else { b' ' });
                string(out, tag);
            }
            out.push(b')');
        }
    }
}

fn parameters(out: &mut Vec<u8>, parameters: &[Parameter]) {
    if parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (i, parameter) in parameters.iter().enumerate() {
        out.push(if i == 0 { b'(' } else { b' ' });
        string(out, &parameter.name);
        out.push(b' ');
        string(out, &parameter.value);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(message: &str) -> Outline {
        mime::parse(message.replace('\n', "\r\n").as_bytes(), mime::Limits::default())
    }

    fn structure(message: &str, extended: bool) -> String {
        let mut out = Vec::new();
        body_structure(&mut out, &outline(message), extended);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_envelope_is_as_the_rfc_shows_it() {
        let message = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\n\
            From: Terry Gray <gray@cac.washington.edu>\n\
            Subject: IMAP4rev1 WG mtg summary and minutes\n\
            To: imap@cac.washington.edu\n\
            cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\n\
            Message-Id: <B27397-0100000@cac.washington.edu>\n\n";
        let mut out = Vec::new();
        envelope(&mut out, outline(message).envelope());
        let gray = "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))";
        let expected = format!(
            "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" {gray} {gray} {gray} \
             ((NIL NIL \"imap\" \"cac.washington.edu\")) ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")\
             (\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \"<B27397-0100000@cac.washington.edu>\")"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_empty_envelope_is_all_nil() {
        let mut out = Vec::new();
        envelope(&mut out, &Envelope::default());
        assert_eq!(out, b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    }

    #[test]
    fn groups_are_marked_by_hosts_that_are_nil() {
        let mut out = Vec::new();
        envelope(&mut out, outline("To: friends: a@b, c@d;\n\n").envelope());
        let expected = "((NIL NIL \"friends\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")(NIL NIL NIL NIL))";
        assert!(String::from_utf8(out).unwrap().contains(expected));
    }

    #[test]
    fn structures_of_single_parts() {
        assert_eq!(
            structure("Content-Type: text/plain; charset=utf-8\n\none\ntwo\n", false),
            "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 10 2)"
        );
        let message = "Content-Type: image/png; name=\"a b\"\nContent-Transfer-Encoding: BASE64\nContent-ID: <x@y>\n\
            Content-Disposition: attachment; filename=c\nContent-Language: de\nContent-Location: z\n\nAAAA\n";
        assert_eq!(
            structure(message, true),
            "(\"image\" \"png\" (\"name\" \"a b\") \"<x@y>\" NIL \"BASE64\" 6 NIL \
             (\"attachment\" (\"filename\" \"c\")) \"de\" \"z\")"
        );
    }

    #[test]
    fn structures_nest_as_the_parts_do() {
        let message = "Content-Type: multipart/mixed; boundary=b\n\n\
            --b\nContent-Type: text/plain\n\nhi\n\
            --b\nContent-Type: message/rfc822\n\nSubject: s\nContent-Type: text/html\n\n<p>\n\n--b--\n";
        let text = structure(message, false);
        assert!(
            text.starts_with("((\"text\" \"plain\" NIL NIL NIL \"7bit\" 2 0)(\"message\" \"rfc822\" NIL"),
            "{text}"
        );
        let envelope = "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)";
        let inner = "(\"text\" \"html\" NIL NIL NIL \"7bit\" 5 1)";
        assert!(text.ends_with(&format!(" {envelope} {inner} 4) \"mixed\")")), "{text}");
        let text = structure(message, true);
        assert!(text.ends_with(" \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)"), "{text}");
    }

    #[test]
    fn a_multipart_without_parts_still_shows_one() {
        let text = structure("Content-Type: multipart/mixed; boundary=b\n\nnothing\n", false);
        assert_eq!(text, "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0) \"mixed\")");
    }

    #[test]
    fn depth_takes_no_recursion_and_parentheses_match() {
        let mut message = String::new();
        for level in 0..2000 {
            message.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"));
        }
        let text = structure(&message, true);
        assert!(text.len() > 100 * 20);
        assert_eq!(text.matches('(').count(), text.matches(')').count());
    }
}
