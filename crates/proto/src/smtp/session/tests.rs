//! Whole dialogues against a driver that answers by a script.

mod content;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::Session as _;
use crate::logon::{Mechanism, Verdict, testing};
use crate::sasl::scram::known::RFC_7677;
use crate::smtp::ReversePath;

/// Answers as a server with one mailbox, ann@example.test with the password `secret`.
struct Driver {
    session: Session,
    now: Instant,
    out: Vec<u8>,
    message: Vec<u8>,
    /// Each message taken, and a word for each reset.
    taken: Vec<String>,
    refuse_begin: bool,
    refuse_body: bool,
    verdict: Option<Verdict>,
}

fn private() -> Offer {
    Offer {
        starttls: false,
        password_command: false,
        mechanisms: vec![Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login],
        cure: String::new(),
    }
}

fn clear() -> Offer {
    let cure = "Use STARTTLS first, or port 465.".to_owned();
    Offer { starttls: true, password_command: false, mechanisms: Vec::new(), cure }
}

impl Driver {
    fn with(limits: Limits, channel: Channel, offer: Offer) -> Self {
        let (host, banner) = ("mx.test".to_owned(), "mx.test ready".to_owned());
        let now = Instant::now();
        let configuration = Arc::new(Configuration { host, banner, limits });
        let mut driver = Self {
            session: Session::new(now, configuration, channel, offer),
            now,
            out: Vec::new(),
            message: Vec::new(),
            taken: Vec::new(),
            refuse_begin: false,
            refuse_body: false,
            verdict: None,
        };
        assert_eq!(driver.talk(""), "220 mx.test ready\r\n");
        driver
    }

    fn new() -> Self {
        Self::with(Limits::default(), Channel::Clear, clear())
    }

    fn greeted() -> Self {
        let mut driver = Self::new();
        driver.talk("EHLO client.test\r\n");
        driver
    }

    /// Gives octets as the connection does and returns what was sent.
    fn feed(&mut self, held: &mut Vec<u8>, octets: &[u8]) {
        held.extend_from_slice(octets);
        let mut at = 0;
        let mut hungry = true;
        while hungry && self.session.wants_input() {
            let rest = &held[at..];
            let (consumed, request) = self.session.input(self.now, rest);
            assert!(consumed <= rest.len());
            hungry = consumed > 0 || request.is_some();
            if let Some(request) = request {
                let tls = request == Request::StartTls;
                self.serve(request, &held[at..]);
                if tls {
                    at = held.len();
                    continue;
                }
            }
            at += consumed;
        }
        held.drain(..at);
        self.session.output(&mut self.out);
    }

    fn serve(&mut self, request: Request, octets: &[u8]) {
        let answer = match request {
            Request::Mail(mail) if mail.from.to_string() == "<bad@example.test>" => Answer::Refused(NO),
            Request::Mail(_) => Answer::Accepted,
            Request::Rcpt(to) if to.to_string().contains("nobody") => Answer::Refused(NO),
            Request::Rcpt(_) => Answer::Accepted,
            Request::Begin if self.refuse_begin => Answer::Refused(LATER),
            Request::Begin => {
                self.message.clear();
                Answer::Accepted
            }
            Request::Body(range) => {
                assert!(!range.is_empty());
                self.message.extend_from_slice(&octets[range]);
                if !self.refuse_body {
                    return;
                }
                Answer::Refused(LATER)
            }
            Request::End => {
                self.taken.push(String::from_utf8_lossy(&self.message).into_owned());
                Answer::Done(Reply::new(250, 6, 0, "Queued"))
            }
            Request::Reset(refused) => {
                self.taken.push(refused.map_or("reset".to_owned(), |reply| reply.code().to_string()));
                return;
            }
            Request::StartTls => Answer::Secured(private()),
            Request::LogOn(Question::Look(lookup)) => Answer::LogOn(testing::look(&lookup)),
            Request::LogOn(Question::Judge(credentials)) => {
                Answer::LogOn(Finding::Verdict(self.verdict.unwrap_or_else(|| testing::judge(&credentials))))
            }
        };
        self.session.answer(self.now, answer);
    }

