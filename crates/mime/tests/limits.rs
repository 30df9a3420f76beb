//! Each limit at its value and one past it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use mime::{Content, Limits, Outline, verify};

fn outline(message: &str, limits: Limits) -> Outline {
    verify(message.as_bytes(), 11, limits).unwrap()
}

/// Multiparts within multiparts, `levels` of them, and a text in the last.
fn nested(levels: usize) -> String {
    let mut message = String::new();
    for level in 0..levels {
        message.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}.\r\n\r\n--b{level}.\r\n"));
    }
    message.push_str("\r\ntext\r\n");
    (0..levels).rev().for_each(|level| message.push_str(&format!("--b{level}.--\r\n")));
    message
}

#[test]
fn depth() {
    let message = nested(5);
    let limits = |depth| Limits { depth, ..Limits::default() };
    let whole = outline(&message, limits(5));
    assert_eq!((whole.parts.len(), whole.clipped), (6, false));
    let cut = outline(&message, limits(4));
    assert_eq!((cut.parts.len(), cut.clipped), (5, true));
    assert_eq!(cut.parts[4].content, Content::Leaf);
    assert_eq!(cut.parts[4].shown_media(), (&b"text"[..], &b"plain"[..]));
    // What is not opened still ends where the multipart around it says.
    assert_eq!(cut.parts[4].body, whole.parts[4].body);
    assert_eq!(outline(&message, limits(0)).parts.len(), 1);
}

#[test]
fn depth_of_messages() {
    let message = "Content-Type: message/rfc822\r\n\r\n".repeat(5);
    let limits = |depth| Limits { depth, ..Limits::default() };
    assert!(!outline(&message, limits(5)).clipped);
    let cut = outline(&message, limits(4));
    assert_eq!((cut.parts.len(), cut.clipped), (5, true));
}

#[test]
fn parts() {
    let message = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\nepilogue",
        "--b\r\n\r\ntext\r\n".repeat(4)
    );
    let limits = |parts| Limits { parts, ..Limits::default() };
    let whole = outline(&message, limits(5));
    assert_eq!((whole.parts.len(), whole.clipped), (5, false));
    assert_eq!(whole.parts[4].body_size(), 4);
    let cut = outline(&message, limits(4));
    assert_eq!((cut.parts.len(), cut.clipped), (4, true));
    // The parts before are as they were; the last goes on to the end.
    assert_eq!(cut.parts[2], whole.parts[2]);
    assert_eq!(cut.parts[3].header, whole.parts[3].header);
    assert_eq!(cut.parts[3].body.end, cut.size);
    // There is always a root.
    assert_eq!(outline(&message, limits(0)).parts.len(), 1);
}

#[test]
fn parts_that_are_messages() {
    let message = "Content-Type: message/rfc822\r\n\r\n".repeat(3);
    let limits = |parts| Limits { parts, ..Limits::default() };
    assert!(!outline(&message, limits(4)).clipped);
    let cut = outline(&message, limits(3));
    assert_eq!((cut.parts.len(), cut.clipped), (3, true));
    assert_eq!(cut.parts[2].content, Content::Leaf);
}

#[test]
fn header_bytes() {
    let message = "To: aaa@x\r\nCc: bbb@x,\r\n ccc@x\r\nX-Other: not counted\r\nSubject: s\r\n\r\nbody";
    let limits = |header_bytes| Limits { header_bytes, ..Limits::default() };
    // Values as sent, from the colon to the line end: 8, 17 and 4 octets.
    let whole = outline(message, limits(29));
    assert_eq!((whole.envelope().cc.len(), whole.clipped), (2, false));
    assert!(whole.envelope().subject.is_some());
    let cut = outline(message, limits(28));
    assert_eq!((cut.envelope().subject.clone(), cut.clipped), (None, true));
    // A field that does not fit leaves its room to those after it.
    let skipped = outline(message, limits(24));
    assert_eq!((skipped.envelope().to.len(), skipped.envelope().cc.len()), (1, 0));
    assert_eq!(skipped.envelope().subject.as_deref(), Some(&b"s"[..]));
    let none = outline(message, limits(0));
    assert_eq!(none.parts[0].range(), whole.parts[0].range());
    assert_eq!(none.envelope(), &mime::Envelope::default());
}

#[test]
fn header_bytes_are_counted_over_all_parts() {
    let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-ID: 1\r\n\
        Subject: means nothing here\r\n\r\n--b\r\n\
        Content-ID: 2\r\n\r\n--b--\r\n";
    let value = " multipart/mixed; boundary=b\r\n".len() as u64;
    let limits = |header_bytes| Limits { header_bytes, ..Limits::default() };
    assert!(!outline(message, limits(value + 8)).clipped);
    let cut = outline(message, limits(value + 7));
    assert!(cut.parts[1].id.is_some() && cut.parts[2].id.is_none() && cut.clipped);
}

#[test]
fn addresses() {
    let message = "From: a@x\r\nTo: b@x, c@x\r\nCc: d@x\r\n\r\n";
    let limits = |addresses| Limits { addresses, ..Limits::default() };
    assert!(!outline(message, limits(4)).clipped);
    let cut = outline(message, limits(3));
    assert_eq!((cut.envelope().to.len(), cut.envelope().cc.len(), cut.clipped), (2, 0, true));
    assert_eq!(cut.from_fields, 1);
}

#[test]
fn parameters() {
    let message = "Content-Type: text/plain; a=1; b=2\r\nContent-Disposition: inline; c=3\r\n\
        Content-Language: en\r\n\r\n";
    let limits = |parameters| Limits { parameters, ..Limits::default() };
    assert!(!outline(message, limits(4)).clipped);
    let cut = outline(message, limits(3));
    assert!(cut.clipped && cut.root().language.is_empty());
    let cut = outline(message, limits(2));
    assert!(cut.root().disposition.as_ref().unwrap().parameters.is_empty());
}

#[test]
fn boundary_bytes() {
    let message = "Content-Type: multipart/mixed; boundary=12345678\r\n\r\n--12345678\r\n\r\ntext\r\n--12345678--\r\n";
    let limits = |boundary_bytes| Limits { boundary_bytes, ..Limits::default() };
    let whole = outline(message, limits(8));
    assert_eq!((whole.parts.len(), whole.clipped), (2, false));
    let cut = outline(message, limits(7));
    assert_eq!((cut.parts.len(), cut.clipped), (1, true));
}
