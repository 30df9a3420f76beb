use crate::client::World;

#[test]
fn each_form_of_store_changes_and_tells_the_flags() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b"]);
    ann.expect(
        "STORE 1:2 +FLAGS (\\Seen work)",
        &[
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)",
            "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work \\*)] \
         Flags that can be changed, and new keywords.",
            "* 1 FETCH (FLAGS (\\Seen \\Recent work))",
            "* 2 FETCH (FLAGS (\\Seen \\Recent work))",
            ". OK STORE completed.",
        ],
    );
    ann.expect("STORE 1 -FLAGS (\\Seen)", &["* 1 FETCH (FLAGS (\\Recent work))", ". OK STORE completed."]);
    ann.expect("STORE 2 FLAGS \\Draft", &["* 2 FETCH (FLAGS (\\Draft \\Recent))", ". OK STORE completed."]);
    // Nothing altered is told all the same, as FETCH would.
    ann.expect("STORE 2 +FLAGS (\\Draft)", &["* 2 FETCH (FLAGS (\\Draft \\Recent))", ". OK STORE completed."]);
    ann.expect("UID STORE 2 FLAGS ()", &["* 2 FETCH (UID 2 FLAGS (\\Recent))", ". OK UID STORE completed."]);
    ann.expect("STORE 1 -FLAGS.SILENT (WORK)", &[". OK STORE completed."]);
    ann.expect("FETCH 1 FLAGS", &["* 1 FETCH (FLAGS (\\Recent))", ". OK FETCH completed."]);
    ann.expect("STORE 3 FLAGS ()", &[". BAD No message has that number."]);
    ann.expect("UID STORE 9 FLAGS ()", &[". OK UID STORE completed."]);
}

#[test]
fn silent_tells_what_another_session_did_to_the_same_message() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b"]), world.reader(&[]));
    bob.run("STORE 1 +FLAGS (\\Flagged)");
    ann.expect(
        "STORE 1:2 +FLAGS.SILENT (\\Seen)",
        &["* 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent))", ". OK STORE completed."],
    );
    // Of its own keyword only the new name is told.
    ann.expect(
        "STORE 2 +FLAGS.SILENT ($Later)",
        &[
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later)",
            "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later \\*)] \
         Flags that can be changed, and new keywords.",
            ". OK STORE completed.",
        ],
    );
}

#[test]
fn with_condstore_the_mod_sequence_is_told_even_when_silent() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b"]);
    ann.expect(
        "ENABLE CONDSTORE",
        &["* OK [HIGHESTMODSEQ 3] The greatest mod-sequence.", "* ENABLED CONDSTORE", ". OK ENABLE completed."],
    );
    ann.expect("STORE 1 +FLAGS.SILENT (\\Seen)", &["* 1 FETCH (UID 1 MODSEQ (4))", ". OK STORE completed."]);
    ann.expect(
        "UID STORE 2 +FLAGS (\\Seen)",
        &["* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) MODSEQ (5))", ". OK UID STORE completed."],
    );
}

#[test]
fn unchanged_since_leaves_alone_and_names_what_changed() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b", "c"]), world.reader(&[]));
    bob.run("STORE 2 +FLAGS (\\Flagged)");
    ann.expect(
        "STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Deleted)",
        &[
            "* OK [HIGHESTMODSEQ 4] The greatest mod-sequence.",
            "* 1 FETCH (UID 1 MODSEQ (6))",
            "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent) MODSEQ (5))",
            "* 3 FETCH (UID 3 MODSEQ (6))",
            ". OK [MODIFIED 2] Messages that changed meanwhile were left alone.",
        ],
    );
    ann.expect(
        "UID STORE 2:3 (UNCHANGEDSINCE 5) +FLAGS (\\Deleted)",
        &[
            "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Deleted \\Recent) MODSEQ (7))",
            ". OK [MODIFIED 3] Messages that changed meanwhile were left alone.",
        ],
    );
}

#[test]
fn flags_of_a_message_that_is_gone_cannot_be_stored() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b"]), world.reader(&[]));
    bob.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
    bob.run("EXPUNGE");
    ann.expect(
        "STORE 1:2 +FLAGS (\\Seen)",
        &[
            "* 2 FETCH (FLAGS (\\Seen \\Recent))",
            ". NO [EXPUNGEISSUED] Some of the messages no longer exist; NOOP tells which.",
        ],
    );
    ann.expect("STORE 1 +FLAGS.SILENT (\\Seen)", &[". OK STORE completed."]);
    ann.expect("UID STORE 1 +FLAGS (\\Seen)", &["* 1 EXPUNGE", "* 1 RECENT", ". OK UID STORE completed."]);
}

#[test]
fn a_keyword_too_many_or_too_long_is_refused_with_a_limit() {
    let world = World::new();
    let mut ann = world.reader(&["a"]);
    let many = |from: usize, to: usize| (from..to).map(|n| format!("k{n}")).collect::<Vec<_>>().join(" ");
    for from in (0..4096).step_by(512) {
        let command = format!("STORE 1 +FLAGS.SILENT ({})", many(from, from + 512));
        assert!(ann.run(&command).ends_with(". OK STORE completed.\r\n"));
    }
    let refused = ann.run("STORE 1 +FLAGS (onemore)");
    assert!(refused.starts_with(". NO [LIMIT] "), "{refused}");
    let refused = ann.run(&format!("STORE 1 +FLAGS ({})", "k".repeat(256)));
    assert_eq!(refused, ". NO [LIMIT] A keyword is an atom of at most 255 characters.\r\n");
}
