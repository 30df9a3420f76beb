use crate::client::World;

#[test]
fn list_tells_children_and_special_use() {
    let world = World::new();
    let mut ann = world.client();
    ann.run("CREATE Projects/2026/Größe");
    ann.expect(
        "LIST \"\" *",
        &[
            "* LIST (\\HasNoChildren \\Archive) \"/\" \"Archive\"",
            "* LIST (\\HasNoChildren \\Drafts) \"/\" \"Drafts\"",
            "* LIST (\\HasNoChildren) \"/\" INBOX",
            "* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"",
            "* LIST (\\HasChildren) \"/\" \"Projects\"",
            "* LIST (\\HasChildren) \"/\" \"Projects/2026\"",
            "* LIST (\\HasNoChildren) \"/\" \"Projects/2026/Gr&APYA3w-e\"",
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"",
            "* LIST (\\HasNoChildren \\Trash) \"/\" \"Trash\"",
            ". OK LIST completed.",
        ],
    );
    ann.expect("LIST \"\" %ro%", &["* LIST (\\HasChildren) \"/\" \"Projects\"", ". OK LIST completed."]);
    ann.expect("LIST Projects/ %", &["* LIST (\\HasChildren) \"/\" \"Projects/2026\"", ". OK LIST completed."]);
    ann.expect("LIST \"\" inbox", &["* LIST (\\HasNoChildren) \"/\" INBOX", ". OK LIST completed."]);
    ann.expect("LIST \"\" \"\"", &["* LIST (\\Noselect) \"/\" \"\"", ". OK LIST completed."]);
    ann.expect(
        "LIST (SPECIAL-USE) \"\" S%",
        &["* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"", ". OK LIST completed."],
    );
}

#[test]
fn lsub_keeps_names_that_are_no_folders_and_shows_unsubscribed_parents() {
    let world = World::new();
    let mut ann = world.client();
    for folder in ["a/b", "a/c", "gone"] {
        ann.run(&format!("CREATE {folder}"));
    }
    let own = ann.run("LSUB \"\" *");
    for command in ["SUBSCRIBE a/b", "SUBSCRIBE gone", "DELETE gone", "UNSUBSCRIBE a"] {
        assert!(ann.run(command).starts_with(". OK"), "{command}");
    }
    let all = ann.run("LSUB \"\" *");
    assert!(all.contains("* LSUB () \"/\" \"a/b\"\r\n"), "{all}");
    assert!(all.contains("* LSUB (\\Noselect) \"/\" \"gone\"\r\n"), "{all}");
    assert!(!all.contains("\"a\"") && !own.contains("gone"), "{all}");
    let top = ann.run("LSUB \"\" %");
    assert!(top.contains("* LSUB (\\Noselect) \"/\" \"a\"\r\n"), "{top}");
    ann.run("UNSUBSCRIBE gone");
    assert!(!ann.run("LSUB \"\" *").contains("gone"));
}

#[test]
fn there_is_one_namespace() {
    let world = World::new();
    world.client().expect("NAMESPACE", &["* NAMESPACE ((\"\" \"/\")) NIL NIL", ". OK NAMESPACE completed."]);
}
