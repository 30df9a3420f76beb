use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Session as _;
use crate::logon::{Credentials, testing};
use crate::pop3::{Number, Transaction};
use crate::sasl::scram::known::RFC_7677;

const CURE: &str = "Use STLS, or connect with TLS on port 995.";

fn clear() -> Offer {
    Offer { starttls: true, password_command: false, mechanisms: vec![], cure: CURE.to_owned() }
}

fn private() -> Offer {
    Offer {
        starttls: false,
        password_command: true,
        mechanisms: vec![Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login],
        cure: String::new(),
    }
}

/// A session and its driver, which answers each request as it is told to.
struct Wire {
    session: Session,
    now: Instant,
    received: Vec<u8>,
    requests: Vec<Request>,
    log_on: Verdict,
    update: Update,
}

impl Wire {
    fn new(offer: Offer) -> Self {
        let now = Instant::now();
        let session = Session::new(Arc::new(Settings::default()), offer, now);
        let mut wire = Self {
            session,
            now,
            received: vec![],
            requests: vec![],
            log_on: Verdict::Granted,
            update: Update::Complete,
        };
        assert_eq!(wire.sent(), "+OK The Gatepost POP3 service is ready.\r\n");
        wire
    }

    fn logged_on() -> Self {
        let mut wire = Self::new(private());
        assert_eq!(wire.say("USER ann\r\nPASS secret\r\n"), "+OK\r\n+OK User successfully logged on.\r\n");
        wire.requests.clear();
        wire
    }

