//! What sections of known messages are, octet for octet.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod corpus;

use mime::{Content, Encoding, Limits, Outline, Part, parse};

/// The whole tree, a line for each part: section path, kind of content, media type, body.
fn tree(message: &[u8], outline: &Outline) -> Vec<String> {
    let mut lines = Vec::new();
    let mut numbered = vec![(0, String::new())];
    while let Some((within, path)) = numbered.pop() {
        let members = match outline.parts[within].content {
            Content::Multipart => outline.children(within).collect(),
            _ => vec![within],
        };
        for (number, member) in members.into_iter().enumerate() {
            let path = format!("{path}{}", number + 1);
            let part = &outline.parts[member];
            let section: Vec<u32> = path.split('.').map(|number| number.parse().unwrap()).collect();
            assert_eq!(outline.section_index(&section), Some(member));
            let kind = match &part.content {
                Content::Leaf => format!("{:?}", text(message, part)),
                Content::Multipart => "multipart".to_owned(),
                Content::Message { envelope } => {
                    format!("message {:?}", String::from_utf8_lossy(envelope.subject.as_deref().unwrap_or_default()))
                }
            };
            let media = String::from_utf8([&*part.media.kind, b"/", &*part.media.subtype].concat()).unwrap();
            lines.push(format!("{path} {media} {} {kind}", part.lines));
            match part.content {
                Content::Multipart => numbered.push((member, format!("{path}."))),
                Content::Message { .. } => numbered.push((member + 1, format!("{path}."))),
                Content::Leaf => {}
            }
        }
    }
    lines.sort();
    lines
}

fn text(message: &[u8], part: &Part) -> String {
    let body = &message[part.body.start as usize..part.body.end as usize];
    String::from_utf8_lossy(body).into_owned()
}

fn header(message: &[u8], part: &Part) -> String {
    String::from_utf8_lossy(&message[part.header.start as usize..part.header.end as usize]).into_owned()
}

#[track_caller]
fn check(name: &str, expected: &[&str]) -> (Vec<u8>, Outline) {
    let message = corpus::read(name);
    let outline = parse(&message, Limits::default());
    assert_eq!(tree(&message, &outline), expected, "{name}");
    (message, outline)
}

#[test]
fn a_simple_message_is_one_part() {
    let (message, outline) = check("simple", &["1 text/plain 3 \"Shall we say noon?\\r\\n\\r\\nAnn\\r\\n\""]);
    let envelope = outline.envelope();
    assert_eq!(envelope.subject.as_deref(), Some(&b"Lunch on Thursday"[..]));
    assert_eq!(envelope.date.as_deref(), Some(&b"Mon, 23 Nov 2026 12:35:04 +0000"[..]));
    assert_eq!(envelope.message_id.as_deref(), Some(&b"<1@ann.example.test>"[..]));
    assert_eq!(envelope.in_reply_to.as_deref(), Some(&b"<0@bo.example.test>"[..]));
    assert_eq!(envelope.from[0].name.as_deref(), Some(&b"Ann Lee"[..]));
    assert_eq!(envelope.to[0].name.as_deref(), Some(&b"Bo, the second"[..]));
    assert_eq!(envelope.to[1].addr_spec().to_string(), "cy@example.test");
    assert_eq!(envelope.to[1].name.as_deref(), Some(&b"Cy"[..]));
    assert_eq!(envelope.effective_sender(), envelope.from);
    assert_eq!(envelope.effective_reply_to(), envelope.from);
    assert_eq!((outline.received, outline.from_fields), (2, 1));
    assert!(outline.has_date && outline.has_message_id && !outline.clipped);
    assert_eq!(outline.size, message.len() as u64);
    assert_eq!(outline.root().charset(), b"us-ascii");
    assert!(header(&message, outline.root()).ends_with(".test>\r\n\r\n"));
    assert_eq!(outline.section(&[1]), outline.section(&[]));
    for path in [&[0][..], &[2], &[1, 1], &[1, 0]] {
        assert_eq!(outline.section(path), None, "{path:?}");
    }
    assert!(outline.encode().len() < 500, "{}", outline.encode().len());
}

