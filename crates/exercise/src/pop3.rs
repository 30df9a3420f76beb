//! POP3 sessions.

use std::sync::Arc;

use proto::pop3::{Answer, Request, Session, Settings, Update};

use crate::drive::{Answered, Carried, log_on, open_offer, run_both_ways};

pub fn pop3(data: &[u8]) {
    let settings = Arc::new(Settings::default());
    run_both_ways(data, |now| Session::new(Arc::clone(&settings), open_offer(), now), answer);
}

fn answer(request: &Request) -> Answered<Answer> {
    let answer = match request {
        Request::StartTls => return Answered { answer: Answer::Encrypted(open_offer()), carried: Carried::Tls },
        Request::LogOn(question) => Answer::LogOn(log_on(question)),
        Request::Execute(_) => Answer::Replied,
        Request::Update => Answer::Updated(Update::Complete),
    };
    Answered { answer, carried: Carried::Nothing }
}
