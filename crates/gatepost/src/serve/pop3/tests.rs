use crate::connection::Protocol;
use std::time::Duration;

use bytes::Bytes;
use management::{Service, ServiceSettings};
use proto::logon::{Channel, Secret};
use store::memory::Memory;
use store::{Accept, AccountId, Address, Directory as _, Flags, NewAccount, Placement, SettingsMap, Source, UidSet};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;
use crate::connection::{Drain, Peer, Terms};
use crate::logon::{Hashing, Logon, Vault};

/// Ann's mailbox with two messages, and a server for it.
struct House {
    store: Memory,
    ann: AccountId,
    inbox: FolderId,
    site: Arc<Site>,
    started: Arc<Started>,
    drain: Drain,
}

impl House {
    async fn new() -> Self {
        let store = Memory::new();
        store.add_domain("example.test").await.unwrap();
        let hashing = Hashing::new(4, Vault::fleeting().unwrap(), 4096).unwrap();
        let password = Some(hashing.hash(Secret::new("secret".into()), false).await.unwrap());
        let address = Address::parse("ann@example.test").unwrap();
        let account = NewAccount { address, aliases: vec![], source: Source::Local, password, quota: None, created: 0 };
        let ann = store.create(account).await.unwrap();
        let inbox = store.folders(ann).await.unwrap().by_name(&FolderName::inbox()).unwrap().id;
        for text in ["Subject: one\r\n\r\n1\r\n", "Subject: two\r\n\r\n2\r\n"] {
            let mut writer = store.stage(None).await.unwrap();
            writer.write(text.as_bytes()).await.unwrap();
            let placement = Placement {
                folder: inbox,
                prefix: Bytes::new(),
                flags: Flags::NONE,
                keywords: vec![],
                internal_date: 0,
                delivery: None,
            };
            let accept = Accept::each(writer.finish().await.unwrap(), vec![placement]);
            store.accept(accept).await.unwrap().remove(0).unwrap();
        }
        let directory = Arc::new(store.clone());
        let site = Site {
            host: String::new(),
            directory: directory.clone(),
            mailboxes: directory.clone(),
            logon: Logon::new(directory, hashing, 60, Duration::from_secs(600), 2, "mail.example.test"),
            max_message_size: 1,
        };
        let settings = ServiceSettings::load(&SettingsMap::new(), Service::Pop3).unwrap();
        let started = Started { settings, tls: identity::Tls { available: false, implicit_port: None } };
        let (site, started) = (Arc::new(site), Arc::new(started));
        Self { store, ann, inbox, site, started, drain: Drain::default() }
    }

    fn connection(&self, socket: DuplexStream) -> Connection<DuplexStream> {
        let terms = Terms {
            protocol: Protocol::Pop3,
            tls: None,
            handshake: Duration::from_secs(30),
            stall: Duration::from_secs(300),
        };
        let peer = Peer { remote: ([127, 0, 0, 1], 1).into(), local: ([127, 0, 0, 1], 995).into() };
        Connection::over(socket, Channel::Implicit, peer, 1, Arc::new(terms), self.drain.connection())
    }

    /// A client that has said so much and been answered.
    async fn client(&self, says: &str, answers: &[&str]) -> Client {
        let (client, socket) = duplex(1024);
        let (mut connection, site, started) = (self.connection(socket), self.site.clone(), self.started.clone());
        let server = tokio::spawn(async move { serve(&mut connection, &site, &started).await });
        let mut client = Client { wire: BufReader::new(client), server };
        client.expect(&["+OK The Gatepost POP3 service is ready."]).await;
        client.say("USER ann\r\nPASS secret\r\n", &["+OK"]).await;
        client.say(says, answers).await;
        client
    }

    /// As an IMAP session would.
    async fn expunge_all(&self) {
        self.store.apply(self.inbox, UidSet::all(), Change::Expunge, None).await.unwrap();
    }
}

struct Client {
    wire: BufReader<DuplexStream>,
    server: JoinHandle<End>,
}

