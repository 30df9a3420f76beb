//! Dialogues, each with its input cut at every place.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::Session as _;
use crate::imap::command::{Body, Command};
use crate::logon::{Finding, Mechanism, Offer, Question, Verdict, testing};
use crate::sasl::scram::known::RFC_7677;

mod limits;

const GREETING: &str = "* OK The Gatepost IMAP4 service is ready.\r\n";
const EXTENSIONS: &str =
    "CHILDREN CONDSTORE ENABLE ID IDLE LITERAL+ MOVE NAMESPACE SASL-IR SPECIAL-USE UIDPLUS UNSELECT";

fn private() -> Offer {
    Offer {
        starttls: false,
        password_command: true,
        mechanisms: vec![Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login],
        cure: String::new(),
    }
}

fn secure_login() -> Offer {
    Offer {
        starttls: true,
        password_command: false,
        mechanisms: Vec::new(),
        cure: "Use STARTTLS, or connect with TLS on port 993.".to_owned(),
    }
}

/// A session with a driver that answers as a small server would, and notes down all that it is asked.
struct Peer {
    session: Session,
    now: Instant,
    said: Vec<u8>,
    body: Vec<u8>,
    tag: String,
}

impl Peer {
    fn new(offer: Offer) -> Self {
        Self::with(Settings::default(), offer)
    }

    fn with(settings: Settings, offer: Offer) -> Self {
        let now = Instant::now();
        let session = Session::new(Arc::new(settings), offer, now);
        let mut peer = Self { session, now, said: Vec::new(), body: Vec::new(), tag: String::new() };
        assert_eq!(peer.take(), GREETING);
        peer
    }

    fn logged_on() -> Self {
        let mut peer = Self::new(private());
        peer.send("a LOGIN ann secret\r\n");
        peer.take();
        peer
    }

    fn selected() -> Self {
        let mut peer = Self::logged_on();
        peer.send("s SELECT INBOX\r\n");
        peer.take();
        peer
    }

    /// What was said since the last time, as text.
    fn take(&mut self) -> String {
        self.session.output(&mut self.said);
        String::from_utf8(std::mem::take(&mut self.said)).unwrap()
    }

    fn note(&mut self, text: &str) {
        self.session.output(&mut self.said);
        self.said.extend_from_slice(text.as_bytes());
    }

    fn send(&mut self, text: impl AsRef<[u8]>) {
        let mut rest = text.as_ref();
        while !rest.is_empty() && self.session.wants_input() {
            let (consumed, request) = self.session.input(self.now, rest);
            let received = rest;
            rest = &rest[consumed..];
            match request {
                Some(request) => self.serve(request, received),
                None if consumed == 0 => break,
                None => {}
            }
        }
    }

    fn serve(&mut self, request: Request, received: &[u8]) {
        let answer = match request {
            Request::StartTls => {
                self.note("<TLS>\r\n");
                Answer::Channel(private())
            }
            Request::LogOn(Question::Look(lookup)) => Answer::LogOn(testing::look(&lookup)),
            Request::LogOn(Question::Judge(credentials)) => {
                self.note(&format!("<log on {}>\r\n", credentials.user()));
                Answer::LogOn(Finding::Verdict(testing::judge(&credentials)))
            }
            Request::Execute(Command { tag, body }) => {
                let name = body.name();
                self.note(&format!("<execute {name}>\r\n{tag} OK {name} completed.\r\n"));
                match body {
                    Body::Select(_) | Body::Examine(_) => Answer::Selected,
                    Body::Close | Body::Unselect => Answer::Unselected,
                    _ => Answer::Done,
                }
            }
            Request::AppendBegin { tag, append } => {
                self.note(&format!("<append {} octets to {}>\r\n", append.size, append.mailbox.as_str()));
                self.tag = tag.to_string();
                if append.mailbox.as_str() == "nowhere" {
                    Answer::AppendRefused(format!("{tag} NO [TRYCREATE] No.\r\n").into())
                } else {
                    Answer::AppendAccepted
                }
            }
            Request::AppendBody(range) => {
                self.body.extend_from_slice(&received[range]);
                Answer::Done
            }
            Request::AppendEnd => {
                let body = String::from_utf8_lossy(&std::mem::take(&mut self.body)).into_owned();
                let line = format!("<appended {body:?}>\r\n{} OK APPEND completed.\r\n", self.tag);
                self.note(&line);
                Answer::Done
            }
            Request::AppendAbort => {
                self.body.clear();
                self.note("<abort>\r\n");
                Answer::Done
            }
            Request::IdleBegin => {
                self.note("<idle>\r\n");
                Answer::Done
            }
            Request::IdleEnd => {
                self.note("<idle ends>\r\n");
                Answer::Done
            }
        };
        assert!(!self.session.wants_input());
        assert_eq!(self.session.input(self.now, b"x LOGOUT\r\n"), (0, None));
        assert_eq!(self.session.deadline(), None);
        self.session.answer(self.now, answer);
    }
}

