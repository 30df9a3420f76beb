//! IMAP4: a session's requests carried out against the store.

use std::convert::Infallible;
use std::sync::Arc;

use access::imap::{self, Appending};
use access::reply::{Reply as _, Step};
use proto::Session as _;
use proto::imap::command::{Append, Body, Tag};
use proto::imap::{Answer, Request, Session, Settings};
use proto::logon::{Question, Verdict};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Site, Started};
use crate::clock::now;
use crate::connection::{Connection, End, Wake, Work};
use crate::logon::LoggedOn;

/// Serves one connection to its end.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    site: &Site,
    started: &Started,
) -> End {
    let offer = started.offer(site, connection);
    let mut session = Session::new(settings(site, started), offer, connection.now());
    match converse(connection, &mut session, site, started).await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

fn settings(site: &Site, started: &Started) -> Arc<Settings> {
    Arc::new(Settings {
        banner: started.settings.banner.clone(),
        max_command: started.settings.max_command_size as usize,
        max_message: site.max_message_size,
        authentication_timeout: started.settings.pre_authenticated_connection_timeout,
        idle_timeout: started.settings.authenticated_connection_timeout,
        max_failures: started.settings.max_logon_failures,
        max_bad_commands: started.settings.max_protocol_errors,
        ..Settings::default()
    })
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    session: &mut Session,
    site: &Site,
    started: &Started,
) -> Result<Infallible, End> {
    let logged_on = log_on(connection, session, site, started).await?;
    connection.ends_with(logged_on.over());
    let mut executor = imap::Session::new(logged_on.account.id);
    let mut appending: Option<Box<Appending>> = None;
    loop {
        // What takes long or holds much is boxed, so that a connection that waits for its client has no room
        // for it.
        let answer = match connection.next(session).await? {
            Request::Execute(command) => {
                Box::pin(execute(connection, &mut executor, site, command)).await?;
                standing(&executor)
            }
            Request::AppendBegin { tag, append } => {
                match Box::pin(append_begin(connection, &executor, site, tag, &append)).await {
                    Ok(begun) => {
                        appending = Some(Box::new(begun));
                        Answer::AppendAccepted
                    }
                    Err(refused) => Answer::AppendRefused(refused),
                }
            }
            Request::AppendBody(range) => {
                if let Some(appending) = &mut appending {
                    Box::pin(appending.write(connection.received(range))).await;
                }
                Answer::Done
            }
            Request::AppendEnd => {
                if let Some(appending) = appending.take() {
                    let mut answer = Box::pin(executor.append_end(&*site.mailboxes, *appending)).await;
                    log_cause(connection.number(), "APPEND", &answer);
                    connection.send(&mut answer, &*site.mailboxes).await?;
                }
                standing(&executor)
            }
            Request::AppendAbort => {
                appending = None;
                Answer::Done
            }
            Request::IdleBegin => {
                session.answer(connection.now(), Answer::Done);
                idle(connection, session, &mut executor, site).await?;
                Answer::Done
            }
            request => return Err(out_of_state(&request)),
        };
        session.answer(connection.now(), answer);
    }
}

/// Until somebody is logged on.
async fn log_on<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    session: &mut Session,
    site: &Site,
    started: &Started,
) -> Result<LoggedOn, End> {
    loop {
        match connection.next(session).await? {
            Request::StartTls => {
                connection.upgrade().await?;
                let offer = started.offer(site, connection);
                session.answer(connection.now(), Answer::Channel(offer));
            }
            Request::LogOn(Question::Look(lookup)) => {
                let finding = Box::pin(started.look(site, connection, &lookup)).await;
                session.answer(connection.now(), Answer::LogOn(finding));
            }
            Request::LogOn(Question::Judge(credentials)) => {
                let client = started.client(connection);
                let verified = Box::pin(site.logon.verify(&client, &credentials)).await;
                let verdict = verified.as_ref().map_or_else(|verdict| *verdict, |_| Verdict::Granted);
                session.answer(connection.now(), Answer::LogOn(site.logon.finding(&credentials, verdict)));
                if let Ok(logged_on) = verified {
                    return Ok(logged_on);
                }
            }
            request => return Err(out_of_state(&request)),
        }
    }
}

async fn execute<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    executor: &mut imap::Session,
    site: &Site,
    command: proto::imap::command::Command,
) -> Result<(), End> {
    let name = command.body.name();
    let work = if matches!(command.body, Body::Search(_)) { Work::GivesWay } else { Work::Finishes };
    // What is found or changed for nobody is not worth the time of others.
    let mut answer = connection.attend(work, executor.execute(&*site.mailboxes, command)).await?;
    let sent = connection.send(&mut answer, &*site.mailboxes).await;
    // A FETCH learns what is damaged only while it is sent.
    log_cause(connection.number(), name, &answer);
    sent
}

/// The message may come, or the reply that refuses it.
async fn append_begin<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &Connection<S>,
    executor: &imap::Session,
    site: &Site,
    tag: Tag,
    append: &Append,
) -> Result<Appending, Vec<u8>> {
    let mut refused = match executor.append_begin(&*site.mailboxes, now(), tag, append).await {
        Ok(appending) => return Ok(appending),
        Err(refused) => refused,
    };
    log_cause(connection.number(), "APPEND", &refused);
    let mut reply = Vec::new();
    // A refusal is one line and needs nothing from the store.
    while refused.output(&mut reply) == Step::More {}
    Err(reply)
}

/// RFC 2177: tells what changes as it changes, until the client has had enough. The caller answers the end.
async fn idle<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    session: &mut Session,
    executor: &mut imap::Session,
    site: &Site,
) -> Result<(), End> {
    // Watched before the state is read, so that no change falls in between.
    let mut watch = site.mailboxes.watch(executor.account());
    loop {
        Box::pin(tell(connection, executor, site)).await?;
        match connection.next_or(session, watch.changed()).await? {
            Wake::Event(()) => {}
            Wake::Request(Request::IdleEnd) => break,
            Wake::Request(request) => return Err(out_of_state(&request)),
        }
    }
    Box::pin(tell(connection, executor, site)).await
}

async fn tell<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    executor: &mut imap::Session,
    site: &Site,
) -> Result<(), End> {
    let mut answer = executor.updates(&*site.mailboxes).await;
    connection.send(&mut answer, &*site.mailboxes).await
}

/// Whether a folder is selected after a command.
fn standing(executor: &imap::Session) -> Answer {
    if executor.has_selected() { Answer::Selected } else { Answer::Unselected }
}

fn log_cause(session: u64, command: &str, answer: &imap::Answer) {
    if let Some(error) = answer.cause().filter(|error| error.is_temporary() || is_damage(error)) {
        tracing::warn!(session, command, %error, "a command was refused");
    }
}

fn is_damage(error: &store::Error) -> bool {
    matches!(error, store::Error::Corrupt(_))
}

fn out_of_state(request: &Request) -> End {
    // Credentials do not print.
    End::GaveUp(format!("the session asked out of its state: {request:?}"))
}