#[test]
fn the_line_end_before_a_delimiter_is_not_of_the_body() {
    let (message, outline) =
        check("alternative", &["1 text/plain 0 \"Caf=C3=A9\"", "2 TEXT/HTML 1 \"<p>Café</p>\\r\\n\""]);
    let plain = outline.section(&[1]).unwrap();
    assert_eq!(plain.encoding, Encoding::QuotedPrintable);
    assert_eq!(plain.charset(), b"utf-8");
    assert!(outline.section(&[2]).unwrap().media.is("text", "html"));
    assert!(text(&message, outline.root()).starts_with("Not shown.\r\n--=_alt\r\n"));
    assert!(text(&message, outline.root()).ends_with("--=_alt--\r\n"));
    assert_eq!(header(&message, outline.section(&[2]).unwrap()), "Content-Type: TEXT/HTML; Charset=\"utf-8\"\r\n\r\n");
    assert!(outline.encode().len() < 200, "{}", outline.encode().len());
}

#[test]
fn multiparts_nest() {
    let (message, outline) = check(
        "nested-mixed",
        &[
            "1 multipart/alternative 20 multipart",
            "1.1 text/plain 0 \"plain\"",
            "1.2 multipart/related 11 multipart",
            "1.2.1 text/html 0 \"<img src=\\\"cid:i@x\\\">\"",
            "1.2.2 image/png 0 \"iVBORw0KGgo=\"",
            "2 application/pdf 1 \"JVBERi0x\\r\\n\"",
        ],
    );
    // A multipart's body holds its preamble, delimiters and epilogue.
    assert!(text(&message, outline.section(&[1]).unwrap()).ends_with("--inner--\r\nbetween"));
    assert!(text(&message, outline.section(&[1, 2]).unwrap()).ends_with("--third--"));
    assert!(text(&message, outline.root()).starts_with("preamble\r\n--outer"));
    assert!(text(&message, outline.root()).ends_with("--outer--\r\nepilogue\r\n"));
    let pdf = outline.section(&[2]).unwrap();
    assert_eq!(pdf.encoding, Encoding::Base64);
    assert_eq!(pdf.file_name().as_deref(), Some("plan.pdf"));
    assert!(pdf.disposition.as_ref().unwrap().is_attachment());
    assert_eq!(pdf.description.as_deref(), Some(&b"The plan"[..]));
    assert_eq!(pdf.language, [&b"en"[..], b"de"]);
    assert_eq!(pdf.location.as_deref(), Some(&b"http://example.test/plan"[..]));
    assert_eq!(pdf.md5.as_deref(), Some(&b"Q2hlY2sgSW50ZWdyaXR5IQ=="[..]));
    assert_eq!(outline.section(&[1, 2, 2]).unwrap().id.as_deref(), Some(&b"<i@x>"[..]));
    assert!(outline.encode().len() < 500, "{}", outline.encode().len());
}

#[test]
fn messages_within_are_descended_into() {
    let (message, outline) = check(
        "message-in-multipart",
        &[
            "1 text/plain 0 \"See below.\"",
            "2 message/rfc822 12 message \"Inner with parts\"",
            "2.1 text/plain 0 \"inner one\"",
            "2.2 application/octet-stream 0 \"inner two\"",
            "3 message/rfc822 3 message \"Inner simple\"",
            "3.1 text/plain 0 \"inner body\"",
            "4 message/rfc822 0 \"RnJvbTogYQ0KDQpi\"",
        ],
    );
    assert!(text(&message, outline.section(&[3]).unwrap()).starts_with("From: Cy"));
    assert_eq!(outline.section(&[4]).unwrap().shown_media(), (&b"application"[..], &b"octet-stream"[..]));
    assert_eq!(outline.section(&[2]).unwrap().shown_media(), (&b"message"[..], &b"rfc822"[..]));
    assert_eq!(outline.envelope().subject.as_deref(), Some(&b"Forwarded"[..]));
    let Content::Message { envelope } = &outline.section(&[2]).unwrap().content else { panic!("not a message") };
    assert_eq!(envelope.from[0].name.as_deref(), Some(&b"Bo"[..]));
    assert_eq!(outline.from_fields, 1);
}

