//! Known answers for each command, and what no command may do to the parser.

use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;
use crate::imap::command::*;
use crate::logon::Secret;

const LIMITS: Limits = Limits { search_depth: 100, search_keys: 256, fetch_items: 256, header_names: 256 };

fn parsed(text: impl AsRef<[u8]>) -> Result<Body, ParseError> {
    let line = [b"a1 ", text.as_ref()].concat();
    match command(&line, &LIMITS) {
        Ok(command) => {
            assert_eq!(command.tag.as_str(), "a1");
            Ok(command.body)
        }
        Err((tag, error)) => {
            assert_eq!(tag.unwrap().as_str(), "a1");
            Err(error)
        }
    }
}

fn set(text: &str) -> SequenceSet {
    let mut cursor = Cursor::new(text.as_bytes());
    let set = sequence_set(&mut cursor).unwrap();
    assert!(cursor.is_empty());
    set
}

fn inbox() -> Mailbox {
    Mailbox("INBOX".to_owned())
}

fn fetch_items(text: &str) -> Vec<FetchItem> {
    match parsed(format!("FETCH 1 {text}")) {
        Ok(Body::Fetch(fetch)) => fetch.items,
        other => panic!("{text}: {other:?}"),
    }
}

fn section(part: &[u32], text: Option<SectionText>) -> Section {
    Section { part: part.iter().map(|&n| NonZeroU32::new(n).unwrap()).collect(), text }
}

fn search_nodes(text: &str) -> Vec<SearchNode> {
    match parsed(format!("SEARCH {text}")) {
        Ok(Body::Search(search)) => search.program.nodes().to_vec(),
        other => panic!("{text}: {other:?}"),
    }
}

fn key(text: &str) -> SearchKey {
    match search_nodes(text).as_slice() {
        [SearchNode::Key(key)] => key.clone(),
        other => panic!("{text}: {other:?}"),
    }
}

/// Well-formed commands of every row.
const COMMANDS: [&str; 58] = [
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID NIL",
    "ID (\"name\" \"x\" \"version\" NIL)",
    "STARTTLS",
    "AUTHENTICATE PLAIN",
    "AUTHENTICATE PLAIN AGFubgBz",
    "LOGIN ann secret",
    "LOGIN {3}\r\nann {6+}\r\nse\"ret",
    "ENABLE CONDSTORE",
    "SELECT INBOX",
    "SELECT INBOX (CONDSTORE)",
    "EXAMINE \"a b\"",
    "CREATE Entw&APw-rfe",
    "DELETE {4}\r\na\r\nb",
    "RENAME a \"b\"",
    "SUBSCRIBE a",
    "UNSUBSCRIBE a",
    "LIST \"\" *",
    "LIST (SPECIAL-USE) \"\" \"*\" RETURN (SPECIAL-USE CHILDREN)",
    "LSUB a %",
    "STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)",
    "APPEND INBOX {310}\r\n",
    "APPEND INBOX (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {310+}\r\n",
    "NAMESPACE",
    "IDLE",
    "CHECK",
    "CLOSE",
    "UNSELECT",
    "EXPUNGE",
    "SEARCH ALL",
    "SEARCH CHARSET UTF-8 OR (FROM \"a\" NOT SEEN) BODY {2}\r\n\u{fc} 1:*",
    "SEARCH UID 1,3:4 LARGER 5 SENTSINCE 1-Feb-2003 HEADER x y KEYWORD z",
    "SEARCH MODSEQ \"/flags/\\\\seen\" all 620162338",
    "FETCH 1 FAST",
    "FETCH 1:* (FLAGS UID)",
    "FETCH 2 BODY.PEEK[HEADER.FIELDS (Date \"x\")]<0.10>",
    "FETCH 2 (BODY[1.2.TEXT] BODY[3.MIME] BODY[] RFC822)",
    "FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)",
    "STORE 1 +FLAGS.SILENT (\\Deleted)",
    "STORE 1 FLAGS \\Seen $x",
    "STORE * (UNCHANGEDSINCE 0) -FLAGS ()",
    "COPY 1:2 INBOX",
    "MOVE 1:2 INBOX",
    "UID EXPUNGE 1:*",
    "UID SEARCH UNSEEN",
    "UID FETCH 1 FLAGS",
    "UID STORE 1 FLAGS (\\Seen)",
    "UID COPY 1 x",
    "UID MOVE 1 x",
    "fetch 1 flags",
    "uid fetch 1 full",
    "select inbox",
    "search new",
    "list \"\" \"\"",
    "store 1 flags (\\seen)",
    "status a (messages)",
];

