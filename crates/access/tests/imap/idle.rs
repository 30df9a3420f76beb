use crate::client::World;

#[test]
fn idle_tells_everything_that_changed_and_nothing_twice() {
    let world = World::new();
    let (mut ann, mut bob) = (world.reader(&["a", "b"]), world.reader(&[]));
    ann.expect_updates(&[]);
    bob.append("INBOX", "c");
    ann.expect_updates(&["* 3 EXISTS", "* 2 RECENT"]);
    bob.run("STORE 2 +FLAGS (\\Seen)");
    ann.expect_updates(&["* 2 FETCH (FLAGS (\\Seen \\Recent))"]);
    bob.run("STORE 1 +FLAGS (\\Deleted)");
    bob.run("EXPUNGE");
    ann.expect_updates(&["* 1 EXPUNGE", "* 1 RECENT"]);
    ann.expect_updates(&[]);
}
