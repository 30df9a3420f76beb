//! A client without a connection: commands go straight to the executor, replies are pulled to their end.

use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::pin;

use access::imap::{Answer, Session};
use access::reply::{Coding, LOW_WATER, Reply, Step, Supply};
use bytes::Bytes;
use pollster::block_on;
use proto::imap::command::Body;
use proto::imap::parse;
use store::memory::Memory;
use store::{AccountId, Address, Directory, Mailboxes, MessageId, NewAccount, Source};

use crate::failing::Failing;

/// A store with one account, `ann@example.test`.
pub struct World {
    pub store: Memory,
    /// The same, as clients see it.
    pub failing: Failing,
    pub account: AccountId,
}

pub struct Client {
    store: Failing,
    pub session: Session,
    /// How often others had their turn.
    pub rests: usize,
}

/// Octets that a reply may append past [`LOW_WATER`]: its last row, or `* FLAGS` with all the keywords that a
/// folder may have.
const MAX_PART: usize = 64 * 1024;

impl World {
    pub fn new() -> Self {
        Self::with_quota(None)
    }

    pub fn with_quota(quota: Option<u64>) -> Self {
        let store = Memory::new();
        block_on(store.add_domain("example.test")).unwrap();
        let address = Address::parse("ann@example.test").unwrap();
        let new = NewAccount { address, aliases: Vec::new(), source: Source::Local, password: None, quota, created: 0 };
        let account = block_on(store.create(new)).unwrap();
        Self { failing: Failing::new(store.clone()), store, account }
    }

    pub fn client(&self) -> Client {
        Client { store: self.failing.clone(), session: Session::new(self.account), rests: 0 }
    }

    /// A client that has INBOX selected, with these messages in it.
    pub fn reader(&self, messages: &[&str]) -> Client {
        let mut client = self.client();
        for message in messages {
            client.append("INBOX", message);
        }
        client.run("SELECT INBOX");
        client
    }
}

impl Client {
    /// Gives a command, without its tag, and reads all lines of the reply; the tagged line begins with `.`.
    pub fn run(&mut self, command: &str) -> String {
        let command = format!(". {command}");
        let command = match parse::command(command.as_bytes(), &parse::Limits::default()) {
            Ok(command) => command,
            Err((_, error)) => panic!("{command}: {error:?}"),
        };
        let mut rests = 0;
        let mut answer = {
            let mut executed = pin!(self.session.execute(&self.store, command));
            // The store in memory never makes anybody wait.
            block_on(poll_fn(|context| {
                let polled = executed.as_mut().poll(context);
                rests += usize::from(polled.is_pending());
                polled
            }))
        };
        self.rests += rests;
        self.read(&mut answer)
    }

    /// Gives a command and compares the whole reply, of which `expected` has a line each.
    #[track_caller]
    pub fn expect(&mut self, command: &str, expected: &[&str]) {
        let read = self.run(command);
        let lines: Vec<&str> = read.lines().collect();
        assert_eq!(lines, expected, "{command}");
    }

    /// What IDLE would tell now.
    #[track_caller]
    pub fn expect_updates(&mut self, expected: &[&str]) {
        let mut answer = block_on(self.session.updates(&self.store));
        let read = self.read(&mut answer);
        assert_eq!(read.lines().collect::<Vec<_>>(), expected);
    }

    pub fn append(&mut self, mailbox: &str, message: &str) -> String {
        self.append_with(&format!("\"{mailbox}\""), message)
    }

    /// `arguments` as they stand before the message.
    pub fn append_with(&mut self, arguments: &str, message: &str) -> String {
        let text = format!(". APPEND {arguments} {{{}}}\r\n", message.len());
        let command = parse::command(text.as_bytes(), &parse::Limits::default()).unwrap();
        let Body::Append(append) = command.body else { panic!("{text}") };
        match block_on(self.session.append_begin(&self.store, 0, command.tag, &append)) {
            Err(mut refused) => self.read(&mut refused),
            Ok(mut appending) => {
                for piece in message.as_bytes().chunks(10_000) {
                    block_on(appending.write(piece));
                }
                let mut answer = block_on(self.session.append_end(&self.store, appending));
                self.read(&mut answer)
            }
        }
    }

    /// A store may answer with fewer octets than asked for.
    fn octets(&self, message: MessageId, range: Range<u64>) -> store::Result<Bytes> {
        let mut all = Vec::new();
        loop {
            let octets = block_on(self.store.read(message, range.start + all.len() as u64..range.end))?;
            all.extend_from_slice(&octets);
            if octets.is_empty() || all.len() as u64 == range.end - range.start {
                return Ok(all.into());
            }
        }
    }

    /// Does what the driver does: writes out, splices, supplies.
    fn read(&mut self, answer: &mut Answer) -> String {
        let mut out = Vec::new();
        loop {
            let before = out.len();
            let step = answer.output(&mut out);
            assert!(out.len() - before <= LOW_WATER + MAX_PART, "a step of {} octets", out.len() - before);
            match step {
                Step::Done => return String::from_utf8(out).unwrap(),
                Step::More => assert!(out.len() > before, "a step without progress"),
                Step::Rest => self.rests += 1,
                Step::Splice(splice) => {
                    assert_eq!(splice.coding, Coding::Plain);
                    let octets = self.octets(splice.message, splice.range.clone()).unwrap();
                    assert_eq!(octets.len() as u64, splice.range.end - splice.range.start);
                    out.extend_from_slice(&octets);
                }
                Step::Outlines(messages) => {
                    assert!(!messages.is_empty());
                    answer.supply(Supply::Outlines(block_on(self.store.outlines(&messages)).unwrap()));
                }
                Step::Octets { message, range } => {
                    answer.supply(Supply::Octets(self.octets(message, range)));
                }
            }
        }
    }
}