/// Sends the input whole, octet by octet and cut in two at every place: what is said must be the same.
fn dialogue(new: fn() -> Peer, sent: &str, said: &str) {
    let mut whole = new();
    whole.send(sent);
    assert_eq!(whole.take(), said, "{sent:?}");
    for split in 0..=sent.len() {
        let (head, tail) = sent.as_bytes().split_at(split);
        let mut peer = new();
        peer.send(head);
        peer.send(tail);
        assert_eq!(peer.take(), said, "{sent:?} cut at {split}");
        assert_eq!(peer.session.is_closed(), whole.session.is_closed());
    }
    let mut peer = new();
    sent.bytes().for_each(|octet| peer.send([octet]));
    assert_eq!(peer.take(), said, "{sent:?} octet by octet");
}

fn in_clear() -> Peer {
    Peer::new(secure_login())
}

fn in_private() -> Peer {
    Peer::new(private())
}

#[test]
fn capabilities_are_true_in_each_state() {
    let before_tls =
        format!("* CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS {EXTENSIONS}\r\n1 OK CAPABILITY completed.\r\n");
    dialogue(in_clear, "1 CAPABILITY\r\n", &before_tls);
    let under_tls = format!(
        "* CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN {EXTENSIONS}\r\n1 OK CAPABILITY completed.\r\n"
    );
    dialogue(in_private, "1 CAPABILITY\r\n", &under_tls);
    let logged_on = format!("* CAPABILITY IMAP4rev1 {EXTENSIONS}\r\n1 OK CAPABILITY completed.\r\n");
    dialogue(Peer::logged_on, "1 CAPABILITY\r\n", &logged_on);
    dialogue(Peer::selected, "1 CAPABILITY\r\n", &logged_on);
}

#[test]
fn log_on_in_clear_is_refused_with_the_cure_under_secure_login() {
    let refusal =
        "1 NO [PRIVACYREQUIRED] Command is not valid in this state. Use STARTTLS, or connect with TLS on port 993.\r\n";
    dialogue(in_clear, "1 LOGIN ann secret\r\n", refusal);
    dialogue(in_clear, "1 AUTHENTICATE PLAIN\r\n", refusal);
    dialogue(in_clear, "1 AUTHENTICATE LOGIN YW5u\r\n", refusal);
    // The password is not even invited, and one that comes unasked is dropped.
    dialogue(in_clear, "1 LOGIN {3}\r\n", refusal);
    dialogue(
        in_clear,
        "1 LOGIN {3+}\r\nann {6+}\r\nsecret\r\n2 NOOP\r\n",
        &format!("{refusal}2 OK NOOP completed.\r\n"),
    );
}

#[test]
fn what_was_sent_in_clear_behind_starttls_never_runs() {
    let mut peer = in_clear();
    peer.send("1 STARTTLS\r\n2 LOGIN ann secret\r\n3 CAPABILITY\r\nhalf a com");
    assert_eq!(peer.take(), "1 OK Begin TLS negotiation now.\r\n<TLS>\r\n");
    peer.send("4 NOOP\r\n5 STARTTLS\r\n");
    assert_eq!(peer.take(), "4 OK NOOP completed.\r\n5 BAD Command is not valid in this state.\r\n");
}

