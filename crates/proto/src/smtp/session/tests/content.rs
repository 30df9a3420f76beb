//! Messages by DATA and BDAT: where they end, and what is refused of them.

use super::*;

#[test]
fn no_other_end_of_data_is_seen_at_any_split_point() {
    let ends: [&str; 16] = [
        "\n.\n",
        "\r.\r",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r\n",
        "\r\n.\r",
        "\n.\r",
        "\r.\n",
        "\r\r\n.\r",
        "\n\n.\r\n",
        "\r\n\n.\r\n",
        "\r\n.\r\r\n",
        "\r\r.\r\n",
        "\r\n\r.\r\n",
        "\n\r.\r\n",
        "\r\n.\n\r\n",
    ];
    for end in ends {
        let wire = format!("{ENVELOPE}DATA\r\ntext{end}MAIL FROM:<evil@elsewhere.test>\r\n.\r\nNOOP\r\n");
        for cut in 0..=wire.len() {
            let mut driver = Driver::greeted();
            let replies = driver.talk_in(&[&wire.as_bytes()[..cut], &wire.as_bytes()[cut..]]);
            assert!(
                replies.ends_with(
                    "354 Start mail input; end with <CRLF>.<CRLF>\r\n\
                     550 5.6.11 Message contains a bare CR or LF; every line must end in CRLF\r\n250 2.0.0 OK\r\n"
                ),
                "{end:?} at {cut}: {replies}"
            );
            assert_eq!(driver.taken, ["550"], "{end:?} at {cut}");
        }
    }
}

#[test]
fn nul_and_eight_bit_octets_do_not_end_data() {
    for end in ["\r\n.\0\r\n", "\r\n\0.\r\n", "\r\n. \r\n", "\r\n.\u{85}\r\n", "\r\n\u{2028}.\r\n"] {
        let mut driver = Driver::greeted();
        let replies = driver.codes(&format!("{ENVELOPE}DATA\r\ntext{end}QUIT\r\n.\r\n"));
        match end.contains('\0') {
            true => assert_eq!(replies.last().unwrap(), "550 5.6.0", "{end:?}"),
            false => assert!(driver.taken[0].ends_with("QUIT\r\n"), "{end:?}"),
        }
        assert!(!driver.session.is_closed());
    }
}

#[test]
fn a_message_with_nul_is_refused_also_in_chunks() {
    let mut driver = Driver::greeted();
    let codes = driver.codes(&format!("{ENVELOPE}BDAT 4\r\na\0\r\nBDAT 3 LAST\r\nb\r\n{ENVELOPE}BDAT 3 LAST\r\nc\r\n"));
    assert_eq!(codes, ["250 2.1.0", "250 2.1.5", "550 5.6.0", "503 5.5.1", "250 2.1.0", "250 2.1.5", "250 2.6.0"]);
    assert_eq!(driver.taken, ["550", "c\r\n"]);
}

#[test]
fn a_bare_end_of_line_in_chunks_is_refused_also_across_them() {
    for (first, second) in [("a\n", "b\r\n"), ("a\r", "b\r\n"), ("a\r\n", "\n"), ("ab", "c\r"), ("a\r", "\r\n")] {
        let wire = format!("{ENVELOPE}BDAT {}\r\n{first}BDAT {} LAST\r\n{second}NOOP\r\n", first.len(), second.len());
        for cut in 0..=wire.len() {
            let mut driver = Driver::greeted();
            let replies = driver.talk_in(&[&wire.as_bytes()[..cut], &wire.as_bytes()[cut..]]);
            assert!(
                replies.contains("550 5.6.11 ") && replies.ends_with("250 2.0.0 OK\r\n"),
                "{wire:?} at {cut}: {replies}"
            );
            assert_eq!(driver.taken, ["550"], "{wire:?} at {cut}");
        }
    }
    let mut driver = Driver::greeted();
    driver.talk(&format!("{ENVELOPE}BDAT 2\r\na\rBDAT 3 LAST\r\n\nb!"));
    assert_eq!(driver.taken, ["a\r\nb!"]);
}

