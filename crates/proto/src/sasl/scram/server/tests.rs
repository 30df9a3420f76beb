use super::*;
use crate::logon::Question;
use crate::sasl::scram::ChannelBindings;
use crate::sasl::scram::known::{self, Known, RFC_5802, RFC_7677};
use crate::sasl::{Exchange, Step};

impl Known {
    /// An exchange that awaits the client's last message.
    fn challenged(&self) -> Exchange {
        let (mut exchange, step) = begin(self.mechanism, self.client_first);
        assert_eq!(step, Step::Ask(Question::Look(Lookup::Scram { hash: self.hash(), user: "user".into() })));
        assert_eq!(told(&mut exchange, self.finding()), Step::Challenge(STANDARD.encode(self.server_first)));
        exchange
    }
}

fn begin(mechanism: Mechanism, message: &str) -> (Exchange, Step) {
    Exchange::begin(mechanism, Some(STANDARD.encode(message).as_bytes()))
}

fn told(exchange: &mut Exchange, finding: Finding) -> Step {
    exchange.told(logon::Finding::Scram(Box::new(finding)))
}

fn say(exchange: &mut Exchange, message: &str) -> Step {
    exchange.step(STANDARD.encode(message).as_bytes())
}

/// Whether the proof was right; `None` if it did not come to that.
fn proved(step: &Step) -> Option<bool> {
    match step {
        Step::Ask(Question::Judge(Credentials::Scram { proved, .. })) => Some(proved.is_some()),
        _ => None,
    }
}

#[test]
fn the_exchanges_of_rfc_5802_and_rfc_7677_come_out_to_the_letter() {
    for known in [RFC_5802, RFC_7677] {
        let mut exchange = known.challenged();
        let step = say(&mut exchange, known.client_final);
        let stored = Some(known.verifier().stored_key().clone());
        let mechanism = known.mechanism;
        let credentials = Credentials::Scram { authorization: None, user: "user".into(), mechanism, proved: stored };
        assert_eq!(step, Step::Ask(Question::Judge(credentials)));
        let granted = logon::Finding::Verdict(Verdict::Granted);
        assert_eq!(exchange.told(granted), Step::Challenge(STANDARD.encode(known.server_final)));
        assert_eq!(exchange.step(b""), Step::Done(Verdict::Granted));
        assert_eq!(exchange.step(b""), Step::Malformed);
    }
}

#[test]
fn a_refused_client_learns_nothing_that_the_server_knows() {
    let mut exchange = RFC_5802.challenged();
    say(&mut exchange, RFC_5802.client_final);
    let refused = logon::Finding::Verdict(Verdict::Refused);
    assert_eq!(exchange.told(refused), Step::Done(Verdict::Refused));
}

#[test]
fn who_does_not_believe_the_server_is_not_logged_on() {
    for line in [b"*".as_slice(), b"YQ==", b"!"] {
        let mut exchange = RFC_5802.challenged();
        say(&mut exchange, RFC_5802.client_final);
        exchange.told(logon::Finding::Verdict(Verdict::Granted));
        assert_eq!(exchange.step(line), Step::Abandoned, "{line:?}");
    }
    let mut exchange = RFC_5802.challenged();
    say(&mut exchange, RFC_5802.client_final);
    exchange.told(logon::Finding::Verdict(Verdict::Granted));
    assert!(exchange.is_granted());
}

#[test]
fn every_flipped_bit_of_a_proof_makes_it_wrong() {
    let (start, proof) = RFC_7677.client_final.rsplit_once("p=").unwrap();
    let proof = STANDARD.decode(proof).unwrap();
    for bit in 0..proof.len() * 8 {
        let mut flipped = proof.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let step = say(&mut RFC_7677.challenged(), &format!("{start}p={}", STANDARD.encode(flipped)));
        assert_eq!(proved(&step), Some(false));
    }
    for length in (0..proof.len()).chain([proof.len() + 3]) {
        let mut cut = proof.clone();
        cut.resize(length, 0);
        let step = say(&mut RFC_7677.challenged(), &format!("{start}p={}", STANDARD.encode(cut)));
        assert_eq!(proved(&step), Some(false), "{length}");
    }
}

#[test]
fn every_truncation_of_either_message_logs_nobody_on() {
    for end in 0..RFC_5802.client_final.len() {
        let step = say(&mut RFC_5802.challenged(), &RFC_5802.client_final[..end]);
        assert_ne!(proved(&step), Some(true), "{end}");
    }
    for end in 0..RFC_5802.client_first.len() {
        let (mut exchange, step) = begin(RFC_5802.mechanism, &RFC_5802.client_first[..end]);
        if step == Step::Malformed {
            continue;
        }
        // A shorter nonce is another exchange.
        told(&mut exchange, RFC_5802.finding());
        assert_ne!(proved(&say(&mut exchange, RFC_5802.client_final)), Some(true), "{end}");
    }
}