#[test]
fn login_takes_each_form_of_string() {
    let granted = "<log on ann>\r\n1 OK LOGIN completed.\r\n";
    dialogue(in_private, "1 LOGIN ann secret\r\n", granted);
    dialogue(in_private, "1 LOGIN \"ann\" \"secret\"\n", granted);
    dialogue(in_private, "1 LOGIN {3+}\r\nann {6+}\r\nsecret\r\n", granted);
    dialogue(in_private, "1 LOGIN {3}\r\nann {6}\r\nsecret\r\n", &format!("+ Ready\r\n+ Ready\r\n{granted}"));
    dialogue(
        in_private,
        "1 LOGIN ann {0}\r\n\r\n",
        "+ Ready\r\n<log on ann>\r\n1 NO [AUTHENTICATIONFAILED] LOGIN failed.\r\n",
    );
}

#[test]
fn authenticate_goes_through_its_exchange() {
    let granted = "<log on ann>\r\n1 OK AUTHENTICATE completed.\r\n";
    dialogue(in_private, "1 AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=\r\n", granted);
    dialogue(in_private, "1 authenticate plain\r\nAGFubgBzZWNyZXQ=\r\n", &format!("+ \r\n{granted}"));
    dialogue(
        in_private,
        "1 AUTHENTICATE LOGIN\r\nYW5u\r\nc2VjcmV0\r\n",
        &format!("+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n{granted}"),
    );
    dialogue(
        in_private,
        "1 AUTHENTICATE PLAIN\r\n*\r\n2 NOOP\r\n",
        "+ \r\n1 BAD AUTHENTICATE was cancelled.\r\n2 OK NOOP completed.\r\n",
    );
    dialogue(
        in_private,
        "1 AUTHENTICATE PLAIN !\r\n",
        "1 BAD AUTHENTICATE: The response is not what the mechanism allows.\r\n",
    );
    dialogue(
        in_private,
        "1 AUTHENTICATE NTLM\r\n",
        "1 NO [CANNOT] AUTHENTICATE failed. There is no such mechanism here.\r\n",
    );
}

#[test]
fn the_third_failed_log_on_ends_the_session() {
    let failed = |tag: u32| format!("<log on ann>\r\n{tag} NO [AUTHENTICATIONFAILED] LOGIN failed.\r\n");
    let said = format!(
        "{}{}{}* BYE Too many failed log-ons (3); closing the connection.\r\n",
        failed(1),
        failed(2),
        failed(3)
    );
    dialogue(in_private, "1 LOGIN ann x\r\n2 LOGIN ann x\r\n3 LOGIN ann x\r\n4 NOOP\r\n", &said);
}

#[test]
fn each_verdict_has_its_words() {
    let said = |verdict| {
        let mut peer = in_private();
        let (_, request) = peer.session.input(peer.now, b"1 LOGIN ann secret\r\n");
        assert!(matches!(request, Some(Request::LogOn(_))));
        peer.session.answer(peer.now, Answer::LogOn(Finding::Verdict(verdict)));
        let said = peer.take();
        for _ in 0..5 {
            peer.session.input(peer.now, b"1 LOGIN ann secret\r\n");
            peer.session.answer(peer.now, Answer::LogOn(Finding::Verdict(verdict)));
        }
        assert!(!peer.session.is_closed(), "{verdict:?} is no fault of the credentials");
        said
    };
    assert!(said(Verdict::Throttled).contains("Try again in a minute"));
    assert!(said(Verdict::Unavailable).starts_with("1 NO [UNAVAILABLE] LOGIN failed. "));
    assert!(said(Verdict::TooManyConnections { limit: 16 }).contains("has 16 connections open"));
}