    fn sent(&mut self) -> String {
        let mut out = vec![];
        self.session.output(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn say(&mut self, text: impl AsRef<[u8]>) -> String {
        self.received.extend_from_slice(text.as_ref());
        loop {
            let (consumed, request) = self.session.input(self.now, &self.received);
            self.received.drain(..consumed);
            let has_request = request.is_some();
            if let Some(request) = request {
                let answer = match &request {
                    Request::StartTls => Answer::Encrypted(private()),
                    Request::LogOn(Question::Look(lookup)) => Answer::LogOn(testing::look(lookup)),
                    Request::LogOn(Question::Judge(_)) => Answer::LogOn(Finding::Verdict(self.log_on)),
                    Request::Execute(_) => Answer::Replied,
                    Request::Update => Answer::Updated(self.update),
                };
                self.requests.push(request);
                self.session.answer(self.now, answer);
            }
            if consumed == 0 && !has_request {
                return self.sent();
            }
        }
    }

    fn credentials(&self) -> (&str, &str, Option<Mechanism>) {
        let [Request::LogOn(Question::Judge(Credentials::Password { user, password, mechanism, .. }))] =
            self.requests.as_slice()
        else {
            panic!("{:?}", self.requests)
        };
        (user, password.expose(), *mechanism)
    }
}

#[test]
fn nothing_logs_on_before_tls_and_the_refusal_names_the_cure() {
    for line in
        ["USER ann", "PASS secret", "AUTH PLAIN", "AUTH PLAIN AGFubgBzZWNyZXQ=", "AUTH", "AUTH NTLM", "auth login"]
    {
        let mut wire = Wire::new(clear());
        assert_eq!(
            wire.say(format!("{line}\r\n")),
            format!("-ERR Command is not valid in this state. {CURE}\r\n"),
            "{line}"
        );
        assert_eq!(wire.requests, []);
        assert!(!wire.session.is_closed());
        assert_eq!(wire.say("STLS\r\n"), "+OK Begin TLS negotiation.\r\n");
    }
}

#[test]
fn capabilities_are_true_before_tls_after_it_and_after_log_on() {
    let before =
        "+OK Capability list follows.\r\nSTLS\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
    let after = "+OK Capability list follows.\r\nUSER\r\nSASL SCRAM-SHA-256 PLAIN LOGIN\r\nTOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n.\r\n";
    let mut wire = Wire::new(clear());
    assert_eq!(wire.say("CAPA\r\n"), before);
    wire.say("STLS\r\n");
    assert_eq!(wire.say("capa\r\n"), after);
    wire.say("USER ann\r\nPASS secret\r\n");
    assert_eq!(wire.say("CAPA\r\n"), after);
}

#[test]
fn what_was_received_before_tls_never_runs_after_it() {
    let mut wire = Wire::new(clear());
    assert_eq!(wire.say("STLS\r\nUSER mallory\r\nPASS x\r\nQU"), "+OK Begin TLS negotiation.\r\n");
    assert_eq!(wire.requests, [Request::StartTls]);
    assert_eq!(wire.received, b"");
    assert_eq!(wire.say("IT\r\n"), "-ERR Command is not recognized.\r\n");
}

#[test]
fn a_user_named_before_tls_is_forgotten() {
    let mut wire = Wire::new(Offer { starttls: true, ..private() });
    assert_eq!(wire.say("USER ann\r\nSTLS\r\n"), "+OK\r\n+OK Begin TLS negotiation.\r\n");
    assert_eq!(wire.say("PASS secret\r\n"), "-ERR Command is not valid in this state.\r\n");
    assert_eq!(wire.say("STLS\r\n"), "-ERR Command is not valid in this state.\r\n");
}

#[test]
fn a_password_keeps_its_spaces_and_odd_octets() {
    let mut wire = Wire::new(private());
    wire.say(b"USER ann\r\nPASS  a b \xe9 \r\n");
    assert_eq!(wire.credentials(), ("ann", " a b \u{e9} ", None));
}

#[test]
fn a_wrong_password_can_be_tried_again_and_the_third_closes() {
    let refused = "-ERR [AUTH] Logon failure: unknown user name or bad password.\r\n";
    let mut wire = Wire::new(private());
    wire.log_on = Verdict::Refused;
    for _ in 0..2 {
        assert_eq!(wire.say("USER ann\r\nPASS x\r\n"), format!("+OK\r\n{refused}"));
        assert_eq!(wire.say("PASS x\r\n"), "-ERR Command is not valid in this state.\r\n");
        assert!(!wire.session.is_closed());
    }
    assert_eq!(wire.say("AUTH PLAIN AGFubgBzZWNyZXQ=\r\nUSER ann\r\n"), refused);
    assert!(wire.session.is_closed());
    assert_eq!(wire.requests.len(), 3);
}

#[test]
fn each_reason_has_its_response_code() {
    for (reason, code) in [
        (Verdict::Refused, "AUTH"),
        (Verdict::Throttled, "SYS/TEMP"),
        (Verdict::TooManyConnections { limit: 16 }, "SYS/TEMP"),
        (Verdict::InUse, "IN-USE"),
        (Verdict::Unavailable, "SYS/TEMP"),
        (Verdict::Damaged, "SYS/PERM"),
    ] {
        let mut wire = Wire::new(private());
        wire.log_on = reason;
        let said = wire.say("USER ann\r\nPASS x\r\n");
        assert!(said.starts_with(&format!("+OK\r\n-ERR [{code}] ")), "{said}");
        assert_eq!(reason == Verdict::Refused, {
            wire.say("USER ann\r\nPASS x\r\nUSER ann\r\nPASS x\r\n");
            wire.session.is_closed()
        });
        if let Verdict::TooManyConnections { limit } = reason {
            assert!(said.contains(&limit.to_string()));
        }
    }
}

#[test]
fn auth_works_with_and_without_an_initial_response_and_can_be_cancelled() {
    let mut wire = Wire::new(private());
    assert_eq!(wire.say("AUTH PLAIN AGFubgBzZWNyZXQ=\r\n"), "+OK User successfully logged on.\r\n");
    assert_eq!(wire.credentials(), ("ann", "secret", Some(Mechanism::Plain)));
    let mut wire = Wire::new(private());
    assert_eq!(wire.say("AUTH PLAIN\r\n"), "+ \r\n");
    assert_eq!(wire.say("*\r\n"), "-ERR The AUTH protocol exchange was canceled by the client.\r\n");
    assert_eq!(wire.say("AUTH LOGIN\r\n"), "+ VXNlcm5hbWU6\r\n");
    assert_eq!(wire.say("YW5u\r\n"), "+ UGFzc3dvcmQ6\r\n");
    assert_eq!(wire.say("c2VjcmV0\r\n"), "+OK User successfully logged on.\r\n");
    assert_eq!(wire.credentials(), ("ann", "secret", Some(Mechanism::Login)));
}

#[test]
fn auth_alone_lists_the_mechanisms_and_unknown_ones_are_refused() {
    let mut wire = Wire::new(private());
    assert_eq!(wire.say("AUTH\r\n"), "+OK\r\nSCRAM-SHA-256\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    assert_eq!(wire.say("AUTH NTLM\r\n"), "-ERR Unrecognized authentication type.\r\n");
}

#[test]
fn commands_are_legal_in_their_states_only() {
    let refused = "-ERR Command is not valid in this state.\r\n";
    for line in ["STAT", "LIST", "UIDL", "RETR 1", "TOP 1 0", "DELE 1", "RSET", "NOOP"] {
        assert_eq!(Wire::new(private()).say(format!("{line}\r\n")), refused, "{line}");
    }
    for line in ["USER ann", "PASS secret", "AUTH PLAIN", "STLS"] {
        assert_eq!(Wire::logged_on().say(format!("{line}\r\n")), refused, "{line}");
    }
}

#[test]
fn transaction_commands_are_asked_of_the_driver_in_order() {
    let mut wire = Wire::logged_on();
    wire.say("STAT\r\nlist\r\nLIST 2\r\nUIDL\r\nUIDL 3\r\nRETR 4\r\nTOP 5 6\r\nDELE 7\r\nRSET\r\nNOOP\r\n");
    let expected = [
        Transaction::Stat,
        Transaction::List(None),
        Transaction::List(Some(Number(2))),
        Transaction::Uidl(None),
        Transaction::Uidl(Some(Number(3))),
        Transaction::Retr(Number(4)),
        Transaction::Top(Number(5), 6),
        Transaction::Dele(Number(7)),
        Transaction::Rset,
    ];
    assert_eq!(wire.requests, expected.map(Request::Execute));
}

#[test]
fn only_quit_after_log_on_asks_for_the_update() {
    let mut wire = Wire::new(private());
    assert_eq!(wire.say("QUIT\r\n"), "+OK Gatepost POP3 server signing off.\r\n");
    assert_eq!(wire.requests, []);
    let mut wire = Wire::logged_on();
    assert_eq!(wire.say("QUIT\r\nNOOP\r\n"), "+OK Gatepost POP3 server signing off.\r\n");
    assert_eq!(wire.requests, [Request::Update]);
    let mut wire = Wire::logged_on();
    wire.update = Update::Partial;
    assert_eq!(wire.say("QUIT\r\n"), "-ERR [SYS/TEMP] some deleted messages not removed\r\n");
    assert!(wire.session.is_closed());
    // Neither a time-out nor a server going down is a QUIT.
    for end in [|session: &mut Session, now| session.timeout(now), |session: &mut Session, _| session.shutdown()] {
        let mut wire = Wire::logged_on();
        wire.say("DELE 1\r\n");
        end(&mut wire.session, wire.now);
        assert!(wire.session.is_closed());
        assert!(!wire.requests.contains(&Request::Update));
    }
}

/// The whole session cut in two at every octet, and sent octet by octet.
#[test]
fn it_makes_no_difference_where_input_is_cut() {
    let input = b"CAPA\r\nUSER ann\r\nAUTH LOGIN\r\nYW5u\r\n*\r\nUSER ann\nPASS a b\r\nSTAT\r\nRETR x\r\nbogus\r\nTOP 1 2\r\nQUIT\r\n";
    let run = |chunks: &[&[u8]]| {
        let mut wire = Wire::new(private());
        let said: String = chunks.iter().map(|chunk| wire.say(chunk)).collect();
        assert!(wire.session.is_closed());
        (said, format!("{:?}", wire.requests))
    };
    let whole = run(&[input]);
    for at in 0..=input.len() {
        let (a, b) = input.split_at(at);
        assert_eq!(run(&[a, b]), whole, "cut at {at}");
    }
    assert_eq!(run(&input.chunks(1).collect::<Vec<_>>()), whole);
}

#[test]
fn a_command_of_512_octets_is_read_and_one_more_is_not() {
    let longest = format!("USER {}\r\n", "a".repeat(512 - "USER \r\n".len()));
    assert_eq!(Wire::new(private()).say(&longest), "+OK\r\n");
    let too_long = longest.replacen("USER ", "USER a", 1);
    assert_eq!(Wire::new(private()).say(&too_long), "-ERR Command is longer than 512 octets.\r\n");
    let mut wire = Wire::new(private());
    let said: String = too_long.bytes().map(|octet| wire.say([octet])).collect();
    assert_eq!(said, "-ERR Command is longer than 512 octets.\r\n");
}

#[test]
fn a_line_without_end_is_never_held() {
    for start in ["USER ", "AUTH PLAIN ", "AUTH PLAIN\r\n"] {
        let mut wire = Wire::new(private());
        wire.say(start);
        for _ in 0..2000 {
            wire.say([b'a'; 100]);
            assert!(wire.received.len() <= Exchange::MAX_LINE + 2 + 100, "{start}");
        }
        assert!(!wire.session.is_closed());
        assert!(wire.say("\r\n").starts_with("-ERR "));
        assert_eq!(wire.say("USER ann\r\n"), "+OK\r\n");
    }
}

#[test]
fn an_initial_response_may_be_as_long_as_an_exchange_allows() {
    let mut wire = Wire::new(private());
    let room = Exchange::MAX_LINE - "AUTH LOGIN ".len();
    let name = "YWFh".repeat(room / 4);
    assert_eq!(wire.say(format!("AUTH LOGIN {name}\r\n")), "+ UGFzc3dvcmQ6\r\n");
    let mut wire = Wire::new(private());
    assert!(
        wire.say(format!("AUTH LOGIN {name}YWFhYWFh\r\n")).starts_with("-ERR Command is longer than 12288 octets.")
    );
}

#[test]
fn other_protocols_are_answered_once_and_closed() {
    for line in ["GET / HTTP/1.1", "EHLO client.example.test", "a1 CAPABILITY"] {
        let mut wire = Wire::new(clear());
        let said = wire.say(format!("{line}\r\nHost: x\r\n\r\nUSER ann\r\n"));
        assert!(said.starts_with("-ERR This is a POP3 server") && said.lines().count() == 1, "{said}");
        assert!(wire.session.is_closed());
    }
}

#[test]
fn the_tenth_bad_command_closes_and_says_so() {
    let mut wire = Wire::new(private());
    for _ in 0..9 {
        assert_eq!(wire.say("XYZZY\r\n"), "-ERR Command is not recognized.\r\n");
    }
    assert_eq!(wire.say("XYZZY\r\n"), "-ERR Command is not recognized. Too many bad commands (10): goodbye.\r\n");
    assert!(wire.session.is_closed());
}

#[test]
fn nothing_of_unknown_input_is_echoed() {
    let said = Wire::new(private()).say("<script>alert(1)</script>\r\nRETR <script>\r\nTOP <script>\r\n");
    assert!(!said.contains("script"), "{said}");
}

#[test]
fn a_client_that_does_not_log_on_is_cut_off_whatever_it_says() {
    let mut wire = Wire::new(private());
    let start = wire.now;
    assert_eq!(wire.session.deadline(), Some(start + Duration::from_secs(60)));
    wire.now += Duration::from_secs(30);
    wire.say("CAPA\r\nUSER ann\r\nPA");
    assert_eq!(wire.session.deadline(), Some(start + Duration::from_secs(60)));
    wire.session.timeout(start + Duration::from_secs(60));
    assert!(wire.session.is_closed());
    assert_eq!(wire.sent(), "");
}

#[test]
fn the_idle_time_starts_anew_with_each_command_but_not_with_octets() {
    let mut wire = Wire::logged_on();
    let half_an_hour = Duration::from_secs(30 * 60);
    for line in ["NOOP\r\n", "STAT\r\n", "bogus\r\n"] {
        wire.now += Duration::from_secs(100);
        wire.say(line);
        assert_eq!(wire.session.deadline(), Some(wire.now + half_an_hour), "{line:?}");
    }
    let deadline = wire.session.deadline();
    wire.now += Duration::from_secs(100);
    wire.say("NOO");
    assert_eq!(wire.session.deadline(), deadline);
}

#[test]
fn a_server_going_down_finishes_what_is_under_way() {
    let mut wire = Wire::logged_on();
    let (_, request) = wire.session.input(wire.now, b"QUIT\r\n");
    assert_eq!(request, Some(Request::Update));
    wire.session.shutdown();
    assert!(!wire.session.is_closed());
    wire.session.answer(wire.now, Answer::Updated(Update::Complete));
    assert_eq!(wire.sent(), "+OK Gatepost POP3 server signing off.\r\n");
    let mut wire = Wire::logged_on();
    let (_, request) = wire.session.input(wire.now, b"STAT\r\n");
    assert!(request.is_some());
    wire.session.shutdown();
    wire.session.answer(wire.now, Answer::Replied);
    assert_eq!(wire.sent(), "-ERR [SYS/TEMP] The server is shutting down. Try again later.\r\n");
    assert!(wire.session.is_closed());
}

/// Words of the protocol and of none, so that random input gets somewhere.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let words: &'static [&'static [u8]] = &[
        b"\r\n",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"*",
        b"=",
        b"CAPA\r\n",
        b"STLS",
        b"USER ann\r\n",
        b"PASS x\r\n",
        b"AUTH PLAIN",
        b"AUTH LOGIN",
        b" AGFubgBzZWNyZXQ=",
        b"YW5u",
        b"QUIT",
        b"STAT",
        b"LIST",
        b"RETR 1",
        b"TOP 1 1",
        b"DELE 4294967296",
        b"NOOP",
        b"GET / HTTP/1.1",
        b"\0",
        b"\xff",
    ];
    prop_oneof![
        8 => prop::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0usize..20_000).prop_map(|(octet, count)| vec![octet; count]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn any_input_is_answered_in_short_lines_and_little_of_it_is_held(
        fragments in prop::collection::vec(fragment(), 0..40),
        is_private: bool,
    ) {
        let run = |chunks: &mut dyn Iterator<Item = &[u8]>| {
            let mut wire = Wire::new(if is_private { private() } else { clear() });
            let mut said = String::new();
            for chunk in chunks {
                said += &wire.say(chunk);
                prop_assert!(wire.session.is_closed() || wire.received.len() <= Exchange::MAX_LINE + 2);
            }
            prop_assert!(said.lines().all(|line| line.len() + 2 <= super::super::MAX_REPLY));
            prop_assert!(said.matches("\r\n").count() == said.matches(['\r', '\n']).count() / 2);
            Ok((said, format!("{:?}", wire.requests)))
        };
        let whole = fragments.concat();
        let in_one = run(&mut std::iter::once(whole.as_slice()))?;
        // What follows STLS in the same read is dropped, and in a later one it is not: that is the point of it.
        if !in_one.1.contains("StartTls") {
            prop_assert_eq!(run(&mut fragments.iter().map(Vec::as_slice))?, in_one);
        }
    }
}

/// What is said in base64.
fn encoded(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn the_exchange_of_rfc_7677_logs_on_once_the_client_has_seen_the_server_s_proof() {
    let begin = format!("AUTH SCRAM-SHA-256 {}\r\n", encoded(RFC_7677.client_first));
    let last = format!("{}\r\n", encoded(RFC_7677.client_final));
    let mut wire = Wire::new(private());
    assert_eq!(wire.say(&begin), format!("+ {}\r\n", encoded(RFC_7677.server_first)));
    assert_eq!(wire.say(&last), format!("+ {}\r\n", encoded(RFC_7677.server_final)));
    assert_eq!(wire.say("\r\n"), "+OK User successfully logged on.\r\n");
    // Who gives up then is nobody, although the driver has a maildrop open.
    let mut wire = Wire::new(private());
    wire.say(&begin);
    wire.say(&last);
    assert_eq!(wire.say("*\r\nSTAT\r\n"), "-ERR The log-on was given up after it was granted. Goodbye.\r\n");
    assert!(wire.session.is_closed());
    let mut wire = Wire::new(private());
    wire.log_on = Verdict::Refused;
    wire.say(&begin);
    assert_eq!(wire.say(&last), "-ERR [AUTH] Logon failure: unknown user name or bad password.\r\n");
}