#[test]
fn a_message_may_hold_nothing_but_a_message() {
    check(
        "message-at-root",
        &[
            "1 message/rfc822 8 message \"Twice wrapped\"",
            "1.1 message/rfc822 4 message \"Core\"",
            "1.1.1 text/plain 1 \"core body\\r\\n\"",
        ],
    );
}

#[test]
fn parts_of_a_digest_are_messages_by_default() {
    check(
        "digest",
        &[
            "1 message/rfc822 3 message \"one\"",
            "1.1 text/plain 0 \"first\"",
            "2 text/plain 0 \"a note\"",
            "3 message/rfc822 3 message \"two\"",
            "3.1 text/plain 0 \"second\"",
        ],
    );
}

#[test]
fn an_outer_delimiter_closes_what_is_open_within() {
    check(
        "boundary-unclosed",
        &[
            "1 multipart/mixed 5 multipart",
            "1.1 text/plain 0 \"one\"",
            "1.2 text/plain 0 \"two\"",
            "2 text/plain 1 \"three\\r\\n\"",
        ],
    );
}

#[test]
fn a_boundary_may_begin_like_another() {
    check(
        "boundary-prefix",
        &[
            "1 multipart/mixed 6 multipart",
            "1.1 text/plain 0 \"one\"",
            "1.2 text/plain 0 \"two\"",
            "2 text/plain 0 \"three\"",
        ],
    );
}

#[test]
fn an_outer_boundary_may_be_the_longer() {
    let (message, outline) = check(
        "boundary-outer-longer",
        &[
            "1 multipart/mixed 2 multipart",
            "1.1 text/plain 0 \"one\"",
            "2 text/plain 0 \"two\"",
            "3 multipart/mixed 0 multipart",
        ],
    );
    // After its closing delimiter a boundary means nothing.
    assert!(text(&message, outline.root()).ends_with("--outer-and-longer\r\nnot a part\r\n"));
}

#[test]
fn of_equal_boundaries_the_inner_is_meant() {
    check("boundary-same", &["1 multipart/mixed 3 multipart", "1.1 text/plain 0 \"one\"", "2 text/plain 0 \"two\""]);
}

#[test]
fn a_multipart_without_boundary_is_text() {
    let (_, outline) = check("boundary-none", &["1 multipart/mixed 4 \"--b\\r\\n\\r\\none\\r\\n--b--\\r\\n\""]);
    assert_eq!(outline.root().shown_media(), (&b"text"[..], &b"plain"[..]));
}

#[test]
fn a_multipart_whose_boundary_never_comes_has_no_parts() {
    let (message, outline) = check("boundary-never-seen", &[]);
    assert_eq!(outline.root().content, Content::Multipart);
    assert_eq!(text(&message, outline.root()), "just\r\ntext\r\n");
    assert_eq!(outline.root().lines, 2);
}

#[test]
fn delimiters_may_have_blanks_behind_and_be_long() {
    check("boundary-blanks", &["1 text/plain 0 \"one\"", "2 text/plain 2 \"-- not a delimiter\\r\\n--\\r\\ntwo\""]);
}

#[test]
fn a_delimiter_ends_a_header() {
    let (message, outline) =
        check("boundary-in-header", &["1 text/plain 0 \"\"", "2 text/html 0 \"<p>\"", "3 text/plain 0 \"\""]);
    assert_eq!(header(&message, outline.section(&[1]).unwrap()), "Content-Type: text/plain");
    assert_eq!(header(&message, outline.section(&[3]).unwrap()), "");
}

#[test]
fn octets_beyond_ascii_stay_as_they_are() {
    let message = corpus::read("eight-bit-header");
    let outline = parse(&message, Limits::default());
    let envelope = outline.envelope();
    assert_eq!(envelope.subject.as_deref(), Some(&b"Gr\xc3\xbc\xc3\x9fe \0 und mehr"[..]));
    assert_eq!(envelope.from[0].name.as_deref(), Some(&b"J\xc3\xb6rg M\xfcller"[..]));
    assert_eq!(envelope.to[0].name.as_deref(), Some("世界".as_bytes()));
    assert_eq!(outline.root().body_size(), 7);
}

