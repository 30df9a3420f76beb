use std::time::Duration;

use access::reply::{Coding, Reply, Splice, Step, Supply};
use proto::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

/// A line is a request; `BYE` ends the session; a line longer than 1,000 octets is never taken.
#[derive(Default)]
struct Lines {
    out: Vec<u8>,
    waiting: bool,
    closed: bool,
    deadline: Option<Instant>,
}

impl Session for Lines {
    type Request = Range<usize>;
    type Answer = &'static str;

    fn wants_input(&self) -> bool {
        !self.waiting && !self.closed
    }

    fn input(&mut self, now: Instant, bytes: &[u8]) -> (usize, Option<Self::Request>) {
        let Some(end) = bytes.iter().position(|&b| b == b'\n') else { return (0, None) };
        self.deadline = Some(now + Duration::from_secs(60));
        if &bytes[..end] == b"BYE" {
            self.out.extend_from_slice(b"bye\n");
            self.closed = true;
            return (end + 1, None);
        }
        self.waiting = true;
        (end + 1, Some(0..end))
    }

    fn answer(&mut self, _: Instant, answer: Self::Answer) {
        self.waiting = false;
        self.out.extend_from_slice(answer.as_bytes());
    }

    fn output(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn timeout(&mut self, _: Instant) {
        self.out.extend_from_slice(b"too late\n");
        self.closed = true;
    }

    fn shutdown(&mut self) {
        self.out.extend_from_slice(b"going down\n");
        self.closed = true;
    }

    fn is_closed(&self) -> bool {
        self.closed
    }
}

fn terms(stall: Duration) -> Arc<Terms> {
    Arc::new(Terms { protocol: Protocol::Imap, tls: None, handshake: Duration::from_secs(30), stall })
}

fn peer() -> Peer {
    Peer { remote: ([127, 0, 0, 2], 1024).into(), local: ([127, 0, 0, 1], 143).into() }
}

fn connected(size: usize, drain: &Drain) -> (Connection<DuplexStream>, DuplexStream) {
    let (here, there) = duplex(size);
    let terms = terms(Duration::from_secs(5));
    (Connection::over(here, Channel::Clear, peer(), 1, terms, drain.connection()), there)
}

#[tokio::test]
async fn pipelined_requests_come_one_at_a_time_whatever_the_splits() {
    let text = b"one\ntwo\nthree\nBYE\n";
    for split in 0..text.len() {
        let drain = Drain::default();
        let (mut connection, mut client) = connected(1024, &drain);
        let sender = async move {
            client.write_all(&text[..split]).await.unwrap();
            tokio::task::yield_now().await;
            client.write_all(&text[split..]).await.unwrap();
            let mut answers = String::new();
            client.read_to_string(&mut answers).await.unwrap();
            answers
        };
        let server = async {
            let (mut session, mut seen) = (Lines::default(), Vec::new());
            let end = loop {
                match connection.next(&mut session).await {
                    Ok(range) => {
                        seen.push(connection.received(range).to_vec());
                        session.answer(connection.now(), "ok\n");
                    }
                    Err(end) => break end,
                }
            };
            drop(connection);
            (end, seen)
        };
        let (answers, (end, seen)) = tokio::join!(sender, server);
        assert!(matches!(end, End::Finished), "{end}");
        assert_eq!(seen, [&b"one"[..], b"two", b"three"], "split at {split}");
        assert_eq!(answers, "ok\nok\nok\nbye\n");
    }
}

#[tokio::test]
async fn a_session_that_takes_nothing_ends_at_the_most_that_is_held() {
    let drain = Drain::default();
    let (mut connection, mut client) = connected(256 * 1024, &drain);
    client.write_all(&vec![b'x'; 200 * 1024]).await.unwrap();
    let end = connection.next(&mut Lines::default()).await.unwrap_err();
    assert!(matches!(end, End::Overrun(held) if (Received::MAX..Received::MAX + 16 * 1024).contains(&held)), "{end}");
}

#[tokio::test]
async fn nothing_is_held_while_the_client_is_waited_for() {
    let drain = Drain::default();
    let (mut connection, mut client) = connected(1024, &drain);
    client.write_all(b"hello\n").await.unwrap();
    let mut session = Lines::default();
    connection.next(&mut session).await.unwrap();
    session.answer(connection.now(), "ok\n");
    let one_turn_later = async {
        tokio::task::yield_now().await;
    };
    let woken = connection.next_or(&mut session, one_turn_later).await.unwrap();
    assert!(matches!(woken, Wake::Event(())));
    assert_eq!((connection.received.capacity(), connection.out.capacity()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_moved_away_is_kept_and_one_that_passed_ends_the_session() {
    let drain = Drain::default();
    let (mut connection, mut client) = connected(1024, &drain);
    let server = tokio::spawn(async move {
        let mut session = Lines::default();
        loop {
            match connection.next(&mut session).await {
                Ok(_) => session.answer(connection.now(), "ok\n"),
                Err(end) => return end,
            }
        }
    });
    let mut answer = [0; 3];
    for _ in 0..3 {
        client.write_all(b"more\n").await.unwrap();
        client.read_exact(&mut answer).await.unwrap();
        tokio::time::advance(Duration::from_secs(40)).await;
    }
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "too late\n");
    drop(client);
    assert!(matches!(server.await.unwrap(), End::TimedOut));
}

#[tokio::test]
async fn a_stopping_service_lets_its_sessions_take_leave() {
    let drain = Drain::default();
    let (mut connection, mut client) = connected(1024, &drain);
    let server = tokio::spawn(async move { connection.next(&mut Lines::default()).await.unwrap_err() });
    drain.begin();
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "going down\n");
    drop(client);
    assert!(matches!(server.await.unwrap(), End::Drained));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up_and_costs_no_more_than_the_low_water_mark() {
    struct Endless(usize);
    impl Reply for Endless {
        fn output(&mut self, out: &mut Vec<u8>) -> Step {
            self.0 += 1;
            out.extend_from_slice(&[b'x'; 4096]);
            Step::More
        }

        fn supply(&mut self, _: Supply) {}
    }
    let drain = Drain::default();
    let (mut connection, _client) = connected(1024, &drain);
    let mut reply = Endless(0);
    let end = connection.send(&mut reply, &Texts).await.unwrap_err();
    assert!(matches!(end, End::Stalled), "{end}");
    assert_eq!(reply.0, 4);
}

#[tokio::test]
async fn tls_after_a_greeting_in_clear_gets_an_alert() {
    let drain = Drain::default();
    let (mut connection, mut client) = connected(1024, &drain);
    let server = tokio::spawn(async move { connection.next(&mut Lines::default()).await.unwrap_err() });
    client.write_all(&[22, 3, 1, 0, 200, 1]).await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, [21, 3, 1, 0, 2, 2, 10]);
    drop(client);
    assert!(matches!(server.await.unwrap(), End::TlsOnClearPort));
}

#[tokio::test]
async fn clear_text_on_a_tls_port_gets_one_line() {
    let drain = Drain::default();
    let (here, mut client) = duplex(1024);
    let drained = drain.connection();
    let opened =
        tokio::spawn(Connection::open(here, Opening::Tls, peer(), 1, terms(Duration::from_secs(300)), drained));
    client.write_all(b"a1 LOGIN ann secret\r\n").await.unwrap();
    client.shutdown().await.unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "* BYE This port needs TLS from the start (SSL/TLS, not STARTTLS).\r\n");
    assert!(matches!(opened.await.unwrap(), Err(End::ClearOnTlsPort)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_for_a_greeting_on_a_tls_port_is_told_before_the_close() {
    let drain = Drain::default();
    let (here, mut client) = duplex(1024);
    let drained = drain.connection();
    let opened =
        tokio::spawn(Connection::open(here, Opening::Tls, peer(), 1, terms(Duration::from_secs(300)), drained));
    let mut said = String::new();
    client.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "* BYE This port needs TLS from the start (SSL/TLS, not STARTTLS).\r\n");
    drop(client);
    assert!(matches!(opened.await.unwrap(), Err(End::TimedOut)));
}

#[tokio::test(start_paused = true)]
async fn a_probe_loses_nothing_of_a_client_that_speaks_first() {
    let drain = Drain::default();
    let (here, mut client) = duplex(1024);
    client.write_all(b"early\n").await.unwrap();
    let opening = Opening::Greeting { probe: Duration::from_millis(200) };
    let opened = Connection::open(here, opening, peer(), 1, terms(Duration::from_secs(300)), drain.connection()).await;
    let mut connection = opened.unwrap();
    let range = connection.next(&mut Lines::default()).await.unwrap();
    assert_eq!(connection.received(range), b"early");

    // One that waits for the greeting gets it after the probe.
    let (here, _client) = duplex(1024);
    let started = tokio::time::Instant::now();
    let opened = Connection::open(here, opening, peer(), 1, terms(Duration::from_secs(300)), drain.connection()).await;
    assert!(opened.is_ok());
    assert_eq!(started.elapsed(), Duration::from_millis(200));
}

#[tokio::test]
async fn messages_are_spliced_at_any_size_the_store_answers_with() {
    struct Message(Option<Splice>);
    impl Reply for Message {
        fn output(&mut self, out: &mut Vec<u8>) -> Step {
            match self.0.take() {
                Some(splice) => {
                    out.push(b'<');
                    Step::Splice(splice)
                }
                None => {
                    out.push(b'>');
                    Step::Done
                }
            }
        }

        fn supply(&mut self, _: Supply) {}
    }
    for size in [0, 1, 1000, 16 * 1024, 16 * 1024 + 1, 200_000] {
        for coding in [Coding::Plain, Coding::DotStuffed { lines: None }] {
            let drain = Drain::default();
            let (mut connection, mut client) = connected(3000, &drain);
            let splice = Splice { message: store::MessageId(size), range: 0..size, coding };
            let sending = async {
                connection.send(&mut Message(Some(splice)), &Texts).await.unwrap();
                connection.flush().await.unwrap();
                drop(connection);
            };
            let mut got = Vec::new();
            let (_, read) = tokio::join!(sending, client.read_to_end(&mut got));
            read.unwrap();
            let (text, end) = (texts::octets(0..size), if size == 0 { &b".\r\n>"[..] } else { b"\r\n.\r\n>" });
            let end = if coding == Coding::Plain { b">" } else { end };
            assert_eq!(got, [b"<", &text[..], end].concat(), "{size} {coding:?}");
        }
    }
}

use texts::Texts;

/// Mailboxes that can be read only.
mod texts {
    use std::ops::Range;
    use std::sync::Arc;

    use bytes::Bytes;
    use store::*;

    pub struct Texts;

    pub fn octets(range: Range<u64>) -> Vec<u8> {
        range.map(|at| b'a' + (at % 23) as u8).collect()
    }

    fn none<'a, T: Send + 'a>() -> Future<'a, Result<T>> {
        Box::pin(std::future::ready(Err(Error::Unavailable("not here".into()))))
    }

    impl Mailboxes for Texts {
        /// The message of that number has so many octets; they come 10,000 at a time at most.
        fn read(&self, message: MessageId, range: Range<u64>) -> Future<'_, Result<Bytes>> {
            let end = range.end.min(message.0).min(range.start + 10_000 + range.start % 7 * 10_000);
            Box::pin(std::future::ready(Ok(octets(range.start..end).into())))
        }

        fn stage(&self, _: Option<u64>) -> Future<'_, Result<Box<dyn BodyWriter>>> {
            none()
        }

        fn accept(&self, _: Accept) -> Future<'_, Result<Vec<Result<Placed>>>> {
            none()
        }