impl Client {
    async fn say(&mut self, says: &str, answers: &[&str]) {
        self.wire.write_all(says.as_bytes()).await.unwrap();
        self.expect(answers).await;
    }

    async fn expect(&mut self, answers: &[&str]) {
        for answer in answers {
            let mut line = String::new();
            self.wire.read_line(&mut line).await.unwrap();
            assert_eq!(line, format!("{answer}\r\n"));
        }
    }
}

const LOGGED_ON: &str = "+OK User successfully logged on.";
const MARKED: &str = "+OK The message is marked as deleted.";
const SIGNING_OFF: &str = "+OK Gatepost POP3 server signing off.";

/// What waits for its client is there once for each connection; what works for it is boxed and dropped.
#[tokio::test]
async fn a_connection_that_waits_is_small() {
    let house = House::new().await;
    let mut connection = house.connection(duplex(1).1);
    let serving = serve(&mut connection, &house.site, &house.started);
    assert!(size_of_val(&serving) <= 1536, "{} octets", size_of_val(&serving));
}

#[tokio::test]
async fn what_quit_could_not_remove_is_said() {
    let house = House::new().await;
    let mut client = house.client("DELE 1\r\n", &[LOGGED_ON, MARKED]).await;
    house.store.remove(house.ann).await.unwrap();
    client.say("QUIT\r\n", &["-ERR [SYS/TEMP] some deleted messages not removed"]).await;
    assert!(matches!(client.server.await.unwrap(), End::Finished));
}

#[tokio::test]
async fn what_another_session_removed_is_removed() {
    let house = House::new().await;
    let mut client = house.client("DELE 1\r\n", &[LOGGED_ON, MARKED]).await;
    house.expunge_all().await;
    client.say("STAT\r\nQUIT\r\n", &["+OK 1 19", SIGNING_OFF]).await;
}

#[tokio::test]
async fn a_message_removed_meanwhile_can_be_fetched_until_it_is_gone() {
    let house = House::new().await;
    let mut client = house.client("", &[LOGGED_ON]).await;
    house.expunge_all().await;
    client.say("RETR 1\r\n", &["+OK 19 octets", "Subject: one", "", "1", "."]).await;
    house.store.end_retention();
    let gone = "-ERR [SYS/PERM] The message is gone: another session removed it. Log on again for a new list.";
    client.say("RETR 1\r\nNOOP\r\n", &[gone, "+OK"]).await;
}

#[tokio::test]
async fn a_client_that_disappears_removes_nothing_and_leaves_no_lock() {
    let house = House::new().await;
    let client = house.client("DELE 1\r\nDELE 2\r\n", &[LOGGED_ON, MARKED, MARKED]).await;
    drop(client.wire);
    assert!(matches!(client.server.await.unwrap(), End::Closed));
    house.client("STAT\r\n", &[LOGGED_ON, "+OK 2 38"]).await;
}

#[tokio::test]
async fn a_stopping_service_removes_nothing_that_quit_did_not_ask_for() {
    let house = House::new().await;
    let mut client = house.client("DELE 1\r\n", &[LOGGED_ON, MARKED]).await;
    house.drain.begin();
    client.expect(&["-ERR [SYS/TEMP] The server is shutting down. Try again later."]).await;
    drop(client.wire);
    client.server.await.unwrap();
    assert_eq!(house.store.listing(house.inbox).await.unwrap().len(), 2);
}

#[tokio::test]
async fn one_session_at_a_time_has_the_maildrop() {
    let house = House::new().await;
    let mut first = house.client("", &[LOGGED_ON]).await;
    let in_use = "-ERR [IN-USE] The mailbox is in use by another POP3 session. Try again when it has ended.";
    let mut second = house.client("", &[in_use]).await;
    first.say("QUIT\r\n", &[SIGNING_OFF]).await;
    second.say("USER ann@example.test\r\nPASS secret\r\n", &["+OK", LOGGED_ON]).await;
}
