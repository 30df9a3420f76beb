//! Runs a session without sockets, and holds its promises.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use proto::Session;
use proto::logon::{
    Accepted, ClientToken, Context, Finding, Lookup, Mechanism, NtlmServer, Offer, Question, SecurityContext, Verdict,
};
use proto::ntlm::{FileTime, Target};
use proto::sasl::scram::{self, Verifier};

/// What is seen of a session from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Octets for the client.
    output: Vec<u8>,
    /// Requests in their order, without those of a message's octets.
    requests: Vec<String>,
    /// Messages that were completed. How much is seen of one that is refused may depend on the cut.
    messages: Vec<Vec<u8>>,
}

/// How a request is answered.
pub struct Answered<A> {
    pub answer: A,
    pub carried: Carried,
}

/// What is special about a request.
pub enum Carried {
    Nothing,
    /// These of the octets given are a message's.
    Body(std::ops::Range<usize>),
    /// The message so carried is complete, or void.
    End {
        complete: bool,
    },
    /// TLS begins: all that is left of the input came before it, and must have no effect.
    Tls,
}

/// Feeds the input whole and in single octets; both must look the same.
pub fn run_both_ways<S: Session>(
    data: &[u8],
    start: impl Fn(Instant) -> S,
    answer: impl Fn(&S::Request) -> Answered<S::Answer>,
) where
    S::Request: Debug,
{
    let now = Instant::now();
    let whole = run(start(now), now, data, data.len().max(1), &answer);
    let octets = run(start(now), now, data, 1, &answer);
    assert_eq!(whole, octets, "the session says other things when its input is cut");
}

/// What a session may leave unconsumed for want of more: a line and a literal's announcement.
const MOST_HELD: usize = 64 * 1024;

fn run<S: Session>(
    mut session: S,
    now: Instant,
    data: &[u8],
    step: usize,
    answer: &impl Fn(&S::Request) -> Answered<S::Answer>,
) -> Seen
where
    S::Request: Debug,
{
    let (mut seen, mut body) = (Seen::default(), Vec::new());
    let (mut start, mut end) = (0, 0);
    while !session.is_closed() {
        session.output(&mut seen.output);
        assert!(session.wants_input() || session.is_closed(), "every request was answered");
        if !session.wants_input() {
            break;
        }
        let input = data.get(start..end).unwrap_or_default();
        let (consumed, request) = session.input(now, input);
        assert!(consumed <= input.len(), "no more is consumed than there is");
        start += consumed;
        match request {
            Some(request) => {
                let Answered { answer, carried } = answer(&request);
                match carried {
                    Carried::Body(range) => {
                        body.extend_from_slice(input.get(range).unwrap_or_else(|| panic!("{request:?}")));
                    }
                    Carried::End { complete } => {
                        seen.messages.extend(complete.then(|| std::mem::take(&mut body)));
                        body.clear();
                    }
                    Carried::Nothing => seen.requests.push(format!("{request:?}")),
                    Carried::Tls => {
                        assert_eq!(consumed, input.len(), "nothing received before TLS is kept");
                        (start, end) = (data.len(), data.len());
                    }
                }
                session.answer(now, answer);
            }
            None if consumed > 0 => {}
            None if end < data.len() => {
                assert!(end - start <= MOST_HELD, "{} octets are held unconsumed", end - start);
                end = data.len().min(end + step);
            }
            None => break,
        }
    }
    session.shutdown();
    session.output(&mut seen.output);
    seen
}

/// Everything is allowed, so that everything is reached.
pub fn open_offer() -> Offer {
    Offer { starttls: true, password_command: true, mechanisms: Mechanism::ALL.to_vec(), cure: "Use TLS.".to_owned() }
}

/// Everybody may log on.
pub fn log_on(question: &Question) -> Finding {
    match question {
        Question::Judge(_) => Finding::Verdict(Verdict::Granted),
        Question::Look(Lookup::Ntlm) => {
            let (challenge, now, target) = ([7; 8], FileTime(0), Target::default());
            Finding::Ntlm(Box::new(NtlmServer { challenge, now, target }))
        }
        Question::Look(Lookup::Gss(token)) => accept(token),
        Question::Look(Lookup::Scram { hash, .. }) => {
            let verifier = Verifier::of_salted(*hash, b"salt", Verifier::LEAST_ITERATIONS, b"salted");
            Finding::Scram(Box::new(scram::Finding { verifier, nonce: "nonce".to_owned(), bindings: None }))
        }
    }
}

pub fn accept(token: &ClientToken) -> Finding {
    let context = token.context.clone().unwrap_or_else(|| Context(Arc::new(Open)));
    match context.0.accept(&token.octets) {
        Ok(accepted) => Finding::Gss(context, accepted),
        Err(_) => Finding::Verdict(Verdict::Refused),
    }
}

/// A security context that takes everything as it is, and wants more after a `+`.
struct Open;

impl SecurityContext for Open {
    fn accept(&self, token: &[u8]) -> Result<Accepted, String> {
        let principal = (!token.starts_with(b"+")).then(|| "ann@EXAMPLE.TEST".to_owned());
        Ok(Accepted { token: token.get(1..).unwrap_or_default().to_vec(), principal })
    }

    fn wrap(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(message.to_vec())
    }

    fn unwrap(&self, token: &[u8]) -> Option<Vec<u8>> {
        Some(token.to_vec())
    }
}