        fn folders(&self, _: AccountId) -> Future<'_, Result<Arc<Folders>>> {
            none()
        }

        fn change_folders(&self, _: AccountId, _: FolderChange) -> Future<'_, Result<()>> {
            none()
        }

        fn listing(&self, _: FolderId) -> Future<'_, Result<Listing>> {
            none()
        }

        fn apply(&self, _: FolderId, _: UidSet, _: Change, _: Option<ModSeq>) -> Future<'_, Result<Applied>> {
            none()
        }

        fn claim_recent(&self, _: FolderId) -> Future<'_, Result<Uid>> {
            none()
        }

        fn first_recent(&self, _: FolderId) -> Future<'_, Result<Uid>> {
            none()
        }

        fn outlines<'a>(&'a self, _: &'a [MessageId]) -> Future<'a, Result<Vec<Result<MessageOutline>>>> {
            none()
        }

        fn usage(&self, _: AccountId) -> Future<'_, Result<Usage>> {
            none()
        }

        fn watch(&self, _: AccountId) -> Box<dyn Watch> {
            struct Never;
            impl Watch for Never {
                fn changed(&mut self) -> Future<'_, ()> {
                    Box::pin(std::future::pending())
                }
            }
            Box::new(Never)
        }

        fn lease(&self, _: String) -> Future<'_, Result<Lease>> {
            none()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn work_for_a_client_that_left_is_given_up() {
    let drain = Drain::default();
    let (mut connection, client) = connected(64, &drain);
    drop(client);
    let end = connection.attend(Work::Finishes, std::future::pending::<()>()).await;
    assert!(matches!(end, Err(End::Closed)), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_only_has_no_more_to_say_gets_its_answer() {
    let drain = Drain::default();
    let (mut connection, mut client) = connected(64, &drain);
    client.write_all(b"next\n").await.unwrap();
    client.shutdown().await.unwrap();
    let work = tokio::time::sleep(Duration::from_secs(5));
    connection.attend(Work::Finishes, work).await.unwrap();
    let mut session = Lines::default();
    assert_eq!(connection.next(&mut session).await.unwrap(), 0..4, "what it said meanwhile is kept");
}

#[tokio::test(start_paused = true)]
async fn when_the_service_stops_work_that_only_looks_gives_way_and_other_work_is_done() {
    let drain = Drain::default();
    let (mut connection, mut client) = connected(256, &drain);
    drain.begin();
    let done = connection.attend(Work::Finishes, tokio::time::sleep(Duration::from_secs(5))).await;
    assert!(done.is_ok(), "{done:?}");
    let end = connection.attend(Work::GivesWay, std::future::pending::<()>()).await;
    assert!(matches!(end, Err(End::Drained)), "{end:?}");
    drop(connection);
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "* BYE The server is going down; connect again later.\r\n");
}
