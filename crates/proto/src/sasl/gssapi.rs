//! GSSAPI (RFC 4752), and GSS-SPNEGO, which ends with the context: tokens of Kerberos, and of a negotiation about it.

use super::exchange::{Outcome, Server, text};
use crate::logon::{Accepted, ClientToken, Context, Credentials, Finding, Lookup, Mechanism};

/// RFC 4752 §3.3: the layer that is none. Whoever wants the mail itself protected uses TLS.
const NO_LAYER: u8 = 1;

/// RFC 4752 §3.2: the layers there are, and three octets of the longest message that any of them is taken in.
const LAYERS: [u8; 4] = [NO_LAYER, 0, 0, 0];

/// Tokens of a client. Kerberos needs one, a negotiation with another guess first two or three.
const MOST_TOKENS: u8 = 5;

pub(super) struct Gssapi {
    mechanism: Mechanism,
    tokens: u8,
    state: State,
}

/// Named for what is awaited.
enum State {
    Token(Option<Context>),
    Finding,
    /// RFC 4752 §3.2: no octets, since the client has had the last token.
    Acknowledgement(Peer),
    /// The layer that the client chose, and whom it wants to act as.
    Choice(Peer),
    Over,
}

/// Who is at the other end of a context that is established.
struct Peer {
    context: Context,
    principal: String,
}

impl Gssapi {
    pub fn new(mechanism: Mechanism) -> Self {
        Self { mechanism, tokens: 0, state: State::Token(None) }
    }

    fn token(&mut self, context: Option<Context>, octets: &[u8]) -> Outcome {
        self.tokens += 1;
        if octets.is_empty() || self.tokens > MOST_TOKENS {
            return Outcome::Malformed;
        }
        self.state = State::Finding;
        Outcome::Look(Lookup::Gss(ClientToken { mechanism: self.mechanism, context, octets: octets.to_vec() }))
    }

    /// RFC 4752 §3.2: what the client may choose from.
    fn layers(&mut self, peer: Peer) -> Option<Vec<u8>> {
        let layers = peer.context.0.wrap(&LAYERS)?;
        self.state = State::Choice(peer);
        Some(layers)
    }

    fn credentials(&self, principal: String, authorization: Option<String>) -> Outcome {
        Outcome::Credentials(Credentials::Kerberos { authorization, principal, mechanism: self.mechanism })
    }
}

impl Server for Gssapi {
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome {
        match initial {
            // RFC 4752 §3.2: the client speaks first, so the challenge is empty.
            None => Outcome::Challenge(Vec::new()),
            Some(token) => self.respond(token),
        }
    }

    fn respond(&mut self, response: &[u8]) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Token(context) => self.token(context, response),
            State::Acknowledgement(_) if !response.is_empty() => Outcome::Malformed,
            State::Acknowledgement(peer) if self.mechanism == Mechanism::GssSpnego => {
                self.credentials(peer.principal, None)
            }
            State::Acknowledgement(peer) => self.layers(peer).map_or(Outcome::Malformed, Outcome::Challenge),
            State::Choice(peer) => match peer.context.0.unwrap(response).as_deref().and_then(choice) {
                Some(authorization) => self.credentials(peer.principal, authorization),
                None => Outcome::Malformed,
            },
            State::Finding | State::Over => Outcome::Malformed,
        }
    }

    fn told(&mut self, finding: Finding) -> Option<Vec<u8>> {
        let (State::Finding, Finding::Gss(context, Accepted { token, principal })) =
            (std::mem::replace(&mut self.state, State::Over), finding)
        else {
            return None;
        };
        match principal {
            None => self.state = State::Token(Some(context)),
            // RFC 4752 §3.2: no token, no answer to it.
            Some(principal) if token.is_empty() && self.mechanism == Mechanism::Gssapi => {
                return self.layers(Peer { context, principal });
            }
            // Also to no token, where a negotiation ends with the client's own: nothing is judged before it has spoken.
            Some(principal) => self.state = State::Acknowledgement(Peer { context, principal }),
        }
        Some(token)
    }
}

