//! EXTERNAL (RFC 4422 Appendix A): the certificate that the client showed when TLS began says who it is.

use super::exchange::{Outcome, Server, text};
use crate::logon::Credentials;

pub(super) struct External;

impl Server for External {
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome {
        match initial {
            // RFC 4422 §A.1: the client speaks first, so the challenge is empty.
            None => Outcome::Challenge(Vec::new()),
            Some(message) => self.respond(message),
        }
    }

    /// RFC 4422 §A.1: whom the client wants to act as, or nothing: then it is whom the certificate names.
    fn respond(&mut self, message: &[u8]) -> Outcome {
        let authorization = match message {
            b"" => None,
            name => match text(name) {
                Some(name) => Some(name.to_owned()),
                None => return Outcome::Malformed,
            },
        };
        Outcome::Credentials(Credentials::Certificate { authorization })
    }
}

#[cfg(test)]
mod tests {
    use crate::logon::{Credentials, Mechanism, Question};
    use crate::sasl::{Exchange, Step};

    fn asks(step: &Step, authorization: Option<&str>) -> bool {
        let authorization = authorization.map(str::to_owned);
        *step == Step::Ask(Question::Judge(Credentials::Certificate { authorization }))
    }

    #[test]
    fn a_client_names_whom_it_acts_as_or_nobody() {
        assert!(asks(&Exchange::begin(Mechanism::External, Some(b"=")).1, None));
        assert!(asks(&Exchange::begin(Mechanism::External, Some(b"YW5u")).1, Some("ann")));
        let (mut exchange, step) = Exchange::begin(Mechanism::External, None);
        assert_eq!(step, Step::Challenge(String::new()));
        assert!(asks(&exchange.step(b""), None));
        let (mut exchange, _) = Exchange::begin(Mechanism::External, None);
        assert!(asks(&exchange.step(b"YW5u"), Some("ann")));
        assert_eq!(exchange.step(b"YW5u"), Step::Malformed);
    }

    #[test]
    fn a_nul_and_what_is_not_utf_8_are_malformed() {
        for message in [b"YQBi".as_slice(), b"/w=="] {
            assert_eq!(Exchange::begin(Mechanism::External, Some(message)).1, Step::Malformed, "{message:?}");
        }
    }
}
