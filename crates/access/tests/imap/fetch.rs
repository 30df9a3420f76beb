use crate::client::World;

const PLAIN: &str = "From: Ann <ann@example.test>\r\nSubject: One\r\nX-Y: z\r\n\r\nfirst\r\nsecond\r\n";

#[test]
fn row_items_are_told_in_the_order_asked() {
    let world = World::new();
    let mut ann = world.client();
    ann.append_with("INBOX (\\Flagged work) \"17-Jul-1996 02:44:25 -0700\"", PLAIN);
    ann.run("SELECT INBOX");
    ann.expect(
        "FETCH 1 (RFC822.SIZE FLAGS INTERNALDATE UID MODSEQ)",
        &[
            "* OK [HIGHESTMODSEQ 2] The greatest mod-sequence.",
            "* 1 FETCH (RFC822.SIZE 69 FLAGS (\\Flagged \\Recent work) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" UID 1 \
             MODSEQ (2))",
            ". OK FETCH completed.",
        ],
    );
    ann.expect(
        "UID FETCH 1:* FLAGS",
        &["* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent work))", ". OK UID FETCH completed."],
    );
}

#[test]
fn envelope_and_structure_come_from_the_outline() {
    let world = World::new();
    let mut ann = world.reader(&[PLAIN]);
    ann.expect(
        "FETCH 1 (ENVELOPE BODY)",
        &[
            "* 1 FETCH (ENVELOPE (NIL \"One\" ((\"Ann\" NIL \"ann\" \"example.test\")) \
             ((\"Ann\" NIL \"ann\" \"example.test\")) ((\"Ann\" NIL \"ann\" \"example.test\")) NIL NIL NIL NIL NIL) \
             BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 15 2))",
            ". OK FETCH completed.",
        ],
    );
}

#[test]
fn bodies_are_literals_and_reading_them_sets_seen() {
    let world = World::new();
    let mut ann = world.reader(&[PLAIN]);
    ann.expect(
        "FETCH 1 BODY.PEEK[TEXT]",
        &["* 1 FETCH (BODY[TEXT] {15}", "first", "second", ")", ". OK FETCH completed."],
    );
    ann.expect("FETCH 1 FLAGS", &["* 1 FETCH (FLAGS (\\Recent))", ". OK FETCH completed."]);
    // Changed by the command itself: told in its own response, once.
    ann.expect(
        "FETCH 1 (BODY[TEXT]<6.3> UID)",
        &["* 1 FETCH (BODY[TEXT]<6> {3}", "\nse UID 1 FLAGS (\\Seen \\Recent))", ". OK FETCH completed."]
            .iter()
            .flat_map(|line| line.split('\n'))
            .collect::<Vec<_>>(),
    );
    ann.expect(
        "FETCH 1 (BODY[TEXT]<100.3> FLAGS)",
        &["* 1 FETCH (BODY[TEXT]<100> {0}", " FLAGS (\\Seen \\Recent))", ". OK FETCH completed."],
    );
}

#[test]
fn rfc822_items_are_the_message_its_header_and_its_text() {
    let world = World::new();
    let mut ann = world.reader(&["A: b\r\n\r\nc", "A: b\r\n\r\nc", "A: b\r\n\r\nc"]);
    ann.expect(
        "FETCH 1 RFC822",
        &["* 1 FETCH (RFC822 {9}", "A: b", "", "c FLAGS (\\Seen \\Recent))", ". OK FETCH completed."],
    );
    ann.expect("FETCH 2 RFC822.HEADER", &["* 2 FETCH (RFC822.HEADER {8}", "A: b", "", ")", ". OK FETCH completed."]);
    ann.expect("FETCH 2 FLAGS", &["* 2 FETCH (FLAGS (\\Recent))", ". OK FETCH completed."]);
    ann.expect(
        "FETCH 3 RFC822.TEXT",
        &["* 3 FETCH (RFC822.TEXT {1}", "c FLAGS (\\Seen \\Recent))", ". OK FETCH completed."],
    );
}

#[test]
fn header_fields_are_read_for_each_row() {
    let world = World::new();
    let mut ann = world.reader(&[PLAIN, "Subject: Two\r\n\r\nx"]);
    ann.expect(
        "FETCH 1:2 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[HEADER.FIELDS.NOT (From Subject)])",
        &[
            "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {16}",
            "Subject: One",
            "",
            " BODY[HEADER.FIELDS.NOT (From Subject)] {10}",
            "X-Y: z",
            "",
            ")",
            "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {16}",
            "Subject: Two",
            "",
            " BODY[HEADER.FIELDS.NOT (From Subject)] {2}",
            "",
            ")",
            ". OK FETCH completed.",
        ],
    );
}

#[test]
fn parts_that_are_not_there_are_nil() {
    let world = World::new();
    let mut ann = world.reader(&[PLAIN]);
    ann.expect("FETCH 1 BODY.PEEK[2]", &["* 1 FETCH (BODY[2] NIL)", ". OK FETCH completed."]);
    ann.expect("FETCH 1 BODY.PEEK[1]<0.5>", &["* 1 FETCH (BODY[1]<0> {5}", "first)", ". OK FETCH completed."]);
}

#[test]
fn numbers_that_are_not_there_are_bad_and_uids_are_not() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b"]);
    ann.expect("FETCH 3 FLAGS", &[". BAD No message has that number."]);
    ann.expect("FETCH 1:3 FLAGS", &[". BAD No message has that number."]);
    ann.expect("UID FETCH 3:9 FLAGS", &[". OK UID FETCH completed."]);
    ann.expect("UID FETCH 9:* FLAGS", &["* 2 FETCH (UID 2 FLAGS (\\Recent))", ". OK UID FETCH completed."]);
    let mut empty = world.client();
    empty.run("SELECT Drafts");
    empty.expect("FETCH 1:* FLAGS", &[". BAD No message has that number."]);
    empty.expect("UID FETCH 1:* FLAGS", &[". OK UID FETCH completed."]);
}