/// RFC 4752 §3.1: a layer that was offered, no messages in it, and whom the client wants to act as; nobody named means
/// itself. `None` for anything else.
fn choice(message: &[u8]) -> Option<Option<String>> {
    match message.strip_prefix(&LAYERS)? {
        b"" => Some(None),
        name => Some(Some(text(name)?.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::logon::testing::{self, PRINCIPAL};
    use crate::logon::{Question, Verdict};
    use crate::sasl::{Exchange, Step};

    /// What a client says next, as the context of the tests understands it.
    fn say(exchange: &mut Exchange, octets: &[u8]) -> Step {
        let step = exchange.step(STANDARD.encode(octets).as_bytes());
        found(exchange, step)
    }

    fn found(exchange: &mut Exchange, step: Step) -> Step {
        match step {
            Step::Ask(Question::Look(lookup)) => exchange.told(testing::look(&lookup)),
            step => step,
        }
    }

    fn begin(mechanism: Mechanism, token: &[u8]) -> (Exchange, Step) {
        let (mut exchange, step) = Exchange::begin(mechanism, Some(STANDARD.encode(token).as_bytes()));
        let step = found(&mut exchange, step);
        (exchange, step)
    }

    fn challenge(octets: &[u8]) -> Step {
        Step::Challenge(STANDARD.encode(octets))
    }

    fn asks(step: &Step, mechanism: Mechanism, authorization: Option<&str>) -> bool {
        let (authorization, principal) = (authorization.map(str::to_owned), PRINCIPAL.to_owned());
        *step == Step::Ask(Question::Judge(Credentials::Kerberos { authorization, principal, mechanism }))
    }

    /// An exchange in which the client is to choose a layer.
    fn choosing() -> Exchange {
        let (mut exchange, step) = begin(Mechanism::Gssapi, b"ticket");
        assert_eq!(step, challenge(b"reply"));
        assert_eq!(say(&mut exchange, b""), challenge(b"<\x01\0\0\0>"));
        exchange
    }

    #[test]
    fn a_client_with_a_ticket_is_judged_by_its_principal() {
        let mut exchange = choosing();
        assert!(asks(&say(&mut exchange, b"<\x01\0\0\0>"), Mechanism::Gssapi, None));
        assert_eq!(exchange.told(Finding::Verdict(Verdict::Granted)), Step::Done(Verdict::Granted));
        assert!(asks(&say(&mut choosing(), b"<\x01\0\0\0ann>"), Mechanism::Gssapi, Some("ann")));
    }

    #[test]
    fn without_a_last_token_the_layers_are_offered_at_once() {
        let (mut exchange, step) = begin(Mechanism::Gssapi, b"one-way ticket");
        assert_eq!(step, challenge(b"<\x01\0\0\0>"));
        assert!(asks(&say(&mut exchange, b"<\x01\0\0\0>"), Mechanism::Gssapi, None));
    }

    #[test]
    fn a_negotiation_ends_with_its_context_and_an_empty_answer() {
        let (mut exchange, step) = Exchange::begin(Mechanism::GssSpnego, None);
        assert_eq!(step, challenge(b""));
        assert_eq!(say(&mut exchange, b"offer"), challenge(b"go on"));
        assert_eq!(say(&mut exchange, b"ticket"), challenge(b"reply"));
        assert!(asks(&say(&mut exchange, b""), Mechanism::GssSpnego, None));
        let (mut exchange, step) = begin(Mechanism::GssSpnego, b"one-way ticket");
        assert_eq!(step, challenge(b""));
        assert!(asks(&say(&mut exchange, b""), Mechanism::GssSpnego, None));
    }

    #[test]
    fn what_is_chosen_is_the_layer_that_is_none_and_nothing_else() {
        for wrong in [
            b"<>".as_slice(),
            b"<\x01\0\0>",
            b"<\0\0\0\0>",
            b"<\x02\0\0\0>",
            b"<\x03\0\0\0>",
            b"<\x01\0\0\x01>",
            b"<\x01\x10\0\0>",
            b"<\x01\0\0\0a\0b>",
            b"<\x01\0\0\0\xff>",
            // Not wrapped, or not by this context.
            b"\x01\0\0\0",
            b"",
        ] {
            assert_eq!(say(&mut choosing(), wrong), Step::Malformed, "{wrong:?}");
        }
    }

    #[test]
    fn no_truncation_of_a_choice_is_another_choice() {
        let whole = b"<\x01\0\0\0ann>";
        for end in 0..whole.len() {
            assert_eq!(say(&mut choosing(), &whole[..end]), Step::Malformed, "{end}");
        }
    }

    #[test]
    fn a_ticket_that_is_not_taken_is_a_failed_log_on() {
        for mechanism in [Mechanism::Gssapi, Mechanism::GssSpnego] {
            assert_eq!(begin(mechanism, b"forged").1, Step::Done(Verdict::Refused));
            assert_eq!(begin(mechanism, b"").1, Step::Malformed);
        }
    }

    #[test]
    fn nothing_is_judged_out_of_its_order() {
        // An answer where none is due, and a choice before the layers were offered.
        for early in [b"ticket".as_slice(), b"<\x01\0\0\0>"] {
            for mechanism in [Mechanism::Gssapi, Mechanism::GssSpnego] {
                let (mut exchange, _) = begin(mechanism, b"ticket");
                assert_eq!(say(&mut exchange, early), Step::Malformed);
                assert_eq!(say(&mut exchange, b""), Step::Malformed);
            }
        }
        // A verdict in place of what became of a token.
        let (mut exchange, _) = Exchange::begin(Mechanism::Gssapi, Some(STANDARD.encode("ticket").as_bytes()));
        assert_eq!(exchange.told(Finding::Verdict(Verdict::Granted)), Step::Malformed);
    }

    #[test]
    fn a_client_that_never_comes_to_an_end_is_cut_off() {
        let (mut exchange, mut step) = begin(Mechanism::GssSpnego, b"offer");
        for _ in 1..MOST_TOKENS {
            assert_eq!(step, challenge(b"go on"));
            step = say(&mut exchange, b"offer");
        }
        assert_eq!(step, challenge(b"go on"));
        assert_eq!(say(&mut exchange, b"offer"), Step::Malformed);
    }

    #[test]
    fn a_client_can_cancel_at_each_step() {
        let (exchange, _) = begin(Mechanism::Gssapi, b"ticket");
        for mut exchange in [exchange, choosing()] {
            assert_eq!(exchange.step(b"*"), Step::Cancelled);
            assert_eq!(say(&mut exchange, b"<\x01\0\0\0>"), Step::Malformed);
        }
    }

    #[test]
    fn a_token_does_not_print() {
        let (_, step) = Exchange::begin(Mechanism::Gssapi, Some(STANDARD.encode("ticket").as_bytes()));
        assert!(format!("{step:?}").contains("Gssapi"));
        assert!(!format!("{step:?}").contains(format!("{:?}", b"ticket").trim_matches(['[', ']'])));
    }
}
