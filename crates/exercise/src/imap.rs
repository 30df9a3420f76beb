//! IMAP sessions.

use std::sync::Arc;

use proto::imap::command::Body;
use proto::imap::{Answer, Request, Session, Settings};

use crate::drive::{Answered, Carried, log_on, open_offer, run_both_ways};

pub fn imap(data: &[u8]) {
    let settings = Arc::new(Settings { max_message: 4096, ..Settings::default() });
    run_both_ways(data, |now| Session::new(Arc::clone(&settings), open_offer(), now), answer);
}

fn answer(request: &Request) -> Answered<Answer> {
    let (answer, carried) = match request {
        Request::StartTls => (Answer::Channel(open_offer()), Carried::Tls),
        Request::LogOn(question) => (Answer::LogOn(log_on(question)), Carried::Nothing),
        Request::Execute(command) if matches!(command.body, Body::Select(_) | Body::Examine(_)) => {
            (Answer::Selected, Carried::Nothing)
        }
        Request::AppendBegin { .. } => (Answer::AppendAccepted, Carried::Nothing),
        Request::AppendBody(range) => (Answer::Done, Carried::Body(range.clone())),
        Request::AppendEnd => (Answer::Done, Carried::End { complete: true }),
        Request::AppendAbort => (Answer::Done, Carried::End { complete: false }),
        _ => (Answer::Done, Carried::Nothing),
    };
    Answered { answer, carried }
}