    fn talk(&mut self, text: &str) -> String {
        self.talk_in(&[text.as_bytes()])
    }

    fn talk_in(&mut self, pieces: &[&[u8]]) -> String {
        let mut held = Vec::new();
        for piece in pieces {
            self.feed(&mut held, piece);
        }
        String::from_utf8(std::mem::take(&mut self.out)).unwrap()
    }

    /// The codes of the replies' last lines.
    fn codes(&mut self, text: &str) -> Vec<String> {
        let replies = self.talk(text);
        let last_lines = replies.lines().filter(|line| line.as_bytes()[3] == b' ');
        last_lines.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }
}

const NO: Reply = Reply::new(550, 7, 1, "No");
const LATER: Reply = Reply::new(451, 3, 0, "Later");
const ENVELOPE: &str = "MAIL FROM:<a@b.test>\r\nRCPT TO:<ann@example.test>\r\n";

#[test]
fn every_command_has_its_reply() {
    let cases = [
        ("HELO c", "250 mx.test"),
        ("NOOP", "250 2.0.0 OK"),
        ("NOOP x y", "250 2.0.0 OK"),
        ("RSET", "250 2.0.0 Resetting"),
        ("VRFY ann", "252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery"),
        ("EXPN all", "502 5.5.1 Command not implemented"),
        ("XCLIENT a", "500 5.5.1 Unrecognized command"),
        ("", "500 5.5.1 Unrecognized command"),
        ("EHLO", "501 5.5.4 Invalid domain name"),
        ("MAIL FROM:<>", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<bad@example.test>", "550 5.7.1 No"),
        ("MAIL FROM:<a@>", "501 5.1.7 Invalid address"),
        ("MAIL FROM:a@b", "501 5.1.7 Invalid address"),
        ("MAIL FROM:<a@b\u{fc}>", "553 5.6.7 Non-ASCII addresses are not supported; write the domain in its xn-- form"),
        ("MAIL FROM:<a@b> RET=FULL", "555 5.5.4 Unsupported MAIL parameter"),
        ("MAIL FROM:<a@b> SIZE=x", "501 5.5.4 SIZE=number is expected"),
        (
            "MAIL FROM:<a@b> SIZE=37748737",
            "552 5.3.4 Message size exceeds fixed maximum message size (limit 37748736 octets)",
        ),
        ("MAIL FROM:<a@b> SIZE=37748736", "250 2.1.0 Sender OK"),
        ("RCPT TO:<ann@example.test>", "503 5.5.1 Bad sequence of commands: MAIL first"),
        ("DATA", "503 5.5.1 Bad sequence of commands: MAIL first"),
        ("BDAT 0 LAST", "503 5.5.1 Bad sequence of commands: MAIL first"),
        ("AUTH PLAIN", "504 5.7.4 Unrecognized authentication type. Use STARTTLS first, or port 465."),
        ("STARTTLS", "220 2.0.0 SMTP server ready"),
        ("STARTTLS now", "501 5.5.4 No arguments are expected"),
        ("QUIT", "221 2.0.0 Service closing transmission channel"),
        ("GET / HTTP/1.1", "554 5.7.0 This port speaks SMTP, not HTTP"),
        ("BDAT", "501 5.5.4 BDAT size [LAST] is expected; closing transmission channel"),
    ];
    for (command, reply) in cases {
        assert_eq!(Driver::greeted().talk(&format!("{command}\r\n")), format!("{reply}\r\n"), "{command}");
    }
    let help = Driver::greeted().talk("HELP\r\n");
    assert!(help.starts_with("214-2.0.0 ") && help.contains("BDAT") && !help.contains("EXPN"), "{help}");
}

#[test]
fn ehlo_says_what_is_there() {
    assert_eq!(
        Driver::new().talk("EHLO c\r\n"),
        "250-mx.test\r\n250-SIZE 37748736\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n\
         250-8BITMIME\r\n250 CHUNKING\r\n"
    );
    let mut secured = Driver::with(Limits::default(), Channel::Implicit, private());
    assert_eq!(
        secured.talk("EHLO c\r\n"),
        "250-mx.test\r\n250-SIZE 37748736\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n\
         250-8BITMIME\r\n250 CHUNKING\r\n"
    );
}

#[test]
fn a_session_begins_with_a_hello() {
    for command in ["MAIL FROM:<a@b>", "RCPT TO:<a@b>", "DATA", "AUTH PLAIN", "STARTTLS"] {
        assert_eq!(Driver::new().talk(&format!("{command}\r\n")), "503 5.5.2 Send hello first\r\n", "{command}");
    }
    assert_eq!(
        Driver::new().codes("NOOP\r\nRSET\r\nVRFY x\r\nHELP\r\n"),
        ["250 2.0.0", "250 2.0.0", "252 2.1.5", "214 2.0.0"]
    );
}

#[test]
fn a_pipelined_session_is_the_same_at_every_split_point() {
    let wire = b"EHLO c\r\nMAIL FROM:<a@b.test> BODY=8BITMIME\r\nRCPT TO:<nobody@example.test>\r\n\
        RCPT TO:<ann@example.test>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\n\
        BDAT 6\r\nabcd\r\nBDAT 4 LAST\r\nQU\r\nRSET\r\nNOOP\r\nQUIT\r\n";
    let whole = Driver::new().talk_in(&[wire]);
    assert!(whole.ends_with("221 2.0.0 Service closing transmission channel\r\n"), "{whole}");
    for first in 0..=wire.len() {
        for second in [first, (first + 1).min(wire.len()), (first + wire.len()) / 2] {
            let mut driver = Driver::new();
            let replies = driver.talk_in(&[&wire[..first], &wire[first..second], &wire[second..]]);
            assert_eq!(replies, whole, "split at {first}, {second}");
            assert_eq!(driver.taken, ["Subject: x\r\n\r\n.dot\r\n", "abcd\r\nQU\r\n"], "split at {first}, {second}");
        }
    }
    let mut octets = Driver::new();
    assert_eq!(octets.talk_in(&wire.chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn more_recipients_than_the_limit_are_put_off() {
    let mut driver = Driver::greeted();
    driver.talk("MAIL FROM:<a@b>\r\n");
    let all = "RCPT TO:<nobody@example.test>\r\nRCPT TO:<ann@example.test>\r\n".repeat(200);
    assert_eq!(driver.codes(&all).iter().filter(|code| *code == "250 2.1.5").count(), 200);
    assert_eq!(driver.talk("RCPT TO:<ann@example.test>\r\n"), "452 4.5.3 Too many recipients (limit 200)\r\n");
    assert_eq!(driver.codes("DATA\r\n.\r\n"), ["354 Start", "250 2.6.0"]);
}

#[test]
fn the_fifth_bad_command_ends_the_connection() {
    let mut driver = Driver::greeted();
    assert_eq!(driver.codes(&"FOO\r\n".repeat(4)), ["500 5.5.1"; 4]);
    assert!(!driver.session.is_closed());
    assert_eq!(driver.codes("FOO\r\nNOOP\r\n"), ["500 5.5.1", "421 4.7.0"]);
    assert!(driver.session.is_closed());
}

#[test]
fn bad_commands_are_counted_anew_after_a_message() {
    let mut driver = Driver::greeted();
    for _ in 0..3 {
        driver.talk(&"FOO\r\n".repeat(4));
        assert_eq!(driver.codes(&format!("{ENVELOPE}BDAT 3 LAST\r\na\r\n")).last().unwrap(), "250 2.6.0");
    }
    assert!(!driver.session.is_closed());
}

#[test]
fn what_was_pipelined_behind_a_refusal_is_not_counted() {
    let mut driver = Driver::greeted();
    let rest = "RCPT TO:<ann@example.test>\r\n".repeat(10);
    driver.talk(&format!("MAIL FROM:<bad@example.test>\r\n{rest}DATA\r\n"));
    driver.talk(&format!("MAIL FROM:<bad>\r\n{rest}DATA\r\n"));
    driver.talk(&format!("MAIL FROM:<a@b>\r\n{}DATA\r\n", "RCPT TO:<bad>\r\n".repeat(10)));
    assert_eq!(driver.codes("RSET\r\n"), ["250 2.0.0"]);
}

#[test]
fn lines_may_be_as_long_as_their_limit_and_not_longer() {
    for (verb, limit, text) in
        [("NOOP ", 512, "500 5.5.2"), ("MAIL FROM:<a@b> ", 1055, "500 5.5.2"), ("AUTH PLAIN ", 12288, "500 5.5.6")]
    {
        for (length, long) in [(limit, false), (limit + 1, true), (limit + 20_000, true)] {
            let line = format!("{verb}{}\r\nNOOP\r\n", "x".repeat(length - verb.len() - 2));
            for cut in [0, 3, verb.len(), 511, 512, 513, limit - 1, limit, line.len() - 7] {
                let mut driver = Driver::greeted();
                let replies = driver.talk_in(&[&line.as_bytes()[..cut], &line.as_bytes()[cut..]]);
                assert_eq!(replies.starts_with(text), long, "{verb} {length} at {cut}: {replies}");
                assert!(
                    replies.ends_with("250 2.0.0 OK\r\n") && replies.lines().count() == 2,
                    "{verb} {length} at {cut}: {replies}"
                );
            }
        }
    }
}

#[test]
fn a_line_ends_in_crlf_only() {
    for line in ["NOOP\n", "NOOP\r\r\n", "NO\rOP\r\n", "\n"] {
        assert_eq!(
            Driver::greeted().talk(line),
            "500 5.5.2 Lines must end in CRLF, without a CR or LF alone\r\n",
            "{line:?}"
        );
    }
}

#[test]
fn what_was_sent_before_tls_is_dropped_and_the_session_begins_anew() {
    let mut driver = Driver::greeted();
    let replies = driver.talk(&format!("{ENVELOPE}STARTTLS\r\nRSET\r\nMAIL FROM:<evil@b.test>\r\nRC"));
    assert!(replies.ends_with("220 2.0.0 SMTP server ready\r\n"), "{replies}");
    assert_eq!(driver.codes("MAIL FROM:<a@b>\r\n"), ["503 5.5.2"]);
    assert!(driver.talk("EHLO c\r\n").contains("AUTH SCRAM-SHA-256 PLAIN LOGIN"));
    assert_eq!(driver.codes("DATA\r\nSTARTTLS\r\n"), ["503 5.5.1", "503 5.5.1"]);
}

#[test]
fn tls_does_not_begin_after_a_log_on() {
    let mut driver = Driver::with(Limits::default(), Channel::Clear, Offer { starttls: true, ..private() });
    assert!(driver.talk("EHLO c\r\n").contains("STARTTLS"));
    driver.talk("AUTH PLAIN AGFubkBleGFtcGxlLnRlc3QAc2VjcmV0\r\n");
    assert!(!driver.talk("EHLO c\r\n").contains("STARTTLS"));
    assert_eq!(driver.talk("STARTTLS\r\n"), "503 5.5.1 STARTTLS must come before AUTH; connect again\r\n");
    assert_eq!(driver.codes(ENVELOPE), ["250 2.1.0", "250 2.1.5"]);
}

#[test]
fn a_log_on_works_with_each_mechanism() {
    let secured = || {
        let mut driver = Driver::with(Limits::default(), Channel::Implicit, private());
        driver.talk("EHLO c\r\n");
        driver
    };
    // NUL ann@example.test NUL secret
    let plain = "AGFubkBleGFtcGxlLnRlc3QAc2VjcmV0";
    let granted = "235 2.7.0 Authentication successful\r\n";
    assert_eq!(secured().talk(&format!("AUTH PLAIN {plain}\r\n")), granted);
    assert_eq!(secured().talk(&format!("auth plain\r\n{plain}\r\n")), format!("334 \r\n{granted}"));
    assert_eq!(
        secured().talk("AUTH LOGIN\r\nYW5uQGV4YW1wbGUudGVzdA==\r\nc2VjcmV0\r\n"),
        format!("334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n{granted}")
    );
    assert_eq!(secured().talk("AUTH LOGIN\r\n*\r\n"), "334 VXNlcm5hbWU6\r\n501 5.7.0 Authentication cancelled\r\n");
    assert_eq!(secured().talk("AUTH PLAIN !\r\n"), "501 5.5.2 Cannot decode the response\r\n");
    assert_eq!(secured().talk("AUTH NTLM\r\n"), "504 5.7.4 Unrecognized authentication type\r\n");
    let mut driver = secured();
    driver.talk(&format!("AUTH PLAIN {plain}\r\n"));
    assert_eq!(driver.codes(&format!("AUTH PLAIN {plain}\r\n")), ["503 5.5.1"]);
    assert!(!driver.talk("EHLO c\r\n").contains("AUTH"));
    assert_eq!(secured().codes(&format!("MAIL FROM:<a@b>\r\nAUTH PLAIN {plain}\r\n")), ["250 2.1.0", "503 5.5.1"]);
}

#[test]
fn the_third_failed_log_on_ends_the_connection() {
    let mut driver = Driver::with(Limits::default(), Channel::Implicit, private());
    driver.talk("EHLO c\r\n");
    let wrong = "AUTH PLAIN AGFubgB4\r\n";
    assert_eq!(driver.talk(wrong), "535 5.7.3 Authentication unsuccessful\r\n");
    assert_eq!(driver.codes(wrong), ["535 5.7.3"]);
    assert_eq!(driver.codes(wrong), ["535 5.7.3", "421 4.7.0"]);
    assert!(driver.session.is_closed());
}

#[test]
fn a_log_on_that_cannot_be_judged_is_put_off() {
    for verdict in [Verdict::Throttled, Verdict::Unavailable, Verdict::TooManyConnections { limit: 16 }] {
        let mut driver = Driver::with(Limits::default(), Channel::Implicit, private());
        driver.talk("EHLO c\r\n");
        driver.verdict = Some(verdict);
        assert_eq!(driver.codes(&"AUTH PLAIN AGFubgB4\r\n".repeat(4)), ["454 4.7.0"; 4]);
    }
}

#[test]
fn a_reset_says_so_only_when_there_was_something() {
    let mut driver = Driver::greeted();
    driver.talk("RSET\r\nEHLO c\r\n");
    assert!(driver.taken.is_empty());
    driver.talk("MAIL FROM:<a@b>\r\nRSET\r\nMAIL FROM:<a@b>\r\nEHLO d\r\nMAIL FROM:<a@b>\r\nHELO e\r\n");
    assert_eq!(driver.taken, ["reset"; 3]);
    assert_eq!(driver.codes("MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n"), ["250 2.1.0", "503 5.5.1"]);
}

#[test]
fn the_client_is_remembered_as_it_names_itself() {
    let mut driver = Driver::new();
    assert_eq!(driver.session.client(), None);
    driver.talk("HELO one.test\r\n");
    assert_eq!((driver.session.client().unwrap().as_str(), driver.session.is_extended()), ("one.test", false));
    driver.talk("EHLO two.test\r\n");
    assert_eq!((driver.session.client().unwrap().as_str(), driver.session.is_extended()), ("two.test", true));
}

#[test]
fn silence_ends_the_connection_and_single_octets_do_not_hold_it_open() {
    let mut driver = Driver::greeted();
    let first = driver.session.deadline().unwrap();
    assert_eq!(first - driver.now, Duration::from_secs(300));
    let mut held = Vec::new();
    driver.now += Duration::from_secs(200);
    driver.feed(&mut held, b"NO");
    assert_eq!(driver.session.deadline(), Some(first));
    driver.feed(&mut held, b"OP\r\n");
    assert_eq!(driver.session.deadline(), Some(driver.now + Duration::from_secs(300)));
    driver.session.timeout(driver.now);
    assert!(driver.session.is_closed());
    driver.out.clear();
    driver.session.output(&mut driver.out);
    assert_eq!(driver.talk(""), "421 4.4.1 Connection timed out\r\n");
}

#[test]
fn a_message_has_to_move_on() {
    let mut driver = Driver::greeted();
    driver.talk(&format!("{ENVELOPE}DATA\r\n"));
    let first = driver.session.deadline().unwrap();
    driver.now += Duration::from_secs(10);
    driver.talk(&"x".repeat(4095));
    assert_eq!(driver.session.deadline(), Some(first));
    driver.talk("x");
    assert_eq!(driver.session.deadline(), Some(driver.now + Duration::from_secs(300)));
}

#[test]
fn at_shutdown_a_message_under_way_may_finish() {
    let mut idle = Driver::greeted();
    idle.session.shutdown();
    assert!(idle.session.is_closed());
    assert_eq!(idle.talk("NOOP\r\n"), "421 4.3.2 Service not available, closing transmission channel\r\n");

    let mut busy = Driver::greeted();
    busy.talk(&format!("{ENVELOPE}DATA\r\nx\r\n"));
    busy.session.shutdown();
    assert!(!busy.session.is_closed());
    assert_eq!(busy.codes("y\r\n.\r\nNOOP\r\n"), ["250 2.6.0", "421 4.3.2"]);
    assert!(busy.session.is_closed());
    assert_eq!(busy.taken, ["x\r\ny\r\n"]);
}

#[test]
fn a_refused_sender_leaves_room_for_another() {
    let mut driver = Driver::greeted();
    assert_eq!(
        driver.codes("MAIL FROM:<bad@example.test>\r\nRCPT TO:<ann@example.test>\r\nDATA\r\nMAIL FROM:<a@b>\r\n"),
        ["550 5.7.1", "503 5.5.1", "503 5.5.1", "250 2.1.0"]
    );
}

#[test]
fn an_answer_that_was_not_asked_for_changes_nothing() {
    let mut driver = Driver::greeted();
    driver.session.answer(driver.now, Answer::Accepted);
    driver.session.answer(driver.now, Answer::LogOn(Finding::Verdict(Verdict::Granted)));
    assert_eq!(driver.talk("NOOP\r\n"), "250 2.0.0 OK\r\n");
    let (_, request) = driver.session.input(driver.now, b"MAIL FROM:<>\r\n");
    assert!(matches!(request, Some(Request::Mail(Mail { from: ReversePath::Null, .. }))));
    driver.session.answer(driver.now, Answer::LogOn(Finding::Verdict(Verdict::Granted)));
    assert!(!driver.session.wants_input());
    assert_eq!(driver.talk(""), "");
    driver.session.answer(driver.now, Answer::Accepted);
    assert_eq!(driver.talk(""), "250 2.1.0 Sender OK\r\n");
}

/// What is said in base64.
fn encoded(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn the_exchange_of_rfc_7677_logs_on_once_the_client_has_seen_the_server_s_proof() {
    let begin = format!("EHLO c\r\nAUTH SCRAM-SHA-256 {}\r\n", encoded(RFC_7677.client_first));
    let last = format!("{}\r\n", encoded(RFC_7677.client_final));
    let greeted = || Driver::with(Limits::default(), Channel::Implicit, private());
    let mut driver = greeted();
    assert!(driver.talk(&begin).ends_with(&format!("334 {}\r\n", encoded(RFC_7677.server_first))));
    assert_eq!(driver.talk(&last), format!("334 {}\r\n", encoded(RFC_7677.server_final)));
    assert_eq!(driver.talk("\r\n"), "235 2.7.0 Authentication successful\r\n");
    for given_up in ["*\r\n".to_owned(), "\n\r\n".to_owned(), "x".repeat(20_000)] {
        let mut driver = greeted();
        driver.talk(&begin);
        driver.talk(&last);
        let said = driver.talk(&given_up);
        assert_eq!(said, "421 4.7.0 The log-on was given up after it was granted, goodbye\r\n");
        assert!(driver.session.is_closed());
    }
}
