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