#[test]
fn changed_since_passes_over_what_the_client_knows() {
    let world = World::new();
    let mut ann = world.reader(&["a", "b", "c"]);
    ann.run("STORE 2 +FLAGS (\\Seen)");
    ann.expect(
        "FETCH 1:* (FLAGS) (CHANGEDSINCE 3)",
        &[
            "* OK [HIGHESTMODSEQ 5] The greatest mod-sequence.",
            "* 2 FETCH (FLAGS (\\Seen \\Recent) MODSEQ (5))",
            "* 3 FETCH (FLAGS (\\Recent) MODSEQ (4))",
            ". OK FETCH completed.",
        ],
    );
    ann.expect("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5)", &[". OK UID FETCH completed."]);
    ann.expect(
        "UID FETCH 1:* (ENVELOPE) (CHANGEDSINCE 4)",
        &[
            "* 2 FETCH (UID 2 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) MODSEQ (5))",
            ". OK UID FETCH completed.",
        ],
    );
}

#[test]
fn a_long_fetch_is_made_piece_by_piece() {
    let world = World::new();
    let messages = vec!["Subject: x\r\n\r\nbody"; 300];
    let mut ann = world.reader(&messages);
    let flags = ann.run("FETCH 1:* (UID FLAGS)");
    assert_eq!(flags.lines().count(), 301);
    assert!(flags.contains("* 300 FETCH (UID 300 FLAGS (\\Recent))\r\n"));
    let envelopes = ann.run("FETCH 1:100,200:* ENVELOPE");
    assert_eq!(envelopes.lines().count(), 202);
    let bodies = ann.run("FETCH 1:* BODY.PEEK[1]");
    assert_eq!(bodies.matches("BODY[1] {4}\r\nbody)").count(), 300);
}

#[test]
fn a_message_expunged_meanwhile_stays_readable_until_its_body_is_dropped() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["Subject: a\r\n\r\nx", "b"]), world.reader(&[]));
    bob.run("STORE 1 +FLAGS (\\Deleted)");
    bob.run("EXPUNGE");
    // The flags changed before the message went, but only what is there is told.
    ann.expect("FETCH 1 BODY.PEEK[TEXT]", &["* 1 FETCH (BODY[TEXT] {1}", "x)", ". OK FETCH completed."]);
    ann.expect("FETCH 2 UID", &["* 2 FETCH (UID 2)", ". OK FETCH completed."]);
    world.store.end_retention();
    ann.expect(
        "FETCH 1:2 (UID ENVELOPE)",
        &[
            "* 2 FETCH (UID 2 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))",
            ". NO [EXPUNGEISSUED] Some of the messages no longer exist; NOOP tells which.",
        ],
    );
    ann.expect("NOOP", &["* 1 EXPUNGE", "* 1 RECENT", ". OK NOOP completed."]);
}

#[test]
fn fields_of_an_inner_header_beyond_the_limit_are_refused_and_not_cut() {
    let world = World::new();
    let inner = format!("A: {}\r\nSubject: late\r\n\r\nbody\r\n", "x".repeat(1024 * 1024));
    let mut ann = world.reader(&[&format!("Content-Type: message/rfc822\r\n\r\n{inner}")]);
    ann.expect(
        "FETCH 1 (BODY.PEEK[1.HEADER.FIELDS (subject)] RFC822.SIZE)",
        &[
            &format!("* 1 FETCH (BODY[1.HEADER.FIELDS (subject)] NIL RFC822.SIZE {})", inner.len() + 32),
            ". NO [LIMIT] Of a header with more than 1048576 octets no fields can be chosen; fetch it whole \
             (HEADER or MIME).",
        ],
    );
}

#[test]
fn a_damaged_body_is_told_before_its_literal_begins_and_the_rest_of_the_command_goes_on() {
    let world = World::new();
    let mut ann = world.reader(&["Subject: x\r\n\r\nbody"]);
    *world.failing.octets.lock().unwrap() = Some(store::Error::Corrupt("x".to_owned()));
    ann.expect(
        "FETCH 1 (BODY.PEEK[] UID BODY.PEEK[TEXT] RFC822.SIZE)",
        &[
            "* 1 FETCH (BODY[] NIL UID 1 BODY[TEXT] NIL RFC822.SIZE 18)",
            ". NO [CORRUPTION] The server found damaged data; its administrator can see more in the log.",
        ],
    );
}

#[test]
fn a_long_body_is_its_first_octets_and_the_rest_of_it() {
    let world = World::new();
    for length in [65_536 - 4, 65_536 - 3, 200_000] {
        let mut ann = world.reader(&[]);
        let message = format!("\r\n{}\r\n", "x".repeat(length));
        ann.append("INBOX", &message);
        let read = ann.run("FETCH * BODY.PEEK[]");
        assert!(read.contains(&format!(" FETCH (BODY[] {{{}}}\r\n{message})\r\n. OK", message.len())), "{length}");
    }
}

#[test]
fn of_a_message_without_an_empty_line_the_header_is_all_there_is() {
    let world = World::new();
    let mut ann = world.reader(&["Subject: x\r\n"]);
    // RFC 3501 §6.4.5: the empty line is in every header that is fetched, except where neither it nor a body is there.
    ann.expect(
        "FETCH 1 (BODY.PEEK[HEADER] BODY.PEEK[TEXT])",
        &["* 1 FETCH (BODY[HEADER] {12}", "Subject: x", " BODY[TEXT] {0}", ")", ". OK FETCH completed."],
    );
}
