//! LOGIN, which has no RFC (draft-murchison-sasl-login, MS-XLOGIN): the server asks for the user name, then
//! for the password. Clients may give the user name with the command.

use super::exchange::{Outcome, Server, text};
use crate::logon::{Credentials, Mechanism, Secret};

/// Clients compare these octet for octet, colon included.
const USER_NAME: &[u8] = b"Username:";
const PASSWORD: &[u8] = b"Password:";

pub(super) struct Login {
    user: Option<String>,
}

impl Login {
    pub fn new() -> Self {
        Self { user: None }
    }
}

impl Server for Login {
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome {
        match initial {
            None => Outcome::Challenge(USER_NAME.to_vec()),
            Some(user) => self.respond(user),
        }
    }

    fn respond(&mut self, response: &[u8]) -> Outcome {
        let Some(text) = text(response) else { return Outcome::Malformed };
        match self.user.take() {
            None => {
                self.user = Some(text.to_owned());
                Outcome::Challenge(PASSWORD.to_vec())
            }
            Some(user) => Outcome::Credentials(Credentials::Password {
                authorization: None,
                user,
                password: Secret::new(text.to_owned()),
                mechanism: Some(Mechanism::Login),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::logon::{Credentials, Mechanism, Question, Secret};
    use crate::sasl::{Exchange, Step};

    fn ann() -> Step {
        Step::Ask(Question::Judge(Credentials::Password {
            authorization: None,
            user: "ann".into(),
            password: Secret::new("secret".into()),
            mechanism: Some(Mechanism::Login),
        }))
    }

    #[test]
    fn it_asks_for_the_user_name_and_then_for_the_password() {
        let (mut exchange, step) = Exchange::begin(Mechanism::Login, None);
        assert_eq!(step, Step::Challenge("VXNlcm5hbWU6".into()));
        assert_eq!(exchange.step(b"YW5u"), Step::Challenge("UGFzc3dvcmQ6".into()));
        assert_eq!(exchange.step(b"c2VjcmV0"), ann());
    }

    #[test]
    fn a_user_name_given_with_the_command_is_not_asked_for() {
        let (mut exchange, step) = Exchange::begin(Mechanism::Login, Some(b"YW5u"));
        assert_eq!(step, Step::Challenge("UGFzc3dvcmQ6".into()));
        assert_eq!(exchange.step(b"c2VjcmV0"), ann());
    }

    #[test]
    fn an_empty_name_an_empty_password_and_a_nul_are_malformed() {
        for lines in [[b"".as_slice(), b"c2VjcmV0"], [b"YW5u", b""], [b"YQBu", b"c2VjcmV0"], [b"YW5u", b"YQBu"]] {
            let (mut exchange, _) = Exchange::begin(Mechanism::Login, None);
            let steps = lines.map(|line| exchange.step(line));
            assert_eq!(steps[1], Step::Malformed, "{lines:?}");
        }
    }
}
