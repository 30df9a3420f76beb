use crate::client::World;

#[test]
fn folders_are_created_renamed_and_deleted() {
    let world = World::new();
    let mut ann = world.client();
    ann.expect("CREATE Work/", &[". OK CREATE completed."]);
    ann.expect("CREATE Work", &[". NO [ALREADYEXISTS] The mailbox already exists."]);
    ann.expect("CREATE inbox", &[". NO [ALREADYEXISTS] The mailbox already exists."]);
    assert!(ann.run("CREATE a//b").starts_with(". NO [CANNOT] "));
    ann.append("Work", "x");
    ann.expect("RENAME Work Play/Ground", &[". OK RENAME completed."]);
    ann.expect("STATUS Play/Ground (MESSAGES)", &["* STATUS \"Play/Ground\" (MESSAGES 1)", ". OK STATUS completed."]);
    ann.expect("RENAME Work Other", &[". NO [NONEXISTENT] The mailbox does not exist."]);
    ann.expect("RENAME Play/Ground Sent", &[". NO [ALREADYEXISTS] The mailbox already exists."]);
    ann.expect("DELETE Play", &[". NO [HASCHILDREN] The mailbox has mailboxes beneath it; delete them first."]);
    for command in ["CREATE \"b*c\"", "CREATE \"b%\"", "RENAME Play \"%\""] {
        ann.expect(command, &[". NO [CANNOT] The name of a mailbox must not hold * or %."]);
    }
    ann.expect("DELETE Play/Ground", &[". OK DELETE completed."]);
    ann.expect("DELETE Play", &[". OK DELETE completed."]);
    ann.expect("DELETE Play", &[". NO [NONEXISTENT] The mailbox does not exist."]);
    assert!(ann.run("DELETE INBOX").starts_with(". NO [CANNOT] "));
}

#[test]
fn renaming_the_inbox_leaves_it_empty() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b"]);
    ann.expect("RENAME INBOX Old", &["* 2 EXPUNGE", "* 1 EXPUNGE", "* 0 RECENT", ". OK RENAME completed."]);
    ann.expect("STATUS Old (MESSAGES)", &["* STATUS \"Old\" (MESSAGES 2)", ". OK STATUS completed."]);
}

#[test]
fn a_folder_deleted_under_its_reader_looks_emptied() {
    let world = World::new();
    let (mut ann, mut bob) = (world.client(), world.client());
    ann.run("CREATE Work");
    ann.append("Work", "x");
    ann.run("SELECT Work");
    assert!(bob.run("DELETE Work").starts_with(". OK"));
    ann.expect("FETCH 1 UID", &["* 1 FETCH (UID 1)", ". OK FETCH completed."]);
    ann.expect("NOOP", &["* 1 EXPUNGE", "* 0 RECENT", ". OK NOOP completed."]);
    ann.expect(
        "SELECT Work",
        &["* OK [CLOSED] The mailbox before is closed.", ". NO [NONEXISTENT] The mailbox does not exist."],
    );
}