#[test]
fn every_row_has_a_command_that_bears_its_name() {
    let mut names: Vec<_> = COMMANDS.iter().map(|text| parsed(text).expect(text).name()).collect();
    names.sort_unstable();
    names.dedup();
    let mut rows: Vec<_> = table::ROWS.iter().map(|row| row.name).collect();
    rows.sort_unstable();
    assert_eq!(names, rows);
}

#[test]
fn no_command_survives_being_cut_except_as_another_whole_one() {
    for text in COMMANDS {
        for end in 0..text.len() {
            // It must not panic; what it is must not end within a string or a list.
            let cut = &text.as_bytes()[..end];
            if parsed(cut).is_ok() {
                let open = cut.iter().filter(|&&b| b == b'(').count();
                assert_eq!(open, cut.iter().filter(|&&b| b == b')').count(), "{text:?} at {end}");
                assert_ne!(cut.last(), Some(&b'\\'));
            }
        }
    }
}

#[test]
fn spaces_at_the_end_and_doubled_spaces_do_no_harm() {
    for text in COMMANDS.into_iter().filter(|text| !text.contains('{') && !text.contains("\"a b\"")) {
        assert_eq!(parsed(format!("{text}  ")), parsed(text), "{text}");
        assert_eq!(parsed(text.replace(' ', "  ")), parsed(text), "{text}");
    }
}

#[test]
fn anything_behind_a_command_is_refused() {
    for text in COMMANDS.into_iter().filter(|text| !text.starts_with("APPEND") && !text.starts_with("AUTH")) {
        assert!(parsed(format!("{text})")).is_err(), "{text}");
        assert!(parsed(format!("{text}\r\n")).is_err(), "{text}");
        assert!(parsed(format!("{text}\0")).is_err(), "{text}");
    }
}

#[test]
fn log_on_commands_keep_their_secrets_apart() {
    let login = |user: &str, password: &str| {
        Ok(Body::Login { user: user.to_owned(), password: Secret::new(password.to_owned()) })
    };
    assert_eq!(parsed("LOGIN ann secret"), login("ann", "secret"));
    assert_eq!(parsed("LOGIN \"DOMAIN\\ann\" \"a\\\"b\""), login("DOMAIN\\ann", "a\"b"));
    // As Python sends it, and people at terminals.
    assert_eq!(parsed("LOGIN DOMAIN\\ann secret"), login("DOMAIN\\ann", "secret"));
    assert_eq!(parsed("LOGIN {3}\r\na b {0}\r\n"), login("a b", ""));
    assert_eq!(parsed("LOGIN ann \u{fc}"), login("ann", "\u{fc}"));
    assert!(parsed(b"LOGIN ann \xfc").is_err());
    assert!(parsed("LOGIN ann").is_err());
    let authenticate = |initial: Option<&str>| {
        let initial = initial.map(|text| Secret::new(text.to_owned()));
        Ok(Body::Authenticate { mechanism: "PLAIN".to_owned(), initial })
    };
    assert_eq!(parsed("AUTHENTICATE PLAIN"), authenticate(None));
    assert_eq!(parsed("AUTHENTICATE PLAIN ="), authenticate(Some("=")));
    assert_eq!(parsed("AUTHENTICATE PLAIN AGE+/w=="), authenticate(Some("AGE+/w==")));
}

