//! How fast messages are read, beside another parser in the same run: `cargo bench -p mime`.
#![allow(clippy::print_stdout)]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use mime::{Limits, Outline, Parser};

const HEADER: &str = "Received: from a.example.test (a.example.test [192.0.2.1]) by b.example.test with ESMTPS id 4\r\n\
    \tfor <bo@example.test>; Mon, 23 Nov 2026 12:35:06 +0000\r\n\
    DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=s1; h=from:to:subject:date;\r\n\
    \tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=abcdefghijklmnopqrstuvwxyz0123456789abcdefgh\r\n\
    From: \"Ann Lee\" <ann.lee@example.test>\r\nTo: Bo <bo@example.test>, cy@example.test\r\n\
    Subject: =?utf-8?Q?Pl=C3=A4ne?= for Thursday\r\nDate: Mon, 23 Nov 2026 12:35:04 +0000\r\n\
    Message-ID: <20261123123504.1234567890@mail.example.test>\r\nMIME-Version: 1.0\r\n";

/// A text and an attachment, about `size` octets in all.
fn with_attachment(size: usize) -> Vec<u8> {
    let mut message = format!(
        "{HEADER}Content-Type: multipart/mixed; boundary=\"=_0123456789abcdef\"\r\n\r\n--=_0123456789abcdef\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         See the plan.\r\n--=_0123456789abcdef\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"plan.pdf\"\r\n\r\n"
    );
    let mut line = 0u32;
    while message.len() < size {
        line = line.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let _ = write!(message, "{:076}\r\n", u64::from(line) * 7_919);
    }
    message.push_str("--=_0123456789abcdef--\r\n");
    message.into_bytes()
}

fn text(size: usize) -> Vec<u8> {
    let mut message = format!("{HEADER}\r\n");
    while message.len() < size {
        message.push_str("Shall we say noon on Thursday, or rather a little later in the day?\r\n");
    }
    message.into_bytes()
}

fn parse(message: &[u8], chunk: usize) -> Outline {
    let mut parser = Parser::new(Limits::default());
    message.chunks(chunk).for_each(|chunk| parser.push(chunk));
    parser.finish()
}

/// The fastest of many runs, for what chance adds is never less than nothing.
fn fastest<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    let end = Instant::now() + Duration::from_millis(400);
    while Instant::now() < end {
        let start = Instant::now();
        black_box(work());
        best = best.min(start.elapsed());
    }
    best
}

fn main() {
    println!("{:<26} {:>10} {:>10} {:>8} {:>14}", "message", "octets", "ns", "GB/s", "oracle's ratio");
    let messages = [
        ("text, 4 KB", text(4 << 10)),
        ("attachment, 4 KB", with_attachment(4 << 10)),
        ("attachment, 32 KB", with_attachment(32 << 10)),
        ("attachment, 1 MB", with_attachment(1 << 20)),
        ("attachment, 16 MB", with_attachment(16 << 20)),
    ];
    for (name, message) in &messages {
        let ours = fastest(|| parse(message, 64 << 10));
        let theirs = fastest(|| mail_parser::MessageParser::default().parse(message).map(|parsed| parsed.parts.len()));
        let speed = message.len() as f64 / ours.as_nanos() as f64;
        let ratio = theirs.as_nanos() as f64 / ours.as_nanos() as f64;
        println!("{name:<26} {:>10} {:>10} {speed:>8.2} {ratio:>14.1}", message.len(), ours.as_nanos());
    }
    for (name, message) in messages.iter().take(3) {
        let outline = parse(message, usize::MAX);
        let stored = outline.encode();
        let (encode, decode) = (fastest(|| outline.encode()), fastest(|| Outline::decode(&stored)));
        println!(
            "{name}: stored in {} octets, {} ns, read in {} ns",
            stored.len(),
            encode.as_nanos(),
            decode.as_nanos()
        );
    }
}
