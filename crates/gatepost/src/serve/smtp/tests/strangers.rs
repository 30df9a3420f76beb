//! What holds strangers off who bring no mail. Time is virtual.

use proto::logon::Channel;
use tokio::time::Instant;

use super::*;
use crate::connection::Protocol;

impl Server {
    fn connector(&mut self, change: impl Fn(&mut transport::Limits)) {
        for connector in &mut self.receiving.connectors {
            change(&mut Arc::make_mut(connector).limits);
        }
    }

    async fn with_tarpit() -> Self {
        let mut server = Self::new().await;
        server.connector(|limits| limits.tarpit_interval = Duration::from_secs(5));
        tokio::time::pause();
        server
    }
}

fn guesses(count: usize) -> String {
    (0..count).map(|guess| format!("RCPT TO:<guess{guess}@example.test>\r\n")).collect()
}

#[tokio::test]
async fn each_guessed_recipient_of_a_stranger_takes_the_tarpits_time_and_a_known_one_none() {
    let server = Server::with_tarpit().await;
    let started = Instant::now();
    let replies = server.replies(25, &format!("{STRANGER}{TO_ANN}{}{TO_ANN}", guesses(1))).await;
    assert_eq!(started.elapsed().as_secs(), 5);
    let unknown = "550 5.1.1 User unknown";
    assert!(replies[1].starts_with("250") && replies[2] == unknown && replies[3].starts_with("250"), "{replies:?}");
}

#[tokio::test]
async fn a_user_is_not_held_up() {
    let server = Server::with_tarpit().await;
    // Hashing takes time of its own on another thread, which virtual time runs ahead of.
    let log_on = server.talk(465, &format!("EHLO client.test\r\n{}", log_on("ann"))).await;
    assert!(log_on.contains("235 "), "{log_on}");
    let started = Instant::now();
    let text = format!("{}MAIL FROM:<ann@example.test>\r\n{}", super::log_on("ann"), guesses(1));
    assert!(server.replies(465, &text).await.contains(&"550 5.1.1 User unknown".to_owned()));
    assert_eq!(started.elapsed().as_secs(), 0);
}

#[tokio::test]
async fn a_stranger_who_guesses_on_and_on_is_sent_away_and_one_slip_is_none() {
    let mut server = Server::with_tarpit().await;
    server.connector(|limits| limits.max_refused_recipients = 3);
    let replies = server.replies(25, &format!("{STRANGER}{}", guesses(5))).await;
    assert_eq!(replies.last().unwrap(), "421 4.7.0 Too many refused recipients (MaxRefusedRecipients), goodbye");
    assert_eq!(replies.iter().filter(|reply| reply.starts_with("550")).count(), 2);
    let replies =
        server.replies(25, &format!("{STRANGER}{}{}", guesses(2), message(TO_ANN, "Subject: x\r\n\r\nx"))).await;
    assert!(replies.last().unwrap().starts_with("250 2.6.0"), "{replies:?}");
}

/// A connection that is left open says `text`, and a NOOP each minute; answers when it was ended.
async fn minutes_until_sent_away(server: &Server, text: &str) -> Option<u64> {
    let (here, there) = duplex(1024 * 1024);
    let drain = Drain::default();
    let terms =
        Terms { protocol: Protocol::Smtp, tls: None, handshake: Duration::MAX, stall: Duration::from_secs(300) };
    let ends = Ends { remote: ([192, 0, 2, 1], 1024).into(), local: ([127, 0, 0, 1], 25).into() };
    let mut connection = Connection::over(here, Channel::Clear, ends, 1, Arc::new(terms), drain.connection());
    let started = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(there);
    let talk = async {
        writer.write_all(text.as_bytes()).await.unwrap();
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_secs(60)).await;
            if writer.write_all(b"NOOP\r\n").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let listen = async {
        let mut replies = String::new();
        reader.read_to_string(&mut replies).await.unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = serve(&mut connection, &server.site, &server.receiving) => Some(started.elapsed().as_secs() / 60),
        () = talk => None,
        () = listen => None,
    }
}

#[tokio::test]
async fn a_session_that_neither_logs_on_nor_brings_mail_ends_after_its_time() {
    let server = Server::with_tarpit().await;
    assert_eq!(minutes_until_sent_away(&server, "EHLO client.test\r\n").await, Some(10));
    let brings_mail = format!("EHLO client.test\r\n{STRANGER}{TO_ANN}");
    assert_eq!(minutes_until_sent_away(&server, &brings_mail).await, None);
}
