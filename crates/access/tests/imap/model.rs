//! Two sessions in any interleaving: what each client makes of the lines it reads is what the server holds.

use proptest::prelude::*;

use crate::client::{Client, World};

/// Reads untagged responses as RFC 3501 §7 has a client do.
struct Picture {
    client: Client,
    /// Flags by sequence number, \Recent left out; `None` until they are told.
    flags: Vec<Option<String>>,
}

impl Picture {
    fn new(mut client: Client) -> Self {
        let read = client.run("SELECT INBOX");
        let mut picture = Self { client, flags: Vec::new() };
        picture.hear(&read, true);
        picture
    }

    fn run(&mut self, command: &str, may_expunge: bool) -> String {
        let read = self.client.run(command);
        self.hear(&read, may_expunge);
        read
    }

    fn hear(&mut self, read: &str, may_expunge: bool) {
        let mut fetched = 0;
        for line in read.lines() {
            let Some(line) = line.strip_prefix("* ") else {
                // What follows a literal.
                if let Some(flags) = line.split("FLAGS (").nth(1) {
                    self.told(fetched, flags);
                }
                continue;
            };
            let Some((number, rest)) = line.split_once(' ') else { continue };
            let Ok(number) = number.parse::<usize>() else { continue };
            fetched = number;
            if rest == "EXPUNGE" {
                assert!(may_expunge, "{read}");
                self.flags.remove(number - 1);
            } else if rest == "EXISTS" {
                assert!(number >= self.flags.len(), "{read}");
                self.flags.resize(number, None);
            } else if let Some(flags) = rest.strip_prefix("FETCH ").and_then(|items| items.split("FLAGS (").nth(1)) {
                self.told(number, flags);
            }
        }
    }

    fn told(&mut self, number: usize, flags: &str) {
        let flags = flags.split(')').next().unwrap();
        let told: Vec<&str> = flags.split(' ').filter(|flag| !flag.is_empty() && *flag != "\\Recent").collect();
        self.flags[number - 1] = Some(told.join(" "));
    }

    /// What the client would believe after a silent STORE of its own.
    fn store_silent(&mut self, number: usize, flag: &str) {
        self.run(&format!("STORE {number} +FLAGS.SILENT ({flag})"), false);
        if let Some(Some(flags)) = self.flags.get_mut(number - 1)
            && !flags.split(' ').any(|known| known == flag)
        {
            let order = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"];
            let mut all: Vec<&str> = flags.split(' ').filter(|known| !known.is_empty()).chain([flag]).collect();
            all.sort_by_key(|flag| order.iter().position(|known| known == flag));
            *flags = all.join(" ");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append,
    Store { number: usize, flag: &'static str },
    StoreSilent { number: usize, flag: &'static str },
    Read(usize),
    Expunge,
    UidFetch,
    Fetch(usize),
    Noop,
    Move(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let flag = prop::sample::select(vec!["\\Seen", "\\Flagged", "\\Deleted"]);
    prop_oneof![
        3 => Just(Step::Append),
        3 => (1usize..12, flag.clone()).prop_map(|(number, flag)| Step::Store { number, flag }),
        3 => (1usize..12, flag).prop_map(|(number, flag)| Step::StoreSilent { number, flag }),
        2 => (1usize..12).prop_map(Step::Read),
        2 => Just(Step::Expunge),
        2 => Just(Step::UidFetch),
        2 => (1usize..12).prop_map(Step::Fetch),
        1 => Just(Step::Noop),
        1 => (1usize..12).prop_map(Step::Move),
    ]
}

proptest! {
    #[test]
    fn what_a_client_reads_adds_up_to_what_the_server_holds(
        steps in prop::collection::vec((0usize..2, step()), 0..60),
    ) {
        let world = World::new();
        let mut pictures = [0, 1].map(|_| Picture::new(world.reader(&["a"])));
        for (who, step) in steps {
            let picture = &mut pictures[who];
            let known = |number: usize| number <= picture.flags.len();
            match step {
                Step::Append => {
                    let read = picture.client.append("INBOX", "x");
                    picture.hear(&read, true);
                }
                Step::Store { number, flag } if known(number) => {
                    picture.run(&format!("STORE {number} +FLAGS ({flag})"), false);
                }
                Step::StoreSilent { number, flag } if known(number) => picture.store_silent(number, flag),
                Step::Read(number) if known(number) => drop(picture.run(&format!("FETCH {number} BODY[]"), false)),
                Step::Fetch(number) if known(number) => drop(picture.run(&format!("FETCH {number} FLAGS"), false)),
                Step::Move(number) if known(number) => drop(picture.run(&format!("MOVE {number} Trash"), true)),
                Step::Expunge => drop(picture.run("EXPUNGE", true)),
                Step::UidFetch => drop(picture.run("UID FETCH 1:* FLAGS", true)),
                Step::Noop => drop(picture.run("NOOP", true)),
                _ => {}
            }
        }
        for picture in &mut pictures {
            picture.run("NOOP", true);
        }
        let mut fresh = Picture::new(world.client());
        if !fresh.flags.is_empty() {
            fresh.run("FETCH 1:* FLAGS", false);
        }
        for picture in &mut pictures {
            prop_assert_eq!(picture.flags.len(), fresh.flags.len());
            for (told, true_flags) in picture.flags.iter().zip(&fresh.flags) {
                // A client asks for the flags of new messages; those it knows must be right.
                if told.is_some() {
                    prop_assert_eq!(told, true_flags);
                }
            }
        }
    }
}
