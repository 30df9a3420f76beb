//! One user who delivers, appends, flags, moves and expunges, and keeps a ledger of what was acknowledged.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;

use super::random::Random;
use super::wire::{Wire, listing};

/// Where the servers are after each start.
#[derive(Clone, Copy)]
pub struct Ports {
    pub smtp: SocketAddr,
    pub imap: SocketAddr,
}

/// What the ledger knows of one message.
#[derive(Clone, Debug)]
struct Entry {
    place: Place,
    /// `None`: a change was under way when the server died.
    flagged: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    In(Folder),
    /// A move was under way: it is in exactly one of the two.
    InEither,
    /// It was being delivered or expunged: it is there once or not at all.
    Maybe(Folder),
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Folder {
    Inbox,
    Archive,
}

impl Folder {
    pub const ALL: [Self; 2] = [Self::Inbox, Self::Archive];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbox => "INBOX",
            Self::Archive => "Archive",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Inbox => Self::Archive,
            Self::Archive => Self::Inbox,
        }
    }
}

pub struct Worker {
    pub address: String,
    pub password: String,
    random: Random,
    number: u64,
    ledger: HashMap<String, Entry>,
    /// Every UID ever seen, by folder: the message it named then it names for ever.
    uids: HashMap<(Folder, u32), String>,
    /// UIDVALIDITY when first seen.
    validity: HashMap<Folder, u32>,
    pub acknowledged: u64,
}

impl Worker {
    pub fn new(address: String, password: String, seed: u64) -> Self {
        Self {
            address,
            password,
            random: Random::new(seed),
            number: 0,
            ledger: HashMap::new(),
            uids: HashMap::new(),
            validity: HashMap::new(),
            acknowledged: 0,
        }
    }

    /// Works until the server goes away.
    pub fn work(&mut self, ports: Ports) {
        let _ = self.work_until_error(ports);
    }

    fn work_until_error(&mut self, ports: Ports) -> io::Result<()> {
        let mut imap = Wire::imap(ports.imap, &self.address, &self.password)?;
        let mut smtp = Wire::smtp(ports.smtp)?;
        loop {
            match self.random.below(10) {
                0..=1 => self.deliver(&mut smtp)?,
                2 => self.append(&mut imap)?,
                3..=4 => self.flag(&mut imap)?,
                5..=6 => self.relocate(&mut imap)?,
                _ => self.expunge(&mut imap)?,
            }
            self.acknowledged += 1;
        }
    }

    fn token(&mut self) -> String {
        self.number += 1;
        format!("{}-{}", self.address.split('@').next().unwrap_or_default(), self.number)
    }

    fn message(&mut self, token: &str) -> String {
        // Now and then one that is stored apart from the log.
        let lines = if self.random.below(40) == 0 { 5000 } else { self.random.below(60) };
        let body =
            "A line of a message that must not be lost, whatever happens to the server.\r\n".repeat(lines as usize);
        format!("Subject: {token}\r\nFrom: kill@elsewhere.test\r\n\r\n{body}")
    }

    fn deliver(&mut self, smtp: &mut Wire) -> io::Result<()> {
        let token = self.token();
        let message = self.message(&token);
        smtp.ask("MAIL FROM:<kill@elsewhere.test>\r\n", "250")?;
        smtp.ask(&format!("RCPT TO:<{}>\r\n", self.address), "250")?;
        smtp.ask("DATA\r\n", "354")?;
        self.ledger.insert(token.clone(), Entry { place: Place::Maybe(Folder::Inbox), flagged: Some(false) });
        smtp.ask(&format!("{message}.\r\n"), "250")?;
        self.ledger.insert(token, Entry { place: Place::In(Folder::Inbox), flagged: Some(false) });
        Ok(())
    }

    fn append(&mut self, imap: &mut Wire) -> io::Result<()> {
        let folder = Folder::ALL[self.random.below(2) as usize];
        let token = self.token();
        let message = self.message(&token);
        self.ledger.insert(token.clone(), Entry { place: Place::Maybe(folder), flagged: Some(false) });
        let command = format!("a APPEND {} {{{}+}}\r\n{message}\r\n", folder.name(), message.len());
        let answer = imap.ask(&command, "a OK")?;
        self.ledger.insert(token.clone(), Entry { place: Place::In(folder), flagged: Some(false) });
        // RFC 4315 §3: [APPENDUID validity uid]
        let code =
            answer.split("[APPENDUID ").nth(1).and_then(|rest| rest.split(']').next()).expect("APPENDUID is given");
        let (validity, uid) = code.split_once(' ').expect("APPENDUID has two numbers");
        self.learn(folder, validity.parse().expect("a number"), uid.parse().expect("a number"), &token);
        Ok(())
    }

