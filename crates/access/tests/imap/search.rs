use store::Error;

use crate::client::{Client, World};

const FIRST: &str = "From: Ann Lee <ann@example.test>\r\nTo: bob@example.test\r\nCc: carol@example.test\r\n\
    Subject: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <one@x>\r\n\
    X-Empty:\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Caf=E9 and a soft=\r\nbreak\r\n";
const SECOND: &str = "From: \"Bob\" <bob@example.test>\r\nSubject: Re: plain\r\nDate: 1 Mar 1995 00:30:00 +0100\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\nhidden preamble\r\n--b\r\nContent-Type: text/plain\r\n\
    Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n--b\r\n\
    Content-Type: application/octet-stream; name=needle.bin\r\n\r\nbinary-needle\r\n--b\r\n\
    Content-Type: message/rfc822\r\n\r\nSubject: inner subject\r\n\r\ninner body\r\n--b--\r\n";

fn reader(world: &World) -> Client {
    let mut ann = world.client();
    ann.append_with("INBOX (\\Seen work) \"07-Feb-1994 23:59:59 +0000\"", FIRST);
    ann.append_with("INBOX (\\Answered \\Flagged) \"08-Feb-1994 00:00:00 +0000\"", SECOND);
    ann.append_with("INBOX (\\Deleted \\Draft) \"09-Feb-1994 00:00:00 +0000\"", "\r\nno header at all");
    ann.run("SELECT INBOX");
    ann
}

#[track_caller]
fn finds(ann: &mut Client, keys: &str, numbers: &str) {
    let expected = format!("* SEARCH {numbers}");
    ann.expect(&format!("SEARCH {keys}"), &[expected.trim_end(), ". OK SEARCH completed."]);
}

#[test]
fn every_key_that_a_row_answers() {
    let world = World::new();
    let mut ann = reader(&world);
    for (keys, numbers) in [
        ("ALL", "1 2 3"),
        ("SEEN", "1"),
        ("UNSEEN", "2 3"),
        ("ANSWERED", "2"),
        ("UNANSWERED", "1 3"),
        ("FLAGGED", "2"),
        ("UNFLAGGED", "1 3"),
        ("DELETED", "3"),
        ("UNDELETED", "1 2"),
        ("DRAFT", "3"),
        ("UNDRAFT", "1 2"),
        ("KEYWORD WORK", "1"),
        ("UNKEYWORD work", "2 3"),
        ("KEYWORD none", ""),
        ("RECENT", "1 2 3"),
        ("NEW", "2 3"),
        ("OLD", ""),
        ("2:*", "2 3"),
        ("9", ""),
        ("UID 1,3:9", "1 3"),
        ("LARGER 18", "1 2"),
        ("SMALLER 19", "3"),
        ("SMALLER 18", ""),
        ("BEFORE 8-Feb-1994", "1"),
        ("ON 8-Feb-1994", "2"),
        ("SINCE 8-Feb-1994", "2 3"),
        ("NOT SEEN", "2 3"),
        ("OR SEEN FLAGGED", "1 2"),
        ("(UNSEEN UNDELETED)", "2"),
        ("NOT (OR SEEN DELETED)", "2"),
    ] {
        finds(&mut ann, keys, numbers);
    }
}

#[test]
fn every_key_that_the_header_answers() {
    let world = World::new();
    let mut ann = reader(&world);
    for (keys, numbers) in [
        ("FROM \"ann lee\"", "1"),
        ("FROM BOB@EXAMPLE", "2"),
        ("TO bob", "1"),
        ("CC carol", "1"),
        ("BCC carol", ""),
        ("CHARSET UTF-8 SUBJECT größe", "1"),
        ("CHARSET UTF-8 SUBJECT GRÖSSE", "1"),
        ("SUBJECT plain", "2"),
        ("SENTON 7-Feb-1994", "1"),
        ("SENTON 1-Mar-1995", "2"),
        ("SENTBEFORE 1-Mar-1995", "1"),
        ("SENTSINCE 8-Feb-1994", "2"),
        ("HEADER Message-Id one@x", "1"),
        ("HEADER X-EMPTY \"\"", "1"),
        ("HEADER Content-Type multipart", "2"),
        ("HEADER Content-Type iso-8859", "1"),
        ("NOT FROM ann", "2 3"),
    ] {
        finds(&mut ann, keys, numbers);
    }
}

