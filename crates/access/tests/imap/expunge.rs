use crate::client::World;

#[test]
fn expunge_tells_numbers_from_the_last_to_the_first() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b", "c", "d"]);
    ann.run("STORE 1:2,4 +FLAGS.SILENT (\\Deleted)");
    ann.expect("EXPUNGE", &["* 4 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE", "* 1 RECENT", ". OK EXPUNGE completed."]);
    ann.expect("FETCH 1 UID", &["* 1 FETCH (UID 3)", ". OK FETCH completed."]);
    ann.expect("EXPUNGE", &[". OK EXPUNGE completed."]);
}

#[test]
fn uid_expunge_removes_only_what_is_named_and_deleted() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b", "c"]);
    ann.run("STORE 1:2 +FLAGS.SILENT (\\Deleted)");
    ann.expect("UID EXPUNGE 2:9", &["* 2 EXPUNGE", "* 2 RECENT", ". OK UID EXPUNGE completed."]);
    ann.expect("UID SEARCH ALL", &["* SEARCH 1 3", ". OK UID SEARCH completed."]);
}

#[test]
fn expunge_takes_what_another_session_marked() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b"]), world.reader(&[]));
    bob.run("STORE 1 +FLAGS (\\Deleted)");
    ann.expect(
        "EXPUNGE",
        &["* 1 FETCH (FLAGS (\\Deleted \\Recent))", "* 1 EXPUNGE", "* 1 RECENT", ". OK EXPUNGE completed."],
    );
}
