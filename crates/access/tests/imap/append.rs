use crate::client::World;

#[test]
fn append_answers_with_the_new_uid_and_tells_the_selected_folder() {
    let world = World::new();
    let mut ann = world.client();
    ann.run("SELECT INBOX");
    let answer = ann.append("INBOX", "Subject: x\r\n\r\ny");
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines[..2], ["* 1 EXISTS", "* 1 RECENT"]);
    assert!(lines[2].starts_with(". OK [APPENDUID ") && lines[2].ends_with(" 1] APPEND completed."), "{answer}");
    ann.expect(
        "FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)",
        &[
            "* 1 FETCH (FLAGS (\\Recent) INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\" RFC822.SIZE 15)",
            ". OK FETCH completed.",
        ],
    );
}

#[test]
fn a_target_that_is_not_there_is_refused_before_the_message_is_invited() {
    let world = World::new();
    let mut ann = world.client();
    let refused = ann.append("nowhere", "x");
    assert_eq!(refused, ". NO [TRYCREATE] The mailbox does not exist; CREATE it first.\r\n");
}

#[test]
fn a_message_over_the_quota_is_refused_before_it_is_invited() {
    let world = World::with_quota(Some(10));
    let mut ann = world.client();
    assert!(ann.append("INBOX", "0123456789").starts_with(". OK [APPENDUID"));
    let refused = ann.append("INBOX", "x");
    assert_eq!(refused, ". NO [OVERQUOTA] The mailbox is full; expunge some messages first.\r\n");
}

#[test]
fn a_message_with_nul_is_refused() {
    let world = World::new();
    let mut ann = world.client();
    assert_eq!(ann.append("INBOX", "Subject: x\r\n\r\na\0b"), ". BAD A message must not hold NUL octets.\r\n");
    ann.expect("STATUS INBOX (MESSAGES)", &["* STATUS INBOX (MESSAGES 0)", ". OK STATUS completed."]);
}

#[test]
fn of_a_long_header_all_is_found_and_fetched_and_a_longer_one_is_refused() {
    let world = World::new();
    let long = |octets| format!("A: {}\r\nSubject: late\r\n\r\nbody\r\n", "x".repeat(octets));
    let refused = world.client().append("INBOX", &long(1024 * 1024));
    assert_eq!(refused, ". NO [LIMIT] The header of a message may have at most 1048576 octets.\r\n");
    let mut ann = world.reader(&[&long(1024 * 1024 - 100)]);
    for keys in ["SUBJECT late", "HEADER Subject late", "TEXT \"subject: late\""] {
        ann.expect(&format!("SEARCH {keys}"), &["* SEARCH 1", ". OK SEARCH completed."]);
    }
    ann.expect(
        "FETCH 1 BODY.PEEK[HEADER.FIELDS (subject)]",
        &["* 1 FETCH (BODY[HEADER.FIELDS (subject)] {17}", "Subject: late", "", ")", ". OK FETCH completed."],
    );
}
