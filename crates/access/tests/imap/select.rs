use crate::client::World;

const FLAGS: &str = "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)";

#[test]
fn select_tells_the_state_and_examine_the_same_read_only() {
    let world = World::new();
    let mut ann = world.client();
    ann.append_with("INBOX (\\Seen)", "a");
    ann.append("INBOX", "b");
    let uid_validity = ann.run("STATUS INBOX (UIDVALIDITY)");
    let number = uid_validity.split("UIDVALIDITY ").nth(1).unwrap().split(')').next().unwrap().to_owned();
    let uid_validity = format!("* OK [UIDVALIDITY {number}] UIDs are valid.");
    let rest = [
        "* OK [UNSEEN 2] The first unseen message.",
        uid_validity.as_str(),
        "* OK [UIDNEXT 3] The next UID.",
        "* OK [HIGHESTMODSEQ 3] The greatest mod-sequence.",
    ];
    let none = "* OK [PERMANENTFLAGS ()] No flags can be changed.";
    let all = "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] \
               Flags that can be changed, and new keywords.";
    let examined = [&[FLAGS, none, "* 2 EXISTS", "* 2 RECENT"][..], &rest, &[". OK [READ-ONLY] EXAMINE completed."]];
    // EXAMINE leaves \Recent for the first to SELECT.
    ann.expect("EXAMINE inbox", &examined.concat());
    let closed = "* OK [CLOSED] The mailbox before is closed.";
    let selected =
        [&[closed, FLAGS, all, "* 2 EXISTS", "* 2 RECENT"][..], &rest, &[". OK [READ-WRITE] SELECT completed."]];
    ann.expect("SELECT INBOX", &selected.concat());
    let again =
        [&[closed, FLAGS, all, "* 2 EXISTS", "* 0 RECENT"][..], &rest, &[". OK [READ-WRITE] SELECT completed."]];
    ann.expect("SELECT INBOX", &again.concat());
}

#[test]
fn a_select_that_fails_leaves_nothing_selected() {
    let world = World::new();
    let mut ann = world.reader(&["a"]);
    assert!(ann.session.has_selected());
    ann.expect(
        "SELECT nowhere",
        &["* OK [CLOSED] The mailbox before is closed.", ". NO [NONEXISTENT] The mailbox does not exist."],
    );
    assert!(!ann.session.has_selected());
    ann.expect("SELECT \"a//b\"", &[". NO [NONEXISTENT] The mailbox does not exist."]);
    let refused = ". BAD Command is not valid in this state. SELECT a mailbox first.";
    for command in ["FETCH 1 FLAGS", "STORE 1 FLAGS ()", "SEARCH ALL", "EXPUNGE", "CLOSE", "UNSELECT", "COPY 1 INBOX"] {
        ann.expect(command, &[refused]);
    }
}

#[test]
fn an_empty_folder_has_no_unseen_message_and_a_mod_sequence_of_at_least_one() {
    let world = World::new();
    let read = world.client().run("SELECT Drafts");
    assert!(
        read.contains("* 0 EXISTS\r\n") && read.contains("[HIGHESTMODSEQ 1]") && !read.contains("UNSEEN"),
        "{read}"
    );
}

#[test]
fn what_was_opened_read_only_cannot_be_changed() {
    let world = World::new();
    let mut ann = world.client();
    ann.append_with("INBOX (\\Deleted)", "a");
    ann.run("EXAMINE INBOX");
    let refused = ". NO [READ-ONLY] The mailbox was opened read-only; SELECT it to change it.";
    for command in ["STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 Trash"] {
        ann.expect(command, &[refused]);
    }
    ann.expect("FETCH 1 BODY[]", &["* 1 FETCH (BODY[] {1}", "a)", ". OK FETCH completed."]);
    ann.expect("FETCH 1 FLAGS", &["* 1 FETCH (FLAGS (\\Deleted \\Recent))", ". OK FETCH completed."]);
    ann.expect("CLOSE", &[". OK CLOSE completed."]);
    ann.expect("STATUS INBOX (MESSAGES)", &["* STATUS INBOX (MESSAGES 1)", ". OK STATUS completed."]);
}

#[test]
fn close_expunges_silently_and_unselect_does_not() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b"]);
    ann.run("STORE 1 +FLAGS (\\Deleted)");
    ann.expect("UNSELECT", &[". OK UNSELECT completed."]);
    ann.expect("STATUS INBOX (MESSAGES)", &["* STATUS INBOX (MESSAGES 2)", ". OK STATUS completed."]);
    ann.run("SELECT INBOX");
    ann.expect("CLOSE", &[". OK CLOSE completed."]);
    ann.expect("STATUS INBOX (MESSAGES)", &["* STATUS INBOX (MESSAGES 1)", ". OK STATUS completed."]);
}