#[test]
fn commands_are_legal_in_their_states_only() {
    let not_valid = "1 BAD Command is not valid in this state.\r\n";
    for command in ["SELECT INBOX", "FETCH 1 ALL", "IDLE", "APPEND INBOX {3}", "CLOSE", "NAMESPACE", "UID FETCH 1 ALL"]
    {
        dialogue(in_private, &format!("1 {command}\r\n"), not_valid);
    }
    for command in ["LOGIN ann secret", "AUTHENTICATE PLAIN", "STARTTLS", "FETCH 1 ALL", "UNSELECT", "UID EXPUNGE 1"] {
        dialogue(Peer::logged_on, &format!("1 {command}\r\n"), not_valid);
    }
    for command in ["LOGIN ann secret", "STARTTLS"] {
        dialogue(Peer::selected, &format!("1 {command}\r\n"), not_valid);
    }
    dialogue(
        Peer::selected,
        "1 FETCH 1 ALL\r\n2 CLOSE\r\n3 FETCH 1 ALL\r\n",
        "<execute FETCH>\r\n1 OK FETCH completed.\r\n<execute CLOSE>\r\n2 OK CLOSE completed.\r\n\
         3 BAD Command is not valid in this state.\r\n",
    );
}

#[test]
fn commands_of_any_state_are_served_in_each() {
    for new in [in_clear, in_private, Peer::logged_on, Peer::selected] {
        dialogue(new, "1 ID (\"name\" {1+}\r\nx)\r\n", "* ID (\"name\" \"Gatepost\")\r\n1 OK ID completed.\r\n");
        dialogue(
            new,
            "1 LOGOUT\r\n2 NOOP\r\n",
            "* BYE Gatepost IMAP4 server signing off.\r\n1 OK LOGOUT completed.\r\n",
        );
    }
    dialogue(Peer::logged_on, "1 NOOP\r\n", "<execute NOOP>\r\n1 OK NOOP completed.\r\n");
}

#[test]
fn pipelined_commands_run_one_after_another() {
    dialogue(
        Peer::logged_on,
        "1 SELECT INBOX\r\n2 FETCH 1 FLAGS\r\n3 SEARCH TEXT {2+}\r\nab SEEN\r\n4 LOGOUT\r\n",
        "<execute SELECT>\r\n1 OK SELECT completed.\r\n<execute FETCH>\r\n2 OK FETCH completed.\r\n\
         <execute SEARCH>\r\n3 OK SEARCH completed.\r\n\
         * BYE Gatepost IMAP4 server signing off.\r\n4 OK LOGOUT completed.\r\n",
    );
}

#[test]
fn append_streams_its_message() {
    let done = "<appended \"a {1}\\r\\nb\">\r\n1 OK APPEND completed.\r\n";
    dialogue(
        Peer::logged_on,
        "1 APPEND x {8}\r\na {1}\r\nb\r\n",
        &format!("<append 8 octets to x>\r\n+ Ready\r\n{done}"),
    );
    dialogue(
        Peer::selected,
        "1 APPEND x (\\Seen) {8+}\r\na {1}\r\nb \r\n",
        &format!("<append 8 octets to x>\r\n{done}"),
    );
    dialogue(
        Peer::logged_on,
        "1 APPEND {1}\r\nx {8}\r\na {1}\r\nb\r\n2 NOOP\r\n",
        &format!("+ Ready\r\n<append 8 octets to x>\r\n+ Ready\r\n{done}<execute NOOP>\r\n2 OK NOOP completed.\r\n"),
    );
}

#[test]
fn a_refused_message_is_not_invited_or_its_octets_never_run() {
    let no = "<append 9 octets to nowhere>\r\n1 NO [TRYCREATE] No.\r\n";
    let noop = "<execute NOOP>\r\n2 OK NOOP completed.\r\n";
    dialogue(Peer::logged_on, "1 APPEND nowhere {9}\r\n2 NOOP\r\n", &format!("{no}{noop}"));
    dialogue(Peer::logged_on, "1 APPEND nowhere {9+}\r\nx LOGOUT\n\r\n2 NOOP\r\n", &format!("{no}{noop}"));
    dialogue(
        Peer::logged_on,
        "1 APPEND x {0+}\r\n\r\n2 NOOP\r\n",
        &format!("1 NO APPEND is cancelled: the message is empty.\r\n{noop}"),
    );
    dialogue(Peer::logged_on, "1 APPEND x {0}\r\n", "1 NO APPEND is cancelled: the message is empty.\r\n");
    dialogue(
        Peer::logged_on,
        "1 APPEND x (\\Nonsense) {9+}\r\nx LOGOUT\n\r\n2 NOOP\r\n",
        &format!("1 BAD APPEND: There is no such system flag.\r\n{noop}"),
    );
    // Nor does a second message (RFC 3502 is not offered).
    dialogue(
        Peer::logged_on,
        "1 APPEND x {1+}\r\na {9+}\r\nx LOGOUT\n\r\n2 NOOP\r\n",
        &format!(
            "<append 1 octets to x>\r\n<abort>\r\n1 BAD APPEND takes one message, and the line ends behind it.\r\n{noop}"
        ),
    );
}

