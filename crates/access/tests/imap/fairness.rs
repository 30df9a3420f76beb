//! The dearest command of one session lets the others have their turn: counted in work, not in time.

use crate::client::World;

#[test]
fn many_texts_in_a_long_header_are_looked_for_in_turns_and_in_one_pass() {
    let world = World::new();
    let header = "a: bcd\r\n".repeat(20_000);
    let mut ann = world.reader(&[&format!("{header}\r\nbody\r\n")]);
    let keys: Vec<String> = (0..256).map(|n| format!("NOT TEXT qq{n}")).collect();
    ann.expect(&format!("SEARCH {}", keys.join(" ")), &["* SEARCH 1", ". OK SEARCH completed."]);
    // 20,000 fields for 256 texts, 32 units each at the least, in turns of 512 Ki units.
    assert!((300..2000).contains(&ann.rests), "{}", ann.rests);
}

#[test]
fn many_keys_on_many_messages_are_tested_in_turns() {
    let world = World::new();
    let mut client = world.client();
    for _ in 0..2000 {
        client.append("INBOX", "x");
    }
    let mut ann = world.reader(&[]);
    for keys in [["UNSEEN"; 256].join(" "), ["UNKEYWORD x"; 256].join(" ")] {
        ann.rests = 0;
        ann.run(&format!("SEARCH {keys}"));
        // 2,000 messages with 256 keys of 16 units.
        assert!((10..100).contains(&ann.rests), "{}", ann.rests);
    }
}

#[test]
fn many_items_of_a_long_header_are_chosen_in_turns() {
    let world = World::new();
    let header = "a:\r\n".repeat(50_000);
    let mut ann = world.reader(&[&format!("{header}\r\nbody\r\n")]);
    let items: Vec<String> = (0..100).map(|n| format!("BODY.PEEK[HEADER.FIELDS (b)]<{n}.1>")).collect();
    ann.run(&format!("FETCH 1 ({})", items.join(" ")));
    // 200,000 octets of header for each of 100 items.
    assert!(ann.rests >= 90, "{}", ann.rests);
}

#[test]
fn a_long_pattern_is_matched_with_many_deep_folders_in_turns() {
    let world = World::new();
    let mut ann = world.client();
    for n in 0..20 {
        ann.run(&format!("CREATE {n}{}", "/abcdefghijklmno".repeat(60)));
    }
    ann.rests = 0;
    ann.run(&format!("LIST \"\" {}z", "%a%b".repeat(100)));
    // 1,200 folders of 500 octets on the average, with 401 places of the pattern in 7 words.
    assert!(ann.rests >= 20, "{}", ann.rests);
    ann.rests = 0;
    ann.run(&format!("LIST \"\" {}", "%a".repeat(10_000)));
    assert_eq!(ann.rests, 0, "no name has so many octets");
}