    /// Selects the folder of some message that is surely somewhere, and finds its UID.
    fn choose(&mut self, imap: &mut Wire) -> io::Result<Option<(String, Folder, u32)>> {
        let sure = self.ledger.iter().filter_map(|(token, entry)| match entry.place {
            Place::In(folder) => Some((token.clone(), folder)),
            _ => None,
        });
        let sure: Vec<(String, Folder)> = sure.collect();
        if sure.is_empty() {
            return Ok(None);
        }
        let (token, folder) = sure[self.random.below(sure.len() as u64) as usize].clone();
        imap.ask(&format!("s SELECT {}\r\n", folder.name()), "s OK")?;
        let found = imap.search(&token)?;
        assert_eq!(found.len(), 1, "{token} was acknowledged in {folder:?} and is there {} times", found.len());
        Ok(Some((token, folder, found[0])))
    }

    fn flag(&mut self, imap: &mut Wire) -> io::Result<()> {
        let Some((token, folder, uid)) = self.choose(imap)? else { return Ok(()) };
        let place = Place::In(folder);
        self.ledger.insert(token.clone(), Entry { place, flagged: None });
        imap.ask(&format!("f UID STORE {uid} +FLAGS (\\Flagged)\r\n"), "f OK")?;
        self.ledger.insert(token, Entry { place, flagged: Some(true) });
        Ok(())
    }

    fn relocate(&mut self, imap: &mut Wire) -> io::Result<()> {
        let Some((token, folder, uid)) = self.choose(imap)? else { return Ok(()) };
        let flagged = self.ledger[&token].flagged;
        self.ledger.insert(token.clone(), Entry { place: Place::InEither, flagged });
        imap.ask(&format!("m UID MOVE {uid} {}\r\n", folder.other().name()), "m OK")?;
        self.ledger.insert(token, Entry { place: Place::In(folder.other()), flagged });
        Ok(())
    }

    fn expunge(&mut self, imap: &mut Wire) -> io::Result<()> {
        let Some((token, folder, uid)) = self.choose(imap)? else { return Ok(()) };
        let flagged = self.ledger[&token].flagged;
        self.ledger.insert(token.clone(), Entry { place: Place::Maybe(folder), flagged });
        imap.ask(&format!("d UID STORE {uid} +FLAGS.SILENT (\\Deleted)\r\n"), "d OK")?;
        imap.ask(&format!("x UID EXPUNGE {uid}\r\n"), "x OK")?;
        self.ledger.insert(token, Entry { place: Place::Gone, flagged });
        Ok(())
    }

    fn learn(&mut self, folder: Folder, validity: u32, uid: u32, token: &str) {
        let first = *self.validity.entry(folder).or_insert(validity);
        assert_eq!(first, validity, "UIDVALIDITY of {folder:?} of {} stays", self.address);
        let named = self.uids.entry((folder, uid)).or_insert_with(|| token.to_owned());
        assert_eq!(named, token, "UID {uid} of {folder:?} of {} is not used again", self.address);
    }

    /// Compares the server with the ledger, then takes the server's word for what was under way.
    pub fn audit(&mut self, ports: Ports) -> io::Result<()> {
        let mut imap = Wire::imap(ports.imap, &self.address, &self.password)?;
        let mut found: HashMap<String, Vec<(Folder, bool)>> = HashMap::new();
        for folder in Folder::ALL {
            let (validity, messages) = listing(&mut imap, folder.name())?;
            for message in messages {
                self.learn(folder, validity, message.uid, &message.subject);
                found.entry(message.subject).or_default().push((folder, message.flagged));
            }
        }
        for token in found.keys() {
            assert!(self.ledger.contains_key(token), "{token} is there though nobody sent it");
        }
        for (token, entry) in &mut self.ledger {
            let places = found.remove(token).unwrap_or_default();
            match (entry.place, &places[..]) {
                (Place::In(folder), [(there, _)]) if *there == folder => {}
                (Place::InEither, [(there, _)]) => entry.place = Place::In(*there),
                (Place::Maybe(folder), [(there, _)]) if *there == folder => entry.place = Place::In(folder),
                (Place::Maybe(_) | Place::Gone, []) => entry.place = Place::Gone,
                (place, places) => panic!("{token} of {}: the ledger says {place:?}, found {places:?}", self.address),
            }
            if let [(_, flagged)] = places[..] {
                assert!(
                    entry.flagged.is_none_or(|known| known == flagged),
                    "{token}: \\Flagged is {flagged}, ledger {entry:?}"
                );
                entry.flagged = Some(flagged);
            }
        }
        // What is gone for sure need not be looked for again.
        self.ledger.retain(|_, entry| entry.place != Place::Gone);
        Ok(())
    }
}
