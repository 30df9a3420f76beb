//! Input that makes careless parsers slow: each of these would run for minutes were any step quadratic, recurse until
//! the stack ends, or hold far more than its limits.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use mime::{Limits, Outline, verify};

const MANY: usize = 1_000_000;

#[track_caller]
fn read(message: &str) -> Outline {
    verify(message.as_bytes(), 4096, Limits::default()).unwrap()
}

#[test]
fn a_hundred_thousand_address_headers() {
    let outline = read(&"To: Ann <ann@example.test>\r\n".repeat(100_000));
    assert_eq!(outline.envelope().to.len(), Limits::default().addresses as usize);
    assert!(outline.clipped);
}

#[test]
fn a_megabyte_of_parameters() {
    for piece in [";a=b", ";", ";a*0=b;a*1*=c", ";a=\"", ";a", "=", ";a=(", "; =", " a = b"] {
        let outline = read(&format!("Content-Type: text/plain{}\r\n\r\n", piece.repeat(MANY / piece.len())));
        assert!(outline.root().media.parameters.len() <= Limits::default().parameters as usize);
        assert!(outline.root().file_name().is_none());
    }
}

#[test]
fn many_continuations_are_joined() {
    let pieces: String = (0..50_000).rev().map(|number| format!(";name*{number}=x")).collect();
    let outline = read(&format!("Content-Type: text/plain{pieces}\r\n\r\n"));
    assert_eq!(outline.root().file_name().map(|name| name.len()), Some(50_000));
}

#[test]
fn ten_thousand_nested_parts() {
    let message: String = (0..10_000)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}.\r\n\r\n--b{level}.\r\n"))
        .collect();
    let outline = read(&message);
    assert_eq!(outline.parts.len(), 101);
    assert!(outline.clipped);
}

#[test]
fn ten_thousand_nested_messages() {
    let outline = read(&"Content-Type: message/rfc822\r\n\r\n".repeat(10_000));
    assert_eq!(outline.parts.len(), 101);
}

#[test]
fn a_hundred_thousand_parts() {
    let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\n\r\n".repeat(100_000));
    let outline = read(&message);
    assert_eq!(outline.parts.len(), Limits::default().parts as usize);
    assert!(outline.clipped);
}

#[test]
fn a_million_parentheses() {
    for field in ["To", "Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "Content-Language"] {
        for piece in ["(", ")", "()", "(\\"] {
            read(&format!("{field}: {}\r\n\r\n", piece.repeat(MANY / piece.len())));
        }
    }
}

#[test]
fn a_header_of_many_small_things() {
    for piece in ["a\r\n", "a:\r\n", " \r\n", ":\r\n", "Subject: x\r\n y\r\n", "\r", "Received: x\r\n", "--\r\n"] {
        let outline = read(&piece.repeat(MANY / piece.len()));
        assert_eq!(outline.parts.len(), 1);
    }
    let folded = format!("Subject: {}\r\n\r\n", "x\r\n ".repeat(200_000));
    assert_eq!(read(&folded).envelope().subject.as_ref().map(Vec::len), Some(399_999));
}

#[test]
fn a_header_far_beyond_its_limit_is_not_held() {
    let outline = read(&format!("Subject: {}\r\nTo: a@x\r\n\r\nbody", "x".repeat(8 * MANY)));
    assert_eq!((outline.envelope().subject.as_deref(), outline.envelope().to.len()), (None, 1));
    assert!(outline.clipped);
    assert_eq!(outline.root().body_size(), 4);
}

#[test]
fn lines_that_are_almost_delimiters() {
    // A hundred boundaries are open, all alike but for their ends.
    let alike = "x".repeat(240);
    let mut message: String = (0..100)
        .map(|level| format!("Content-Type: multipart/mixed; boundary={alike}{level}\r\n\r\n--{alike}{level}\r\n"))
        .collect();
    message.push_str("\r\n");
    for line in ["--".to_owned(), "--x".to_owned(), format!("--{alike}"), "-".to_owned()] {
        message.push_str(&format!("{line}\r\n").repeat(500_000 / line.len()));
    }
    assert_eq!(read(&message).parts.len(), 101);
}
