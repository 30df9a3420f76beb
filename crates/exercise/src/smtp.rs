//! SMTP sessions.

use std::sync::Arc;

use proto::logon::Channel;
use proto::smtp::{Answer, Configuration, Limits, Reply, Request, Session};

use crate::drive::{Answered, Carried, log_on, open_offer, run_both_ways};

pub fn smtp(data: &[u8]) {
    let configuration = Arc::new(Configuration {
        host: "mail.example.test".to_owned(),
        banner: "mail.example.test ESMTP".to_owned(),
        limits: Limits { message_octets: 4096, recipients: 3, ..Limits::default() },
    });
    run_both_ways(data, |now| Session::new(now, Arc::clone(&configuration), Channel::Clear, open_offer()), answer);
}

fn answer(request: &Request) -> Answered<Answer> {
    let (answer, carried) = match request {
        Request::Body(range) => (Answer::Accepted, Carried::Body(range.clone())),
        Request::End => (Answer::Done(Reply::basic(250, "taken")), Carried::End { complete: true }),
        Request::Reset(_) => (Answer::Accepted, Carried::End { complete: false }),
        Request::StartTls => (Answer::Secured(open_offer()), Carried::Tls),
        Request::LogOn(question) => (Answer::LogOn(log_on(question)), Carried::Nothing),
        _ => (Answer::Accepted, Carried::Nothing),
    };
    Answered { answer, carried }
}