#[test]
fn octets_of_a_refused_chunk_are_never_commands() {
    let evil = "RSET\r\nQUIT\r\n";
    let chunk = format!("BDAT {}\r\n{evil}", evil.len());
    // Out of order, without recipients, after a refused sender, too large, refused by the store.
    let mut small = Driver::with(Limits { message_octets: 5, ..Limits::default() }, Channel::Clear, clear());
    small.talk("EHLO c\r\n");
    assert_eq!(small.codes(&format!("{ENVELOPE}{chunk}NOOP\r\n"))[2..], ["552 5.3.4", "250 2.0.0"]);
    assert_eq!(small.taken, ["552"]);
    assert_eq!(Driver::new().codes(&format!("{chunk}NOOP\r\n")), ["503 5.5.1", "250 2.0.0"]);
    let nobody = "MAIL FROM:<a@b>\r\nRCPT TO:<nobody@b>\r\n";
    assert_eq!(Driver::greeted().codes(&format!("{nobody}{chunk}NOOP\r\n"))[2..], ["554 5.5.1", "250 2.0.0"]);
    let refused = "MAIL FROM:<bad@example.test>\r\n";
    assert_eq!(Driver::greeted().codes(&format!("{refused}{chunk}NOOP\r\n"))[1..], ["503 5.5.1", "250 2.0.0"]);
    let mut unable = Driver::greeted();
    unable.refuse_begin = true;
    assert_eq!(
        unable.codes(&format!("{ENVELOPE}{chunk}{chunk}NOOP\r\n"))[2..],
        ["451 4.3.0", "503 5.5.1", "250 2.0.0"]
    );
    let mut unable = Driver::greeted();
    unable.refuse_body = true;
    assert_eq!(
        unable.codes(&format!("{ENVELOPE}{chunk}{chunk}NOOP\r\n"))[2..],
        ["451 4.3.0", "503 5.5.1", "250 2.0.0"]
    );
    // Where its end is unknown, nothing behind it runs.
    for unknown in ["BDAT x\r\n", "BDAT 10\n", "BDAT 1\r0\r\n"] {
        let mut driver = Driver::greeted();
        let replies = driver.talk(&format!("{ENVELOPE}{unknown}{evil}"));
        assert!(driver.session.is_closed() && !replies.contains("221 "), "{unknown:?}: {replies}");
    }
    let mut driver = Driver::greeted();
    driver.talk(&format!("{ENVELOPE}BDAT {}\r\n{evil}", "0".repeat(600)));
    assert!(driver.session.is_closed());
}

#[test]
fn a_refused_chunk_is_not_read_over_without_end() {
    let mut driver = Driver::greeted();
    driver.talk("BDAT 18446744073709551615\r\n");
    let octets = vec![b'x'; 1 << 20];
    let mut read = 0;
    while driver.session.wants_input() {
        read += driver.session.input(driver.now, &octets).0 as u64;
    }
    assert!(driver.session.is_closed());
    assert_eq!(read, Limits::REFUSED_OCTETS + (1 << 20));
}

#[test]
fn after_data_among_chunks_the_message_is_void() {
    let mut driver = Driver::greeted();
    assert_eq!(
        driver.codes(&format!("{ENVELOPE}BDAT 1\r\naDATA\r\nBDAT 1 LAST\r\nb"))[2..],
        ["250 2.0.0", "503 5.5.1", "503 5.5.1"]
    );
    assert_eq!(driver.taken, ["503"]);
    assert_eq!(driver.codes(&format!("RSET\r\n{ENVELOPE}BDAT 1 LAST\r\nc")).last().unwrap(), "250 2.6.0");
    assert_eq!(driver.taken, ["503", "c"]);
}

#[test]
fn an_empty_message_is_one() {
    let mut driver = Driver::greeted();
    driver.talk(&format!("{ENVELOPE}DATA\r\n.\r\n{ENVELOPE}BDAT 0 LAST\r\n{ENVELOPE}BDAT 0\r\nBDAT 0 LAST\r\n"));
    assert_eq!(driver.taken, ["", "", ""]);
}

#[test]
fn a_message_may_have_the_limits_octets_and_not_one_more() {
    for (size, code) in [(100, "250 2.6.0"), (101, "552 5.3.4")] {
        let text = "x".repeat(size - 2);
        let mut driver = Driver::with(Limits { message_octets: 100, ..Limits::default() }, Channel::Clear, clear());
        driver.talk("EHLO c\r\n");
        assert_eq!(driver.codes(&format!("{ENVELOPE}DATA\r\n{text}\r\n.\r\n"))[3], code);
        assert_eq!(
            driver.codes(&format!(
                "{ENVELOPE}BDAT 50\r\n{}BDAT {} LAST\r\n{}\r\n",
                &text[..50],
                size - 50,
                &text[50..]
            ))[3],
            code
        );
        // Dots that were doubled do not count.
        let dots = format!(".{}", &text);
        assert_eq!(driver.codes(&format!("{ENVELOPE}DATA\r\n.{}\r\n.\r\n", &dots[1..]))[3], code);
    }
}