#[test]
fn extended_parameters_are_joined_for_people_and_kept_as_sent() {
    let (_, outline) =
        check("extended-parameters", &["1 text/plain 0 \"one\"", "2 application/octet-stream 0 \"two\""]);
    assert_eq!(outline.section(&[1]).unwrap().file_name().as_deref(), Some("Grü%DFe.txt"));
    let second = outline.section(&[2]).unwrap();
    assert_eq!(second.file_name().as_deref(), Some("price €.bin"));
    assert_eq!(mime::decoded_parameter(&second.media.parameters, b"name").as_deref(), Some("Grüße"));
    let raw = &second.disposition.as_ref().unwrap().parameters[0];
    assert_eq!((&*raw.name, &*raw.value), (&b"filename*1*"[..], &b"%E2%82%AC.bin"[..]));
}

#[test]
fn groups_and_routes_are_marked() {
    let (_, outline) = check("groups", &["1 text/plain 1 \"x\\r\\n\""]);
    let envelope = outline.envelope();
    let shown: Vec<_> = envelope.to.iter().map(|address| address.addr_spec().to_string()).collect();
    assert_eq!(
        shown,
        ["", "ann@example.test", "bo@example.test", "", "cy@example.test", "again@example.test"],
        "repeated fields are joined"
    );
    assert!(envelope.to[0].is_group_start() && envelope.to[3].is_group_end());
    assert_eq!(envelope.to[0].mailbox.as_deref(), Some(&b"Friends"[..]));
    assert_eq!(envelope.cc.len(), 2);
    assert_eq!(envelope.bcc[0].host.as_deref(), Some(&b""[..]));
    assert_eq!(envelope.sender[0].route.as_deref(), Some(&b"@hop.test,@hop2.test"[..]));
    assert_eq!(envelope.from.len(), 2);
    assert_eq!(envelope.effective_reply_to(), envelope.from);
}

#[test]
fn header_or_body_may_be_missing() {
    let (message, outline) = check("no-header", &["1 text/plain 2 \"Only a body,\\r\\nof two lines.\\r\\n\""]);
    assert_eq!(header(&message, outline.root()), "\r\n");
    let (message, outline) = check("only-header", &["1 multipart/mixed 0 \"\""]);
    assert_eq!(outline.root().header, 0..message.len() as u64);
    assert_eq!(outline.envelope().subject.as_deref(), Some(&b"no empty line"[..]));
    check("no-body", &["1 text/html 0 \"\""]);
    check("empty", &["1 text/plain 0 \"\""]);
}

#[test]
fn bare_line_feeds_end_lines() {
    let (_, outline) = check(
        "bare-lf",
        &["1 text/plain 2 \"one\\ntwo\\n\"", "2 message/rfc822 2 message \"inner\"", "2.1 text/plain 0 \"inner body\""],
    );
    assert_eq!(outline.envelope().subject.as_deref(), Some(&b"folded\tonce"[..]));
}

#[test]
fn header_lines_that_are_no_fields_are_passed_over() {
    let (_, outline) = check("colonless-header", &["1 text/html 1 \"body\\r\\n\""]);
    assert_eq!(outline.envelope().subject.as_deref(), Some(&b"spaced"[..]));
    assert_eq!(outline.from_fields, 1);
}

#[test]
fn a_cut_message_gives_what_there_is() {
    check("cut", &["1 text/plain 0 \"one\"", "2 message/rfc822 1 message \"inner\"", "2.1 text/plain 0 \"\""]);
}

#[test]
fn damaged_fields_mean_their_defaults() {
    let (_, outline) = check("damaged-fields", &["1 text/plain 1 \"SGk=\\r\\n\""]);
    let root = outline.root();
    assert_eq!(root.encoding, Encoding::Base64);
    assert_eq!(root.encoding_sent.as_deref(), Some(&b"BASE64"[..]));
    assert_eq!(root.disposition, None);
    assert_eq!(outline.envelope().subject.as_deref(), Some(&b"first"[..]));
    assert_eq!(outline.from_fields, 2);
    assert_eq!(outline.envelope().from.len(), 2);
    assert_eq!(outline.envelope().message_id.as_deref(), Some(&b""[..]));
}
