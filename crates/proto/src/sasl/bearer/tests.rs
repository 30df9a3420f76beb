use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::logon::{Finding, Question};
use crate::sasl::{Exchange, Step};

/// RFC 7628 §4.1.
const RFC_7628: &[u8] = b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
const RFC_7628_BASE64: &str = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB";
const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
/// Google's example.
const XOAUTH2: &[u8] =
    b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01";

fn server() -> BearerServer {
    let configuration = "https://example.com/.well-known/openid-configuration".into();
    BearerServer { scope: "example_scope".into(), configuration }
}

/// Both mechanisms' reading of a message: whom it names, and the token.
fn read(mechanism: Mechanism, message: &[u8]) -> Option<(Option<String>, String)> {
    let message = match mechanism {
        Mechanism::XOAuth2 => Message::of_xoauth2(message)?,
        _ => Message::of_oauthbearer(message)?,
    };
    Some((message.authorization.or(message.user), message.token.expose().to_owned()))
}

fn oauthbearer(message: &str) -> Option<(Option<String>, String)> {
    read(Mechanism::OAuthBearer, message.as_bytes())
}

/// An exchange up to its verdict.
fn judged(mechanism: Mechanism, message: &[u8], finding: Finding) -> (Exchange, Step) {
    let (mut exchange, step) = Exchange::begin(mechanism, Some(STANDARD.encode(message).as_bytes()));
    let Step::Ask(Question::Judge(credentials)) = step else { panic!("{step:?}") };
    assert_eq!(credentials.mechanism(), Some(mechanism));
    let step = exchange.told(finding);
    (exchange, step)
}

fn refused() -> Finding {
    Finding::TokenRefused(Box::new(server()))
}

fn told(step: Step) -> String {
    let Step::Challenge(challenge) = step else { panic!("{step:?}") };
    String::from_utf8(STANDARD.decode(challenge).unwrap()).unwrap()
}

#[test]
fn the_example_of_rfc_7628_is_read() {
    assert_eq!(STANDARD.decode(RFC_7628_BASE64).unwrap(), RFC_7628);
    let read = read(Mechanism::OAuthBearer, RFC_7628).unwrap();
    assert_eq!(read, (Some("user@example.com".into()), TOKEN.into()));
}

#[test]
fn the_example_of_google_is_read() {
    let read = read(Mechanism::XOAuth2, XOAUTH2).unwrap();
    assert_eq!(read, (Some("someuser@example.com".into()), "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg".into()));
}

#[test]
fn a_user_may_be_left_out_and_may_hold_commas_and_equals_signs() {
    let auth = "\x01auth=Bearer t\x01\x01";
    assert_eq!(oauthbearer(&format!("n,,{auth}")).unwrap(), (None, "t".into()));
    assert_eq!(oauthbearer(&format!("y,,{auth}")).unwrap(), (None, "t".into()));
    assert_eq!(oauthbearer(&format!("n,a=a=2Cb=3Dc,{auth}")).unwrap().0.unwrap(), "a,b=c");
    assert_eq!(oauthbearer("n,,\x01auth=bEaReR   t\x01\x01").unwrap().1, "t");
    assert_eq!(oauthbearer("n,,\x01some=thing else\x01auth=Bearer t\x01more=\x01\x01").unwrap().1, "t");
}

#[test]
fn what_is_missing_or_stands_elsewhere_is_malformed() {
    let auth = "auth=Bearer t\x01\x01";
    for header in ["", "n", "n,", ",,", "p=tls-exporter,,", "x,,", "n,a=,", "n,a=b=c,", "n,b,", "n,,x", "n,,,"] {
        assert_eq!(oauthbearer(&format!("{header}\x01{auth}")), None, "{header:?}");
    }
    for pairs in [
        "",
        "\x01",
        "\x01\x01",
        "auth=Bearer t",
        "auth=Bearer t\x01",
        "auth=Bearer t\x01\x01\x01",
        "auth=Bearer t\x01\x01x",
        "host=a\x01\x01",
        "auth=Bearer\x01\x01",
        "auth=Bearer \x01\x01",
        "auth=Bearer ==\x01\x01",
        "auth=Bearer a=b\x01\x01",
        "auth=Bearer a b\x01\x01",
        "auth=Bearer a\r\nb\x01\x01",
        "auth=Basic t\x01\x01",
        "auth=t\x01\x01",
        "auth=Bearer t\x01auth=Bearer t\x01\x01",
        "auth=Bearer t\x01nothing\x01\x01",
        "auth=Bearer t\x01=x\x01\x01",
        "auth=Bearer t\x01a1=x\x01\x01",
        "auth=Bearer t\x01x=\x02\x01\x01",
        "auth=Bearer é\x01\x01",
    ] {
        assert_eq!(oauthbearer(&format!("n,,\x01{pairs}")), None, "{pairs:?}");
        assert_eq!(read(Mechanism::XOAuth2, format!("user=a\x01{pairs}").as_bytes()), None, "{pairs:?}");
    }
    for user in ["", "user=", "a", "User=a", "user"] {
        assert_eq!(read(Mechanism::XOAuth2, format!("{user}\x01{auth}").as_bytes()), None, "{user:?}");
    }
    for junk in [b"\x01".as_slice(), b"", b"\xff\x01auth=Bearer t\x01\x01", b"n,,\x01auth=Bearer t\0\x01\x01"] {
        assert_eq!(read(Mechanism::OAuthBearer, junk), None, "{junk:?}");
        assert_eq!(read(Mechanism::XOAuth2, junk), None, "{junk:?}");
    }
}

