use crate::client::World;

#[test]
fn status_tells_each_item_in_the_order_asked_and_takes_no_recent_away() {
    let world = World::new();
    let mut ann = world.client();
    ann.append_with("Archive (\\Seen)", "a");
    ann.append("Archive", "b");
    let status = ["* STATUS \"Archive\" (UNSEEN 1 MESSAGES 2 UIDNEXT 3 RECENT 2)", ". OK STATUS completed."];
    ann.expect("STATUS Archive (UNSEEN MESSAGES UIDNEXT RECENT)", &status);
    ann.expect("STATUS Archive (UNSEEN MESSAGES UIDNEXT RECENT)", &status);
    ann.run("SELECT Archive");
    let status = [
        "* OK [HIGHESTMODSEQ 3] The greatest mod-sequence.",
        "* STATUS \"Archive\" (RECENT 0 HIGHESTMODSEQ 3)",
        ". OK STATUS completed.",
    ];
    ann.expect("STATUS archive (RECENT)", &[". NO [NONEXISTENT] The mailbox does not exist."]);
    ann.expect("STATUS Archive (RECENT HIGHESTMODSEQ)", &status);
}

#[test]
fn asking_for_the_mod_sequence_enables_condstore() {
    let world = World::new();
    let mut ann = world.reader(&["a"]);
    ann.run("STATUS INBOX (HIGHESTMODSEQ)");
    ann.expect(
        "STORE 1 +FLAGS (\\Seen)",
        &["* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ (3))", ". OK STORE completed."],
    );
}
