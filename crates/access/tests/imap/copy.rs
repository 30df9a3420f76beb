use crate::client::World;

fn validity(client: &mut crate::client::Client, folder: &str) -> String {
    let status = client.run(&format!("STATUS {folder} (UIDVALIDITY)"));
    status.split("UIDVALIDITY ").nth(1).unwrap().split(')').next().unwrap().to_owned()
}

#[test]
fn copy_answers_with_both_uid_sets_and_keeps_flags_and_date() {
    let world = World::new();
    let mut ann = world.client();
    ann.append("Archive", "old");
    ann.append_with("INBOX (\\Flagged work) \"17-Jul-1996 02:44:25 +0000\"", "a");
    ann.append("INBOX", "b");
    ann.run("SELECT INBOX");
    let validity = validity(&mut ann, "Archive");
    ann.expect("COPY 1:2 Archive", &[&format!(". OK [COPYUID {validity} 1:2 2:3] COPY completed.")]);
    ann.expect("UID COPY 7:9 Archive", &[". OK UID COPY completed."]);
    ann.expect("COPY 3 Archive", &[". BAD No message has that number."]);
    ann.expect("COPY 1 nowhere", &[". NO [TRYCREATE] The mailbox does not exist; CREATE it first."]);
    ann.run("SELECT Archive");
    ann.expect(
        "FETCH 2 (FLAGS INTERNALDATE)",
        &[
            "* 2 FETCH (FLAGS (\\Flagged \\Recent work) INTERNALDATE \"17-Jul-1996 02:44:25 +0000\")",
            ". OK FETCH completed.",
        ],
    );
}

#[test]
fn copying_into_the_selected_folder_tells_of_the_copies() {
    let world = World::new();
    let mut ann = world.reader(&["a"]);
    let validity = validity(&mut ann, "INBOX");
    ann.expect(
        "UID COPY 1 INBOX",
        &["* 2 EXISTS", "* 2 RECENT", &format!(". OK [COPYUID {validity} 1 2] UID COPY completed.")],
    );
}

#[test]
fn move_tells_the_new_uids_before_the_expunges() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b", "c"]);
    let validity = validity(&mut ann, "Trash");
    ann.expect(
        "MOVE 1,3 Trash",
        &[
            &format!("* OK [COPYUID {validity} 1,3 1:2] Moved."),
            "* 3 EXPUNGE",
            "* 1 EXPUNGE",
            "* 1 RECENT",
            ". OK MOVE completed.",
        ],
    );
    ann.expect(
        "UID MOVE 1:* Trash",
        &[&format!("* OK [COPYUID {validity} 2 3] Moved."), "* 1 EXPUNGE", "* 0 RECENT", ". OK UID MOVE completed."],
    );
    ann.expect("UID MOVE 1:* Trash", &[". OK UID MOVE completed."]);
    ann.expect("UID MOVE 1 nowhere", &[". NO [TRYCREATE] The mailbox does not exist; CREATE it first."]);
}

#[test]
fn copying_by_number_what_is_gone_copies_nothing() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b"]), world.reader(&[]));
    bob.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
    bob.run("EXPUNGE");
    ann.run("FETCH 1 UID");
    ann.expect("COPY 1:2 Archive", &[". NO [EXPUNGEISSUED] Some of the messages no longer exist; NOOP tells which."]);
    ann.expect(
        "STATUS Archive (MESSAGES)",
        &["* STATUS \"Archive\" (MESSAGES 0)", "* 1 EXPUNGE", "* 1 RECENT", ". OK STATUS completed."],
    );
}

#[test]
fn more_messages_than_a_folder_may_hold_are_refused_with_the_limit() {
    let world = World::new();
    let mut ann = world.reader(&["a"]);
    let limit = store::Error::Limit("a folder holds at most 7 messages".to_owned());
    *world.failing.placing.lock().unwrap() = Some(limit);
    let refused = ". NO [LIMIT] A folder holds at most 7 messages.";
    for command in ["COPY 1 Sent", "UID COPY 1 Sent", "MOVE 1 Sent", "UID MOVE 1 Sent"] {
        ann.expect(command, &[refused]);
    }
    assert_eq!(ann.append("INBOX", "b"), format!("{refused}\r\n"));
}