#[test]
fn a_message_may_be_as_large_as_the_limit_and_not_one_octet_more() {
    let limit = Settings::default().max_message;
    let begin = format!("<append {limit} octets to x>\r\n+ Ready\r\n");
    dialogue(Peer::logged_on, &format!("1 APPEND x {{{limit}}}\r\n"), &begin);
    let no = format!("1 NO [LIMIT] A message may have at most {limit} octets.\r\n");
    dialogue(Peer::logged_on, &format!("1 APPEND x {{{}}}\r\n", limit + 1), &no);
    let too_much = Settings::MAX_REFUSED + 1;
    let bye = "* BYE A literal that comes unasked may have at most 1073741824 octets here.\r\n";
    dialogue(Peer::logged_on, &format!("1 APPEND x {{{too_much}+}}\r\n"), &format!("{no}{bye}"));
}

#[test]
fn idle_lasts_until_done() {
    let idle = "+ idling\r\n<idle>\r\n<idle ends>\r\n";
    let done = format!("{idle}1 OK IDLE completed.\r\n");
    dialogue(Peer::selected, "1 IDLE\r\nDONE\r\n", &done);
    dialogue(Peer::logged_on, "1 idle\r\ndone\n", &done);
    let noop = "<execute NOOP>\r\n3 OK NOOP completed.\r\n";
    dialogue(Peer::selected, "1 IDLE\r\n2 NOOP\r\n3 NOOP\r\n", &format!("{idle}1 BAD Expected DONE.\r\n{noop}"));
    dialogue(
        Peer::selected,
        "1 IDLE\r\n2 LOGIN {10+}\r\n4 LOGOUT\r\n x\r\n3 NOOP\r\n",
        &format!("{idle}1 BAD Expected DONE.\r\n{noop}"),
    );
}

#[test]
fn bad_commands_are_told_what_is_wrong_without_an_echo() {
    for (sent, said) in [
        ("1 XYZZY\r\n", "1 BAD The command is not known.\r\n"),
        ("1\r\n", "1 BAD The command is not known.\r\n"),
        ("\r\n", "* BAD Expected a tag and a command.\r\n"),
        ("\u{1}\0 x\r\n", "* BAD Expected a tag and a command.\r\n"),
        ("1 FETCH a FLAGS\r\n", "1 BAD FETCH: Expected a set of message numbers.\r\n"),
        ("1 FETCH 1\r\n", "1 BAD FETCH: Expected a space and an argument.\r\n"),
        ("1 NOOP x\r\n", "1 BAD NOOP: Expected the end of the command.\r\n"),
        ("1 SEARCH FROM \"a\0\"\r\n", "1 BAD SEARCH: Expected the closing quote of a string.\r\n"),
        ("1 SEARCH FROM {1+}\r\n\0\r\n", "1 BAD SEARCH: A literal must not hold NUL.\r\n"),
        ("1 SEARCH CHARSET X ALL\r\n", "1 NO [BADCHARSET (US-ASCII UTF-8)] The charset is not known; use UTF-8.\r\n"),
        ("1 XYZZY {3}\r\n", "1 BAD The command is not known.\r\n"),
        ("1 APPEND INBOX hello\r\n", "1 BAD APPEND: Expected the message as a literal.\r\n"),
    ] {
        dialogue(Peer::selected, sent, said);
    }
}