#[test]
fn mailbox_names_are_decoded_and_raw_ones_kept() {
    let create = |name: &str| Ok(Body::Create(Mailbox(name.to_owned())));
    assert_eq!(parsed("CREATE Entw&APw-rfe"), create("Entwürfe"));
    assert_eq!(parsed("CREATE Entwürfe"), create("Entwürfe"));
    assert_eq!(parsed("CREATE \"Q&A\""), create("Q&A"));
    assert_eq!(parsed("CREATE a]b"), create("a]b"));
    assert_eq!(parsed("CREATE \"\""), create(""));
    assert!(parsed("CREATE a%b").is_err());
    assert!(parsed(b"CREATE \xff").is_err());
    let list = |special_use_only, reference: &str, pattern: &str| {
        let (reference, pattern) = (Mailbox(reference.to_owned()), ListPattern(pattern.to_owned()));
        Ok(Body::List(List { special_use_only, reference, pattern }))
    };
    assert_eq!(parsed("LIST \"\" %"), list(false, "", "%"));
    assert_eq!(parsed("LIST a/ Entw&APw-rfe/*"), list(false, "a/", "Entwürfe/*"));
    assert_eq!(parsed("LIST (SPECIAL-USE) \"\" \"*\""), list(true, "", "*"));
    assert_eq!(parsed("LIST () \"\" \"*\" RETURN ()"), list(false, "", "*"));
    assert!(parsed("LIST (SUBSCRIBED) \"\" \"*\"").is_err());
    assert!(parsed("LIST \"\" (a b)").is_err());
    assert!(parsed("LIST \"\" * RETURN (STATUS (MESSAGES))").is_err());
}

#[test]
fn select_and_status_take_their_options() {
    assert_eq!(parsed("SELECT INBOX"), Ok(Body::Select(Select { mailbox: inbox(), condstore: false })));
    assert_eq!(parsed("EXAMINE INBOX (condstore)"), Ok(Body::Examine(Select { mailbox: inbox(), condstore: true })));
    assert!(parsed("SELECT INBOX (QRESYNC (1 2))").is_err());
    let status = |items: &[StatusItem]| Ok(Body::Status(Status { mailbox: inbox(), items: items.to_vec() }));
    assert_eq!(parsed("STATUS INBOX (UNSEEN MESSAGES UNSEEN)"), status(&[StatusItem::Unseen, StatusItem::Messages]));
    assert_eq!(parsed("STATUS INBOX ( UNSEEN )"), status(&[StatusItem::Unseen]));
    assert!(parsed("STATUS INBOX ()").is_err());
    assert!(parsed("STATUS INBOX (SIZE)").is_err());
    assert_eq!(parsed("ENABLE X CONDSTORE Y"), Ok(Body::Enable { condstore: true }));
    assert_eq!(parsed("ENABLE QRESYNC"), Ok(Body::Enable { condstore: false }));
}

#[test]
fn append_is_parsed_up_to_its_message() {
    let append = |flags: &[Flag], date, size, non_sync| {
        Ok(Body::Append(Append { mailbox: inbox(), flags: flags.to_vec(), date, size, non_sync }))
    };
    assert_eq!(parsed("APPEND INBOX {310}\r\n"), append(&[], None, 310, false));
    assert_eq!(parsed("APPEND {5}\r\nINBOX {310+}\r\n"), append(&[], None, 310, true));
    let date = DateTime { seconds: 837_596_665, offset_minutes: -420 };
    assert_eq!(
        parsed("APPEND INBOX (\\Seen \\Recent $x) \"17-Jul-1996 02:44:25 -0700\" {1}\r\n"),
        append(&[Flag::Seen, Flag::Keyword("$x".to_owned())], Some(date), 1, false)
    );
    assert_eq!(parsed("APPEND INBOX () {4294967296}\r\n"), append(&[], None, 1 << 32, false));
    assert_eq!(parsed("APPEND {5}\r\n"), Err(ParseError::Incomplete));
    assert!(parsed("APPEND INBOX \"text\"").is_err());
    assert!(parsed("APPEND INBOX ~{310}\r\n").is_err());
    assert!(parsed("APPEND INBOX (\\Nonsense) {310}\r\n").is_err());
}

