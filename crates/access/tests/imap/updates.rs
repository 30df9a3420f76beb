//! Two sessions on one folder.

use crate::client::World;

#[test]
fn new_messages_are_told_with_any_command_and_are_recent_for_one_session_only() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a"]), world.reader(&[]));
    bob.append("INBOX", "b");
    ann.expect("FETCH 1 UID", &["* 2 EXISTS", "* 1 RECENT", "* 1 FETCH (UID 1)", ". OK FETCH completed."]);
    bob.expect("NOOP", &[". OK NOOP completed."]);
    bob.expect("SEARCH RECENT", &["* SEARCH 2", ". OK SEARCH completed."]);
    ann.expect("SEARCH RECENT", &["* SEARCH 1", ". OK SEARCH completed."]);
}

#[test]
fn a_star_is_the_last_message_the_client_knew() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a"]), world.reader(&[]));
    bob.append("INBOX", "b");
    ann.expect(
        "STORE 1:* +FLAGS (\\Deleted)",
        &["* 2 EXISTS", "* 1 RECENT", "* 1 FETCH (FLAGS (\\Deleted \\Recent))", ". OK STORE completed."],
    );
}

#[test]
fn expunges_wait_for_a_command_that_may_tell_them() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b", "c"]), world.reader(&[]));
    bob.run("STORE 2 +FLAGS.SILENT (\\Deleted)");
    bob.run("EXPUNGE");
    ann.expect("FETCH 3 UID", &["* 3 FETCH (UID 3)", ". OK FETCH completed."]);
    ann.expect("STORE 3 +FLAGS (\\Seen)", &["* 3 FETCH (FLAGS (\\Seen \\Recent))", ". OK STORE completed."]);
    ann.expect("SEARCH SEEN", &["* SEARCH 3", ". OK SEARCH completed."]);
    ann.expect("UID SEARCH SEEN", &["* SEARCH 3", "* 2 EXPUNGE", "* 2 RECENT", ". OK UID SEARCH completed."]);
    ann.expect("FETCH 2 UID", &["* 2 FETCH (UID 3)", ". OK FETCH completed."]);
}

#[test]
fn flags_another_session_set_are_told_once() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b"]), world.reader(&[]));
    bob.run("STORE 1 +FLAGS (\\Answered)");
    ann.expect(
        "FETCH 2 FLAGS",
        &["* 1 FETCH (FLAGS (\\Answered \\Recent))", "* 2 FETCH (FLAGS (\\Recent))", ". OK FETCH completed."],
    );
    bob.run("STORE 1 -FLAGS (\\Answered)");
    ann.expect("FETCH 1 FLAGS", &["* 1 FETCH (FLAGS (\\Recent))", ". OK FETCH completed."]);
    ann.expect("CHECK", &[". OK CHECK completed."]);
}

#[test]
fn with_condstore_another_session_is_told_uid_and_mod_sequence_of_a_change() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b"]), world.reader(&[]));
    bob.run("ENABLE CONDSTORE");
    ann.run("STORE 2 +FLAGS (\\Seen)");
    bob.expect("NOOP", &["* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (4))", ". OK NOOP completed."]);
    bob.expect("SEARCH MODSEQ 4", &["* SEARCH 2 (MODSEQ 4)", ". OK SEARCH completed."]);
}