#[test]
fn other_protocols_are_answered_once() {
    for (line, name) in [
        ("GET / HTTP/1.1", "HTTP"),
        ("Host: mail.example.test", "HTTP"),
        ("EHLO client.example.test", "SMTP"),
        ("CAPA", "POP3"),
        ("USER ann", "POP3"),
    ] {
        let said = format!("* BYE This is an IMAP4 server, and that was {name}.\r\n");
        dialogue(in_clear, &format!("{line}\r\n1 NOOP\r\n"), &said);
    }
}

#[test]
fn going_down_lets_a_message_finish() {
    const BYE: &str = "* BYE The server is going down; connect again later.\r\n";
    let mut peer = Peer::logged_on();
    peer.session.shutdown();
    assert_eq!(peer.take(), BYE);
    assert!(peer.session.is_closed());
    let mut peer = Peer::logged_on();
    peer.send("1 APPEND x {5+}\r\nhe");
    peer.session.shutdown();
    assert!(!peer.session.is_closed());
    peer.send("llo\r\n");
    assert!(peer.take().ends_with(&format!("1 OK APPEND completed.\r\n{BYE}")));
    assert!(peer.session.is_closed());
}

#[test]
fn the_driver_can_end_a_session_and_a_wrong_answer_does() {
    let mut peer = Peer::logged_on();
    peer.session.input(peer.now, b"1 NOOP\r\n");
    peer.session.answer(peer.now, Answer::Bye("The mailbox was switched off.".to_owned()));
    assert_eq!(peer.take(), "* BYE The mailbox was switched off.\r\n");
    let mut peer = Peer::logged_on();
    peer.session.input(peer.now, b"1 NOOP\r\n");
    peer.session.answer(peer.now, Answer::AppendAccepted);
    assert_eq!(peer.take(), "* BYE [SERVERBUG] Internal error.\r\n");
    assert!(peer.session.is_closed());
}

/// Pieces of which every kind of input can be made.
const PIECES: [&str; 24] = [
    "1 ",
    "NOOP",
    "LOGIN ann secret",
    "SELECT x",
    "APPEND x ",
    "{3}",
    "{5+}",
    "{0}",
    "{0+}",
    "{99999999}",
    "{70000+}",
    "\r\n",
    "\r\n",
    "\n",
    "\"",
    "abc",
    "IDLE\r\n",
    "DONE\r\n",
    "FETCH 1 ALL",
    "AUTHENTICATE PLAIN",
    "*",
    "SEARCH (OR ",
    "\0",
    "\u{fc}",
];

proptest! {
    #[test]
    fn no_input_breaks_a_session_and_no_cut_changes_what_it_says(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..40),
        cut in 1usize..9,
    ) {
        let sent = pieces.concat();
        let mut whole = Peer::new(private());
        whole.send(&sent);
        let mut cut_up = Peer::new(private());
        for piece in sent.as_bytes().chunks(cut) {
            cut_up.send(piece);
            prop_assert!(cut_up.session.pending_octets() <= Settings::MAX_BEFORE_LOGON);
        }
        prop_assert_eq!(whole.take(), cut_up.take());
        prop_assert_eq!(whole.session.is_closed(), cut_up.session.is_closed());
    }
}

/// What is said in base64.
fn encoded(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn the_exchange_of_rfc_7677_logs_on_once_the_client_has_seen_the_server_s_proof() {
    let said = format!(
        "1 AUTHENTICATE SCRAM-SHA-256 {}\r\n{}\r\n",
        encoded(RFC_7677.client_first),
        encoded(RFC_7677.client_final)
    );
    let challenges =
        format!("+ {}\r\n<log on user>\r\n+ {}\r\n", encoded(RFC_7677.server_first), encoded(RFC_7677.server_final));
    dialogue(in_private, &format!("{said}\r\n"), &format!("{challenges}1 OK AUTHENTICATE completed.\r\n"));
    let given_up =
        format!("{challenges}* BYE The log-on was given up after it was granted; closing the connection.\r\n");
    dialogue(in_private, &format!("{said}*\r\n2 NOOP\r\n"), &given_up);
    dialogue(in_private, &format!("{said}{}\r\n", "x".repeat(20_000)), &given_up);
}