#[test]
fn a_replayed_or_reordered_message_is_refused() {
    // The same proof for another nonce of the server's.
    let (mut exchange, _) = begin(RFC_5802.mechanism, RFC_5802.client_first);
    told(&mut exchange, Finding { nonce: "4rfcNHYJY1ZVvWVs7j".into(), ..RFC_5802.finding() });
    assert_eq!(say(&mut exchange, RFC_5802.client_final), Step::Malformed);
    // The same, said to be for this one.
    let (mut exchange, _) = begin(RFC_5802.mechanism, RFC_5802.client_first);
    told(&mut exchange, Finding { nonce: "4rfcNHYJY1ZVvWVs7j".into(), ..RFC_5802.finding() });
    let replayed = RFC_5802.client_final.replace("3rfc", "4rfc");
    assert_eq!(proved(&say(&mut exchange, &replayed)), Some(false));
    // The last message first, and the first one twice.
    assert_eq!(begin(RFC_5802.mechanism, RFC_5802.client_final).1, Step::Malformed);
    assert_eq!(say(&mut RFC_5802.challenged(), RFC_5802.client_first), Step::Malformed);
}

#[test]
fn a_verifier_of_another_hash_is_no_answer() {
    let (mut exchange, _) = begin(Mechanism::ScramSha1, RFC_5802.client_first);
    assert_eq!(told(&mut exchange, RFC_7677.finding()), Step::Malformed);
}

const EXPORTER: &[u8] = b"exported";
const END_POINT: &[u8] = b"certificate";

/// What becomes of a client that begins with this header and binds to this, where the server knows these bindings.
fn bind(mechanism: Mechanism, header: &str, data: &[u8], bindings: Option<ChannelBindings>) -> Option<bool> {
    let hash = Scram::new(mechanism).hash;
    let verifier = known::verifier(hash, "pencil", b"salt", 1);
    let bare = "n=user,r=abc";
    let (mut exchange, _) = begin(mechanism, &format!("{header}{bare}"));
    let step = told(&mut exchange, Finding { verifier, nonce: "def".into(), bindings });
    let Step::Challenge(server_first) = step else { return None };
    let server_first = String::from_utf8(STANDARD.decode(server_first).unwrap()).unwrap();
    let binding = STANDARD.encode([header.as_bytes(), data].concat());
    let without_proof = format!("c={binding},r=abcdef");
    let auth_message = format!("{bare},{server_first},{without_proof}");
    // RFC 5802 §3, from the client's side.
    let salted = known::salted(hash, "pencil", b"salt", 1);
    let client_key = hash.hmac(&salted, b"Client Key");
    let signature = hash.hmac(&hash.digest(&client_key), auth_message.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature.iter()).map(|(a, b)| a ^ b).collect();
    let step = say(&mut exchange, &format!("{without_proof},p={}", STANDARD.encode(proof)));
    proved(&step)
}

#[test]
fn every_way_to_bind_a_channel_is_right_or_refused() {
    use Mechanism::{ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus};
    let both =
        || Some(ChannelBindings { exporter: Some(EXPORTER.to_vec()), server_end_point: Some(END_POINT.to_vec()) });
    let tls_1_2 = || Some(ChannelBindings { exporter: None, server_end_point: Some(END_POINT.to_vec()) });
    let exporter = "p=tls-exporter,,";
    let end_point = "p=tls-server-end-point,,";
    for plus in [ScramSha256Plus, ScramSha1Plus] {
        assert_eq!(bind(plus, exporter, EXPORTER, both()), Some(true));
        assert_eq!(bind(plus, end_point, END_POINT, both()), Some(true));
        assert_eq!(bind(plus, end_point, END_POINT, tls_1_2()), Some(true));
        // Of another connection, of another type, of none.
        assert_eq!(bind(plus, exporter, b"another", both()), Some(false));
        assert_eq!(bind(plus, exporter, END_POINT, both()), Some(false));
        assert_eq!(bind(plus, exporter, b"", both()), Some(false));
        assert_eq!(bind(plus, exporter, EXPORTER, tls_1_2()), None);
        assert_eq!(bind(plus, "p=tls-unique,,", EXPORTER, both()), None);
        assert_eq!(bind(plus, exporter, EXPORTER, None), None);
        assert_eq!(bind(plus, "n,,", b"", both()), None);
        assert_eq!(bind(plus, "y,,", b"", both()), None);
    }
    for plain in [ScramSha256, ScramSha1] {
        assert_eq!(bind(plain, "n,,", b"", both()), Some(true));
        assert_eq!(bind(plain, "n,,", b"", None), Some(true));
        assert_eq!(bind(plain, "y,,", b"", None), Some(true));
        // RFC 5802 §6: the client would have bound the channel if it had seen that it can.
        assert_eq!(bind(plain, "y,,", b"", both()), None);
        assert_eq!(bind(plain, exporter, EXPORTER, both()), None);
        assert_eq!(bind(plain, "n,,", b"x", None), Some(false));
    }
}
