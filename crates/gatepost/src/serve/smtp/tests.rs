//! Whole sessions over a stream in memory, on the in-memory store.

mod strangers;
mod trouble;

use proto::logon::Channel;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::logon::Secret;
use store::memory::Memory;
use store::{AcceptedDomain, AccountId, Address, Directory, FolderName, Mailboxes, NewAccount, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::connection::Protocol;
use crate::connection::{Drain, Peer as Ends, Terms};
use crate::logon::{Hashing, Logon, Vault};

struct Server {
    store: Arc<Memory>,
    site: Site,
    receiving: Receiving,
}

impl Server {
    async fn new() -> Self {
        let store = Arc::new(Memory::new());
        let hashing = Hashing::new(4, Vault::fleeting().unwrap(), 4096).unwrap();
        store.add_domain("example.test").await.unwrap();
        store.add_domain("other.test").await.unwrap();
        let password = Some(hashing.hash(Secret::new("secret".into()), false).await.unwrap());
        for (local, quota) in [("zoe", None), ("ann", None), ("small", Some(2000))] {
            let address = Address::parse(&format!("{local}@example.test")).unwrap();
            let aliases = match local {
                "ann" => vec![Address::parse("alias@other.test").unwrap()],
                _ => Vec::new(),
            };
            let account =
                NewAccount { address, aliases, source: Source::Local, password: password.clone(), quota, created: 0 };
            store.create(account).await.unwrap();
        }
        let logon = Logon::new(store.clone(), hashing, 60, Duration::from_secs(600), 2, "mail.example.test");
        let addresses = [[127, 0, 0, 1].into()];
        let connectors =
            [ReceiveConnector::default_connector(&addresses), ReceiveConnector::client_connector(&addresses)];
        let without_tarpit = |mut connector: ReceiveConnector| {
            connector.limits.tarpit_interval = Duration::ZERO;
            Arc::new(connector)
        };
        Self {
            site: Site {
                host: "mx.test".into(),
                directory: store.clone(),
                mailboxes: store.clone(),
                logon,
                max_message_size: 36 * 1024 * 1024,
            },
            receiving: Receiving {
                connectors: connectors.map(without_tarpit).into(),
                tls: Tls { available: true, implicit_port: Some(465) },
                max_connections_per_user: 16,
                extended_protection: ExtendedProtection::None,
            },
            store,
        }
    }

    /// Sends all the text at once and gives all the replies; on port 465 as if under TLS.
    async fn talk(&self, port: u16, text: &str) -> String {
        let (here, mut there) = duplex(1024 * 1024);
        let drain = Drain::default();
        let terms = Terms {
            protocol: Protocol::Smtp,
            tls: None,
            handshake: Duration::from_secs(30),
            stall: Duration::from_secs(300),
        };
        let ends = Ends { remote: ([192, 0, 2, 1], 1024).into(), local: ([127, 0, 0, 1], port).into() };
        let channel = if port == 465 { Channel::Implicit } else { Channel::Clear };
        let mut connection = Connection::over(here, channel, ends, 1, Arc::new(terms), drain.connection());
        there.write_all(text.as_bytes()).await.unwrap();
        there.shutdown().await.unwrap();
        serve(&mut connection, &self.site, &self.receiving).await;
        drop(connection);
        let mut replies = String::new();
        there.read_to_string(&mut replies).await.unwrap();
        replies
    }

    /// The replies after the greeting and the answer to EHLO.
    async fn replies(&self, port: u16, text: &str) -> Vec<String> {
        let all = self.talk(port, &format!("EHLO client.test\r\n{text}QUIT\r\n")).await;
        let lines = all.lines().skip_while(|line| *line != "250 CHUNKING").skip(1);
        lines.map(str::to_owned).filter(|line| !line.starts_with("221 ")).collect()
    }

    /// The messages in somebody's INBOX.
    async fn inbox(&self, local: &str) -> Vec<String> {
        let address = Address::parse(&format!("{local}@example.test")).unwrap();
        let account = self.store.find(&address).await.unwrap().unwrap();
        let folders = self.store.folders(account.id).await.unwrap();
        let listing = self.store.listing(folders.by_name(&FolderName::inbox()).unwrap().id).await.unwrap();
        let mut messages = Vec::new();
        for row in listing.rows() {
            let mut octets = Vec::new();
            loop {
                let more = self.store.read(row.message, octets.len() as u64..u64::MAX).await.unwrap();
                if more.is_empty() {
                    break;
                }
                octets.extend_from_slice(&more);
            }
            messages.push(String::from_utf8(octets).unwrap());
        }
        messages
    }
}

fn log_on(user: &str) -> String {
    format!("AUTH PLAIN {}\r\n", STANDARD.encode(format!("\0{user}\0secret")))
}

const STRANGER: &str = "MAIL FROM:<a@elsewhere.test>\r\n";
const TO_ANN: &str = "RCPT TO:<ann@example.test>\r\n";

fn message(envelope: &str, text: &str) -> String {
    format!("{envelope}DATA\r\n{text}\r\n.\r\n")
}

#[tokio::test]
async fn a_strangers_message_is_in_the_inbox_before_250() {
    let server = Server::new().await;
    let replies = server.replies(25, &message(&format!("{STRANGER}{TO_ANN}"), "Subject: x\r\n\r\n..dot")).await;
    assert_eq!(
        replies[..3],
        ["250 2.1.0 Sender OK", "250 2.1.5 Recipient OK", "354 Start mail input; end with <CRLF>.<CRLF>"]
    );
    let id = replies[3].strip_prefix("250 2.6.0 ").unwrap().strip_suffix(" Queued mail for delivery").unwrap();
    let inbox = server.inbox("ann").await;
    let start = format!(
        "Return-Path: <a@elsewhere.test>\r\nReceived: from client.test ([192.0.2.1])\r\n\tby mx.test (Gatepost) with ESMTP\r\n\
         \tid {id} for <ann@example.test>;\r\n\t"
    );
    assert!(inbox[0].starts_with(&start), "{}", inbox[0]);
    assert!(inbox[0].ends_with(" +0000\r\nSubject: x\r\n\r\n.dot\r\n"), "{}", inbox[0]);
    assert_eq!(inbox.len(), 1);
}

#[tokio::test]
async fn chunks_make_one_message() {
    let server = Server::new().await;
    let replies = server
        .replies(25, &format!("{STRANGER}{TO_ANN}BDAT 12\r\nSubject: x\r\nBDAT 2\r\n\r\nBDAT 3 LAST\r\n.\r\n"))
        .await;
    assert_eq!(replies[2..4], ["250 2.0.0 12 octets received", "250 2.0.0 2 octets received"]);
    assert!(replies[4].starts_with("250 2.6.0 "));
    assert!(server.inbox("ann").await[0].ends_with("Subject: x\r\n\r\n.\r\n"));
}

#[tokio::test]
async fn the_last_line_of_chunks_is_given_its_end_so_that_pop3_counts_right() {
    let server = Server::new().await;
    for chunks in [
        "BDAT 17 LAST\r\nSubject: x\r\n\r\nend",
        "BDAT 14\r\nSubject: x\r\n\r\nBDAT 3 LAST\r\nend",
        "BDAT 3 LAST\r\nend",
    ] {
        server.replies(25, &format!("{STRANGER}{TO_ANN}{chunks}")).await;
        let inbox = server.inbox("ann").await;
        assert!(inbox.last().unwrap().ends_with("\r\n\r\nend\r\n"), "{inbox:?}");
    }
    assert_eq!(server.inbox("ann").await.len(), 3);
}

#[tokio::test]
async fn an_account_gets_a_message_once_and_each_account_its_own_trace() {
    let server = Server::new().await;
    let envelope = format!("{STRANGER}{TO_ANN}RCPT TO:<alias@other.test>\r\n{TO_ANN}RCPT TO:<Zoe@Example.test>\r\n");
    server.replies(25, &message(&envelope, "Subject: x\r\n")).await;
    let (ann, zoe) = (server.inbox("ann").await, server.inbox("zoe").await);
    assert_eq!((ann.len(), zoe.len()), (1, 1));
    assert!(ann[0].contains(" for <ann@example.test>;") && !ann[0].contains("alias") && !ann[0].contains("oe@"));
    assert!(zoe[0].contains(" for <Zoe@example.test>;"));
}

#[tokio::test]
async fn postmaster_and_abuse_reach_the_first_mailbox_unless_they_have_one() {
    let server = Server::new().await;
    for to in ["postmaster", "POSTMASTER@example.test", "postmaster@other.test", "abuse@example.test"] {
        let replies = server.replies(25, &message(&format!("MAIL FROM:<>\r\nRCPT TO:<{to}>\r\n"), "x: y\r\n")).await;
        assert!(replies[3].starts_with("250 2.6.0 "), "{to}: {replies:?}");
    }
    // zoe was made before ann.
    assert_eq!((server.inbox("zoe").await.len(), server.inbox("ann").await.len()), (4, 0));
    let address = Address::parse("postmaster@example.test").unwrap();
    let account =
        NewAccount { address, aliases: Vec::new(), source: Source::Local, password: None, quota: None, created: 0 };
    server.store.create(account).await.unwrap();
    server.replies(25, &message("MAIL FROM:<>\r\nRCPT TO:<postmaster>\r\n", "x: y\r\n")).await;
    assert_eq!(server.inbox("postmaster").await.len(), 1);
}

#[tokio::test]
async fn a_user_sends_as_itself_and_its_message_is_completed() {
    let server = Server::new().await;
    let ann = log_on("ann@example.test");
    let own = message(
        &format!("{ann}MAIL FROM:<ann@example.test>\r\nRCPT TO:<zoe@example.test>\r\n"),
        "From: Ann <alias@other.test>\r\n",
    );
    let replies = server.replies(465, &own).await;
    assert_eq!(replies[0], "235 2.7.0 Authentication successful");
    assert!(replies[4].starts_with("250 2.6.0 "), "{replies:?}");
    let zoe = server.inbox("zoe").await;
    assert!(
        zoe[0].contains(" with ESMTPA\r\n") && zoe[0].contains("\r\nDate: ") && zoe[0].contains("\r\nMessage-ID: <"),
        "{}",
        zoe[0]
    );

    let refusal = "550 5.7.1 Client does not have permissions to send as this sender";
    let other = format!("{ann}MAIL FROM:<zoe@example.test>\r\n");
    assert_eq!(server.replies(465, &other).await[1], refusal);
    for header in [
        "From: zoe@example.test\r\n\r\nx",
        "From: zoe@example.test",
        "From: ann@example.test\r\nFrom: zoe@example.test\r\n\r\n",
    ] {
        let forged = message(&format!("{ann}MAIL FROM:<ann@example.test>\r\n{TO_ANN}"), header);
        let replies = server.replies(465, &format!("{forged}NOOP\r\n")).await;
        assert_eq!(replies[3..], ["354 Start mail input; end with <CRLF>.<CRLF>", refusal, "250 2.0.0 OK"], "{header}");
    }
    assert!(server.inbox("ann").await.is_empty());
    let outside = format!("{ann}MAIL FROM:<ann@example.test>\r\nRCPT TO:<x@elsewhere.test>\r\n");
    assert_eq!(
        server.replies(465, &outside).await[2],
        "550 5.7.1 Unable to relay: this server has no send connector, so it delivers to its own domains only"
    );
}

#[tokio::test]
async fn strangers_are_refused_with_the_words_of_their_case() {
    let server = Server::new().await;
    for (port, text, reply) in [
        (25, format!("{STRANGER}RCPT TO:<x@elsewhere.test>\r\n"), "550 5.7.1 Unable to relay"),
        (25, format!("{STRANGER}RCPT TO:<nobody@example.test>\r\n"), "550 5.1.1 User unknown"),
        (
            25,
            "MAIL FROM:<ann@example.test>\r\n".to_owned(),
            "550 5.7.1 Anonymous client does not have permissions to send as this sender",
        ),
        (25, log_on("ann"), "504 5.7.4 Unrecognized authentication type. Use STARTTLS first, or port 465."),
        (587, STRANGER.to_owned(), "530 5.7.1 Client was not authenticated"),
        (465, STRANGER.to_owned(), "530 5.7.1 Client was not authenticated"),
        (465, log_on("nobody"), "535 5.7.3 Authentication unsuccessful"),
    ] {
        assert_eq!(server.replies(port, &text).await.last().map(String::as_str), Some(reply), "{port} {text}");
    }
    assert_eq!(server.talk(2525, "").await, "554 5.3.2 No SMTP service here for your address\r\n");
}

#[tokio::test]
async fn a_stranger_may_write_any_from() {
    let server = Server::new().await;
    let forged = message(&format!("{STRANGER}{TO_ANN}"), "From: zoe@example.test\r\nFrom: x\r\n");
    assert!(server.replies(25, &forged).await[3].starts_with("250 2.6.0 "));
}

#[tokio::test]
async fn a_mailbox_without_room_is_told_of_at_once_or_before_anything_is_placed() {
    let server = Server::new().await;
    let small = "RCPT TO:<small@example.test>\r\n";
    let announced = format!("MAIL FROM:<a@elsewhere.test> SIZE=2001\r\n{small}{TO_ANN}");
    assert_eq!(
        server.replies(25, &announced).await,
        ["250 2.1.0 Sender OK", "452 4.2.2 Mailbox full", "250 2.1.5 Recipient OK"]
    );
    let text = format!("Subject: x\r\n\r\n{}", "x".repeat(1900));
    let replies = server.replies(25, &message(&format!("{STRANGER}{TO_ANN}{small}"), &text)).await;
    assert_eq!(replies[4], "452 4.2.2 Mailbox full");
    assert_eq!((server.inbox("ann").await.len(), server.inbox("small").await.len()), (0, 0));
    let replies = server.replies(25, &message(&format!("{STRANGER}{TO_ANN}{small}"), "Subject: y\r\n")).await;
    assert!(replies[4].starts_with("250 2.6.0 "));
    assert_eq!((server.inbox("ann").await.len(), server.inbox("small").await.len()), (1, 1));
}

#[tokio::test]
async fn a_message_that_has_come_too_far_or_whose_header_is_too_long_is_refused() {
    let server = Server::new().await;
    for (text, reply) in [
        ("Received: x\r\n".repeat(61), "554 5.4.6 Hop count exceeded, possible mail loop (limit 60)"),
        (
            format!("X: {}", "x".repeat(256 * 1024)),
            "552 5.3.4 Header size exceeds fixed maximum size (limit 262144 octets)",
        ),
        (
            "Subject: x\r\n\r\na\nb".to_owned(),
            "550 5.6.11 Message contains a bare CR or LF; every line must end in CRLF",
        ),
    ] {
        let replies = server.replies(25, &format!("{}NOOP\r\n", message(&format!("{STRANGER}{TO_ANN}"), &text))).await;
        assert_eq!(replies[3..], [reply, "250 2.0.0 OK"]);
    }
    assert!(server.inbox("ann").await.is_empty());
}

#[tokio::test]
async fn text_without_a_header_is_not_taken_for_one() {
    let server = Server::new().await;
    for text in ["hello\r\n", " hello: you\r\n", "hello\r\nFrom: zoe@example.test\r\n"] {
        server.replies(25, &message(&format!("{STRANGER}{TO_ANN}"), text)).await;
        let inbox = server.inbox("ann").await;
        assert!(inbox.last().unwrap().ends_with(&format!(" +0000\r\n\r\n{text}\r\n")), "{inbox:?}");
    }
    let chunks = "BDAT 2\r\nheBDAT 3\r\nlloBDAT 0 LAST\r\n";
    server.replies(25, &format!("{STRANGER}{TO_ANN}{chunks}")).await;
    assert!(server.inbox("ann").await.last().unwrap().ends_with(" +0000\r\n\r\nhello\r\n"));
}

#[tokio::test]
async fn a_message_that_breaks_off_leaves_nothing_behind() {
    let server = Server::new().await;
    for rest in
        ["DATA\r\nSubject: x\r\n", "DATA\r\nSubject: x\r\n.", "BDAT 100 LAST\r\nSubject: x\r\n", "BDAT 3\r\nx\r\n"]
    {
        server.talk(25, &format!("EHLO c\r\n{STRANGER}{TO_ANN}{rest}")).await;
    }
    assert!(server.inbox("ann").await.is_empty());
}

#[tokio::test]
async fn an_account_removed_meanwhile_is_unknown_and_a_session_goes_on() {
    let server = Server::new().await;
    server.store.remove(AccountId(2)).await.unwrap();
    let domains: Arc<Vec<AcceptedDomain>> = server.store.domains().await.unwrap();
    assert_eq!(domains.len(), 2);
    assert_eq!(
        server.replies(25, &format!("{STRANGER}{TO_ANN}NOOP\r\n")).await[1..],
        ["550 5.1.1 User unknown", "250 2.0.0 OK"]
    );
}

#[tokio::test]
async fn a_message_may_be_as_large_as_the_server_is_set_to_take() {
    let mut server = Server::new().await;
    for size in [1_000, 100_000_000] {
        server.site.max_message_size = size;
        let replies = server.talk(25, "EHLO c\r\n").await;
        assert!(replies.contains(&format!("\n250-SIZE {size}\r\n")), "{replies}");
    }
}

#[tokio::test]
async fn a_strangers_word_on_what_our_servers_tell_each_other_does_not_arrive() {
    let server = Server::new().await;
    let text = "X-MS-Exchange-Organization-SCL: -1\r\nSubject: x\r\nX-MS-Exchange-Forest-A:\r\n b\r\n\r\n\
                X-MS-Exchange-Organization-SCL: text";
    for envelope in
        [format!("{STRANGER}{TO_ANN}"), format!("{}MAIL FROM:<ann@example.test>\r\n{TO_ANN}", log_on("ann"))]
    {
        server.replies(465, &message(&envelope, text)).await;
        server.replies(25, &message(&envelope, text)).await;
    }
    let inbox = server.inbox("ann").await;
    assert!(!inbox.is_empty());
    for message in inbox {
        assert!(message.ends_with("\r\nSubject: x\r\n\r\nX-MS-Exchange-Organization-SCL: text\r\n"), "{message}");
        assert_eq!(message.matches("X-MS-Exchange").count(), 1, "{message}");
    }
}