#[test]
fn bodies_are_searched_decoded_and_in_their_charset() {
    let world = World::new();
    let mut ann = reader(&world);
    for (keys, numbers) in [
        ("CHARSET UTF-8 BODY CAFÉ", "1"),
        ("BODY softbreak", "1"),
        ("BODY \"hello world\"", "2"),
        ("BODY aGVsbG8", ""),
        ("BODY \"inner body\"", "2"),
        ("BODY \"inner subject\"", "2"),
        ("BODY binary-needle", ""),
        ("BODY Re:", ""),
        ("TEXT \"re: plain\"", "2"),
        ("TEXT hello", "2"),
        ("TEXT header", "3"),
        ("BODY \"\"", "1 2 3"),
        ("OR BODY hello BODY softbreak", "1 2"),
        ("NOT BODY hello", "1 3"),
        ("SEEN BODY hello", ""),
        ("BODY hello BODY world TEXT Bob", "2"),
    ] {
        finds(&mut ann, keys, numbers);
    }
}

#[test]
fn a_match_is_found_across_the_chunks_of_a_long_body() {
    let world = World::new();
    for at in [64 * 1024 - 5, 64 * 1024, 16 * 1024 - 3, 200_000] {
        let header = "Subject: long\r\n\r\n";
        let mut message = header.to_owned() + &"x".repeat(at - header.len()) + "needle" + &"y".repeat(70_000);
        message.push_str("\r\n");
        world.client().append("INBOX", &message);
    }
    let mut ann = world.reader(&["other"]);
    finds(&mut ann, "BODY NEEDLE", "1 2 3 4");
    finds(&mut ann, "BODY needlez", "");
}

#[test]
fn uid_search_answers_uids_and_modseq_its_greatest() {
    let world = World::new();
    let mut ann = reader(&world);
    ann.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
    ann.run("EXPUNGE");
    ann.expect("UID SEARCH UNSEEN", &["* SEARCH 2", ". OK UID SEARCH completed."]);
    ann.append("INBOX", "x");
    ann.expect(
        "SEARCH MODSEQ 4",
        &["* OK [HIGHESTMODSEQ 7] The greatest mod-sequence.", "* SEARCH 2 (MODSEQ 7)", ". OK SEARCH completed."],
    );
    ann.expect("SEARCH MODSEQ 99", &["* SEARCH", ". OK SEARCH completed."]);
}

#[test]
fn many_messages_are_decided_in_batches_and_in_order() {
    let world = World::new();
    let mut client = world.client();
    for n in 0..400 {
        client.append("INBOX", &format!("Subject: number {n}\r\n\r\nbody {}", n % 2));
    }
    let mut ann = world.reader(&[]);
    let odd: Vec<String> = (1..=400).filter(|n| n % 2 == 0).map(|n| n.to_string()).collect();
    finds(&mut ann, "BODY \"body 1\"", &odd.join(" "));
    finds(&mut ann, "OR 1:10 SUBJECT \"number 399\"", "1 2 3 4 5 6 7 8 9 10 400");
}

#[test]
fn a_store_that_fails_makes_no_wrong_answer() {
    let world = World::new();
    let mut ann = reader(&world);
    let unavailable = Error::Unavailable("x".to_owned());
    for failure in [&world.failing.outlines, &world.failing.octets] {
        *failure.lock().unwrap() = Some(unavailable.clone());
        for keys in ["NOT TEXT boss", "BODY hello", "NOT HEADER X-Empty \"\""] {
            let told = ". NO [UNAVAILABLE] The store is unavailable; try again later.";
            ann.expect(&format!("SEARCH {keys}"), &[told]);
        }
        *failure.lock().unwrap() = None;
    }
}

#[test]
fn in_a_message_that_cannot_be_read_neither_a_text_nor_its_absence_is_found() {
    let world = World::new();
    let mut ann = reader(&world);
    *world.failing.octets.lock().unwrap() = Some(Error::Corrupt("x".to_owned()));
    finds(&mut ann, "BODY hello", "");
    finds(&mut ann, "NOT BODY hello", "");
    finds(&mut ann, "OR NOT BODY hello SEEN", "1");
    finds(&mut ann, "NOT FROM ann", "2 3");
}

#[test]
fn a_field_is_found_across_the_chunks_of_a_long_header() {
    let world = World::new();
    for at in [64 * 1024 - 5, 64 * 1024, 64 * 1024 + 5, 200_000] {
        let long = format!("A: {}\r\nX-Late: nee\r\n dle\r\nB: c\r\n\r\nbody\r\n", "x".repeat(at - 17));
        world.client().append("INBOX", &long);
    }
    let mut ann = world.reader(&["X-Late: other\r\n\r\nneedle"]);
    finds(&mut ann, "HEADER x-late NEE", "1 2 3 4");
    finds(&mut ann, "TEXT \"nee dle\"", "1 2 3 4");
    finds(&mut ann, "TEXT \"x-late: nee\"", "1 2 3 4");
    finds(&mut ann, "HEADER x-late \"\"", "1 2 3 4 5");
}