#[test]
fn fetch_items_are_what_they_are_called() {
    use FetchItem as Item;
    let whole = |peek| Item::Section { section: Section::default(), partial: None, peek };
    assert_eq!(fetch_items("FAST"), [Item::Flags, Item::InternalDate, Item::Rfc822Size]);
    assert_eq!(fetch_items("ALL"), [Item::Flags, Item::InternalDate, Item::Rfc822Size, Item::Envelope]);
    assert_eq!(fetch_items("(FULL FLAGS)").len(), 5);
    assert_eq!(fetch_items("( UID  FLAGS UID )"), [Item::Uid, Item::Flags]);
    assert_eq!(fetch_items("(BODY BODYSTRUCTURE)"), [Item::Body, Item::BodyStructure]);
    assert_eq!(fetch_items("(BODY[] BODY.PEEK[])"), [whole(false), whole(true)]);
    assert_eq!(fetch_items("(RFC822 RFC822.HEADER RFC822.TEXT MODSEQ)").len(), 4);
    let item = |part: &[u32], text, partial: Option<(u32, u32)>| Item::Section {
        section: section(part, text),
        partial: partial.map(|(offset, length)| Partial { offset, length: NonZeroU32::new(length).unwrap() }),
        peek: true,
    };
    let names = || HeaderNames::new(vec!["From".to_owned(), "X Y".to_owned()]);
    assert_eq!(fetch_items("BODY.PEEK[1]<0.5>"), [item(&[1], None, Some((0, 5)))]);
    assert_eq!(fetch_items("BODY.PEEK[1.2.HEADER]"), [item(&[1, 2], Some(SectionText::Header), None)]);
    assert_eq!(fetch_items("BODY.PEEK[4294967295.MIME]"), [item(&[u32::MAX], Some(SectionText::Mime), None)]);
    assert_eq!(fetch_items("BODY.PEEK[TEXT]"), [item(&[], Some(SectionText::Text), None)]);
    assert_eq!(
        fetch_items("BODY.PEEK[HEADER.FIELDS (From \"X Y\")]"),
        [item(&[], Some(SectionText::HeaderFields(names())), None)]
    );
    assert_eq!(
        fetch_items("BODY.PEEK[2.HEADER.FIELDS.NOT (From {3}\r\nX Y)]<7.1>"),
        [item(&[2], Some(SectionText::HeaderFieldsNot(names())), Some((7, 1)))]
    );
    for wrong in [
        "BODY[MIME]",
        "BODY[1.]",
        "BODY[1",
        "BODY[0]",
        "BODY[.1]",
        "BODY[]<0>",
        "BODY[]<0.0>",
        "BODY[]<.1>",
        "()",
        "BODY[HEADER.FIELDS ()]",
        "BODY[HEADER.FIELDS]",
        "BODY[HEADER (x)]",
        "BODY[1.4294967296]",
        "BODY.PEEK",
        "FOO",
        "RFC822.PEEK",
        "BINARY[1]",
        "BODY[HEADER.FIELDS (\u{fc})]",
    ] {
        assert!(parsed(format!("FETCH 1 {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn fetch_adds_what_its_form_implies() {
    let fetch = |text: &str| match parsed(text) {
        Ok(Body::Fetch(fetch)) => fetch,
        other => panic!("{other:?}"),
    };
    let by_uid = fetch("UID FETCH 7:* (FLAGS UID) (CHANGEDSINCE 9)");
    assert_eq!(by_uid.items, [FetchItem::Uid, FetchItem::Flags, FetchItem::ModSeq]);
    assert_eq!((by_uid.set, by_uid.uid, by_uid.changed_since), (set("7:*"), true, Some(9)));
    let by_number = fetch("FETCH 7 FLAGS");
    assert_eq!(by_number.items, [FetchItem::Flags]);
    assert!(!by_number.uid);
    assert!(parsed("FETCH 1 FLAGS (VANISHED)").is_err());
}

#[test]
fn fetch_items_may_be_as_many_as_the_limit_and_not_one_more() {
    let many = |count: usize| {
        let items: Vec<_> = (1..=count).map(|n| format!("BODY[{n}]")).collect();
        parsed(format!("FETCH 1 ({})", items.join(" ")))
    };
    assert!(many(256).is_ok());
    assert_eq!(many(257), Err(ParseError::Limit { what: "different FETCH items", limit: 256 }));
    assert!(parsed(format!("FETCH 1 ({})", ["FLAGS"; 5000].join(" "))).is_ok());
}

#[test]
fn header_names_may_be_as_many_as_the_limit_and_not_one_more() {
    let many = |count: usize| parsed(format!("FETCH 1 BODY[HEADER.FIELDS ({})]", vec!["b"; count].join(" ")));
    assert!(many(256).is_ok());
    assert_eq!(many(257), Err(ParseError::Limit { what: "header names in a section", limit: 256 }));
}

#[test]
fn search_keys_may_be_as_many_as_the_limit_and_not_one_more() {
    let many = |count: usize| parsed(format!("SEARCH {}", vec!["NOT TEXT x"; count].join(" ")));
    assert!(many(256).is_ok());
    assert_eq!(many(257), Err(ParseError::Limit { what: "keys in a SEARCH", limit: 256 }));
}

#[test]
fn store_takes_each_way_of_changing() {
    let store = |unchanged_since, how, silent, flags: &[Flag]| {
        Ok(Body::Store(Store { set: set("1"), uid: false, unchanged_since, how, silent, flags: flags.to_vec() }))
    };
    assert_eq!(parsed("STORE 1 FLAGS (\\Seen)"), store(None, StoreHow::Replace, false, &[Flag::Seen]));
    assert_eq!(parsed("STORE 1 +flags.silent \\deleted"), store(None, StoreHow::Add, true, &[Flag::Deleted]));
    assert_eq!(
        parsed("STORE 1 (UNCHANGEDSINCE 12) -FLAGS (\\Draft \\Flagged \\Answered $Forwarded)"),
        store(
            Some(12),
            StoreHow::Remove,
            false,
            &[Flag::Draft, Flag::Flagged, Flag::Answered, Flag::Keyword("$Forwarded".to_owned())]
        )
    );
    assert_eq!(parsed("STORE 1 FLAGS ()"), store(None, StoreHow::Replace, false, &[]));
    for wrong in ["STORE 1 FLAGS", "STORE 1 FLAGS (\\*)", "STORE 1 FLAGS (a\\b)", "STORE 1 (\\Seen)", "STORE FLAGS (x)"]
    {
        assert!(parsed(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn sequence_sets_are_kept_as_given() {
    for text in ["1", "*", "1:*", "*:1", "4:2,1,7:9", "4294967295"] {
        assert_eq!(set(text).to_string(), text);
    }
    for wrong in ["0", "1:", ":1", "1,", ",1", "4294967296", "a", "-1", "1:2:3", "1;2", "$"] {
        assert!(parsed(format!("UID EXPUNGE {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn every_search_key_is_known() {
    use SearchKey as Key;
    let date = Date::new(2003, 2, 1).unwrap();
    let text = || "x y".to_owned();
    let cases = [
        ("ALL", Key::All),
        ("ANSWERED", Key::Has(Flag::Answered)),
        ("BCC \"x y\"", Key::Bcc(text())),
        ("BEFORE 1-Feb-2003", Key::Before(date)),
        ("BODY \"x y\"", Key::Body(text())),
        ("CC \"x y\"", Key::Cc(text())),
        ("DELETED", Key::Has(Flag::Deleted)),
        ("DRAFT", Key::Has(Flag::Draft)),
        ("FLAGGED", Key::Has(Flag::Flagged)),
        ("FROM \"x y\"", Key::From(text())),
        ("HEADER Subject \"x y\"", Key::Header { name: "Subject".to_owned(), value: text() }),
        ("KEYWORD $x", Key::Has(Flag::Keyword("$x".to_owned()))),
        ("LARGER 4294967296", Key::Larger(1 << 32)),
        ("NEW", Key::New),
        ("OLD", Key::Old),
        ("ON \"1-Feb-2003\"", Key::On(date)),
        ("RECENT", Key::Recent),
        ("SEEN", Key::Has(Flag::Seen)),
        ("SENTBEFORE 1-Feb-2003", Key::SentBefore(date)),
        ("SENTON 01-Feb-2003", Key::SentOn(date)),
        ("SENTSINCE 1-Feb-2003", Key::SentSince(date)),
        ("SINCE 1-Feb-2003", Key::Since(date)),
        ("SMALLER 1", Key::Smaller(1)),
        ("SUBJECT {3}\r\nx y", Key::Subject(text())),
        ("TEXT \"x y\"", Key::Text(text())),
        ("TO \"x y\"", Key::To(text())),
        ("UID 1:3", Key::Uid(set("1:3"))),
        ("UNANSWERED", Key::Lacks(Flag::Answered)),
        ("UNDELETED", Key::Lacks(Flag::Deleted)),
        ("UNDRAFT", Key::Lacks(Flag::Draft)),
        ("UNFLAGGED", Key::Lacks(Flag::Flagged)),
        ("UNKEYWORD $x", Key::Lacks(Flag::Keyword("$x".to_owned()))),
        ("UNSEEN", Key::Lacks(Flag::Seen)),
        ("1,5:*", Key::Sequence(set("1,5:*"))),
        ("*", Key::Sequence(set("*"))),
        ("MODSEQ 7", Key::ModSeq(7)),
        ("MODSEQ \"/flags/\\\\draft\" all 7", Key::ModSeq(7)),
        ("SUBJECT \"\"", Key::Subject(String::new())),
        ("CHARSET utf-8 SUBJECT {3}\r\nx y", Key::Subject(text())),
        ("SUBJECT \u{fc}", Key::Subject("\u{fc}".to_owned())),
    ];
    for (command, expected) in cases {
        assert_eq!(key(command), expected, "{command}");
        assert_eq!(key(&command.replace("ALL", "all").replace("FROM", "From")), expected, "{command}");
    }
    for wrong in [
        "",
        "FOO",
        "FROM",
        "UID",
        "UID x",
        "ON 31-Feb-2003",
        "LARGER x",
        "NOT",
        "OR ALL",
        "()",
        "(ALL",
        "ALL)",
        "HEADER x",
    ] {
        assert!(parsed(format!("SEARCH {wrong}")).is_err(), "{wrong}");
    }
    assert_eq!(parsed("SEARCH CHARSET KOI8-R ALL"), Err(ParseError::BadCharset));
    assert!(parsed(b"SEARCH SUBJECT \xff").is_err());
}

#[test]
fn search_operators_take_their_operands() {
    let k = |flag| SearchNode::Key(SearchKey::Has(flag));
    assert_eq!(
        search_nodes("OR SEEN (NOT DRAFT FLAGGED) ANSWERED"),
        [
            SearchNode::Or { end: 6 },
            k(Flag::Seen),
            SearchNode::And { end: 6 },
            SearchNode::Not,
            k(Flag::Draft),
            k(Flag::Flagged),
            k(Flag::Answered),
        ]
    );
}

#[test]
fn nesting_is_allowed_up_to_the_limit_and_refused_beyond_without_recursion() {
    let nested = |depth: usize| parsed(format!("SEARCH {}ALL{}", "(".repeat(depth), ")".repeat(depth)));
    assert!(nested(100).is_ok());
    let too_deep = Err(ParseError::Limit { what: "levels in a SEARCH", limit: 100 });
    assert_eq!(nested(101), too_deep);
    assert_eq!(nested(1_000_000), too_deep);
    assert_eq!(parsed(format!("SEARCH {}ALL", "NOT ".repeat(1_000_000))), too_deep);
    assert_eq!(parsed(format!("SEARCH {}ALL", "OR ".repeat(1_000_000))), too_deep);
    for open in ["FETCH 1 ", "LIST ", "STATUS a ", "STORE 1 FLAGS ", "ID ", "SELECT a "] {
        assert!(parsed(format!("{open}{}", "(".repeat(1_000_000))).is_err());
    }
}

#[test]
fn what_is_no_command_is_told_so_without_an_echo() {
    assert_eq!(parsed("XYZZY"), Err(ParseError::Invalid("The command is not known.")));
    assert_eq!(parsed("UID NOOP"), Err(ParseError::Invalid("The command is not known.")));
    assert_eq!(parsed("UID"), Err(ParseError::Invalid("The command is not known.")));
    assert_eq!(parsed("NOOP(x"), Err(ParseError::Invalid("The command is not known.")));
    for line in [&b""[..], b" NOOP", b"a+ NOOP", b"\x80 NOOP", b"a\0 NOOP", b"* NOOP", b"(a) NOOP"] {
        assert!(matches!(command(line, &LIMITS), Err((None, _))), "{line:?}");
    }
    assert!(matches!(command(b"a", &LIMITS), Err((Some(_), _))));
    let long = [b'a'; Tag::MAX_OCTETS + 1];
    assert!(command(&[&long[1..], b" NOOP"].concat(), &LIMITS).is_ok());
    assert!(matches!(command(&[&long[..], b" NOOP"].concat(), &LIMITS), Err((None, _))));
}

proptest! {
    #[test]
    fn no_input_breaks_the_parser(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = command(&octets, &LIMITS);
    }

    #[test]
    fn no_mutation_of_a_command_breaks_the_parser(
        text in prop::sample::select(COMMANDS.as_slice()),
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(b"\0\r\n \"\\(){}[]<>*%+,:0a~\xff".as_slice()),
    ) {
        let mut line = format!("a1 {text}").into_bytes();
        let at = at.index(line.len());
        line[at] = with;
        let _ = command(&line, &LIMITS);
        line.insert(at, with);
        let _ = command(&line, &LIMITS);
    }
}