#[test]
fn no_truncation_is_another_log_on() {
    for (mechanism, message) in [(Mechanism::OAuthBearer, RFC_7628), (Mechanism::XOAuth2, XOAUTH2)] {
        assert!(read(mechanism, message).is_some());
        for end in 0..message.len() {
            assert_eq!(read(mechanism, &message[..end]), None, "{mechanism:?} {end}");
        }
    }
}

#[test]
fn a_token_as_long_as_a_line_may_be_passes() {
    let token = "t".repeat(12284 / 4 * 3 - "n,,\x01auth=Bearer \x01\x01".len());
    let message = format!("n,,\x01auth=Bearer {token}\x01\x01");
    let begin = |message: &str| Exchange::begin(Mechanism::OAuthBearer, Some(STANDARD.encode(message).as_bytes())).1;
    assert!(matches!(begin(&message), Step::Ask(Question::Judge(_))));
    assert_eq!(begin(&message.replace("n,,", "n,a=b,")), Step::Malformed);
}

#[test]
fn who_is_granted_is_told_at_once() {
    for (mechanism, message) in [(Mechanism::OAuthBearer, RFC_7628), (Mechanism::XOAuth2, XOAUTH2)] {
        assert_eq!(judged(mechanism, message, Finding::Verdict(Verdict::Granted)).1, Step::Done(Verdict::Granted));
    }
}

#[test]
fn who_is_refused_is_told_where_to_get_a_token_and_answers_before_the_end() {
    let bearer = r#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}"#;
    let google = r#"{"status":"401","schemes":"bearer","scope":"example_scope"}"#;
    let cases = [(Mechanism::OAuthBearer, RFC_7628, bearer), (Mechanism::XOAuth2, XOAUTH2, google)];
    for (mechanism, message, error) in cases {
        for last in ["AQ==", "", "*", "not base64"] {
            let (mut exchange, step) = judged(mechanism, message, refused());
            assert_eq!(told(step), error);
            assert_eq!(exchange.step(last.as_bytes()), Step::Done(Verdict::Refused), "{mechanism:?} {last:?}");
            assert_eq!(exchange.step(last.as_bytes()), Step::Malformed);
        }
    }
}

#[test]
fn a_client_without_a_token_is_told_where_to_get_one() {
    // RFC 7628 §4.3.
    let message = b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01";
    assert_eq!(read(Mechanism::OAuthBearer, message).unwrap().1, "");
    assert!(told(judged(Mechanism::OAuthBearer, message, refused()).1).contains("openid-configuration"));
}

#[test]
fn what_is_no_refusal_is_no_error_of_the_mechanism() {
    for verdict in [Verdict::Unavailable, Verdict::Throttled, Verdict::TooManyConnections { limit: 1 }] {
        assert_eq!(judged(Mechanism::OAuthBearer, RFC_7628, Finding::Verdict(verdict)).1, Step::Done(verdict));
    }
}

#[test]
fn an_error_is_json_whatever_the_settings_hold() {
    let bearer = Bearer::new(Mechanism::OAuthBearer);
    assert_eq!(bearer.error(&BearerServer::default()), r#"{"status":"invalid_token"}"#);
    let server = BearerServer { scope: "a\"b\\c\n".into(), configuration: String::new() };
    assert_eq!(bearer.error(&server), r#"{"status":"invalid_token","scope":"a\"b\\c\u000a"}"#);
}

#[test]
fn a_refusal_without_more_to_say_is_an_error_too() {
    let step = judged(Mechanism::OAuthBearer, RFC_7628, Finding::Verdict(Verdict::Refused)).1;
    assert_eq!(told(step), r#"{"status":"invalid_token"}"#);
    // Of other mechanisms it is a refusal as any.
    let plain = judged(Mechanism::Plain, b"\0ann\0secret", refused()).1;
    assert_eq!(plain, Step::Done(Verdict::Refused));
}

#[test]
fn what_was_not_asked_for_leads_nowhere() {
    for finding in [refused(), Finding::Verdict(Verdict::Granted)] {
        let (mut exchange, step) = Exchange::begin(Mechanism::XOAuth2, None);
        assert_eq!(step, Step::Challenge(String::new()));
        assert_eq!(exchange.told(finding), Step::Malformed);
    }
    let (mut exchange, _) = Exchange::begin(Mechanism::ScramSha256, Some(STANDARD.encode("n,,n=ann,r=abc").as_bytes()));
    assert_eq!(exchange.told(refused()), Step::Malformed);
}

#[test]
fn debugging_shows_no_token() {
    let (exchange, step) = Exchange::begin(Mechanism::OAuthBearer, Some(RFC_7628_BASE64.as_bytes()));
    assert!(!format!("{exchange:?}{step:?}").contains("vF9dft4q"));
}
