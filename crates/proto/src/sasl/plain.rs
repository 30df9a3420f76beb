//! PLAIN (RFC 4616).

use super::exchange::{Outcome, Server, text};
use crate::logon::{Credentials, Mechanism, Secret};

pub(super) struct Plain;

impl Server for Plain {
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome {
        match initial {
            // RFC 4616 §2: the client speaks first, so the challenge is empty.
            None => Outcome::Challenge(Vec::new()),
            Some(message) => self.respond(message),
        }
    }

    fn respond(&mut self, message: &[u8]) -> Outcome {
        parse(message).map_or(Outcome::Malformed, Outcome::Credentials)
    }
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`; none of the three holds a NUL, the last two something.
fn parse(message: &[u8]) -> Option<Credentials> {
    let mut parts = message.splitn(3, |&octet| octet == 0);
    let authorization = match parts.next()? {
        b"" => None,
        name => Some(text(name)?.to_owned()),
    };
    let user = text(parts.next()?)?.to_owned();
    let password = Secret::new(text(parts.next()?)?.to_owned());
    Some(Credentials::Password { authorization, user, password, mechanism: Some(Mechanism::Plain) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(message: &[u8]) -> Option<(Option<String>, String, String)> {
        let Credentials::Password { authorization, user, password, mechanism } = parse(message)? else { return None };
        assert_eq!(mechanism, Some(Mechanism::Plain));
        Some((authorization, user, password.expose().to_owned()))
    }

    #[test]
    fn the_examples_of_rfc_4616_are_read() {
        assert_eq!(parsed(b"\0tim\0tanstaaftanstaaf"), Some((None, "tim".into(), "tanstaaftanstaaf".into())));
        assert_eq!(parsed(b"Ursel\0Kurt\0xipj3plmq"), Some((Some("Ursel".into()), "Kurt".into(), "xipj3plmq".into())));
    }

    #[test]
    fn a_message_with_anything_missing_or_a_third_nul_is_malformed() {
        let bad: [&[u8]; 9] = [
            b"",
            b"ann",
            b"\0ann",
            b"\0\0",
            b"\0\0secret",
            b"\0ann\0",
            b"ann\0secret",
            b"\0ann\0sec\0ret",
            b"\0ann\0secret\0",
        ];
        for message in bad {
            assert_eq!(parsed(message), None, "{message:?}");
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_malformed_in_each_place() {
        assert!(parsed("é\0é\0é".as_bytes()).is_some());
        for message in [b"\xe9\0ann\0secret".as_slice(), b"\0\xe9\0secret", b"\0ann\0\xe9"] {
            assert_eq!(parsed(message), None, "{message:?}");
        }
    }
}
