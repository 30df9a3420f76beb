//! POP3: a session's requests answered from the directory and the store.

use std::convert::Infallible;
use std::sync::Arc;

use access::pop3::Maildrop;
use proto::Session as _;
use proto::logon::{Credentials, Question, Verdict};
use proto::pop3::{Answer, Request, Session, Settings, Update};
use store::{Change, Error, FolderId, FolderName, Lease, Mailboxes};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Site, Started};
use crate::connection::{Client, Connection, End};
use crate::logon::LoggedOn;

/// Serves one connection to its end.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    site: &Site,
    started: &Started,
) -> End {
    let offer = started.offer(site, connection);
    let mut session = Session::new(settings(started), offer, connection.now());
    match converse(connection, &mut session, site, started).await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

fn settings(started: &Started) -> Arc<Settings> {
    Arc::new(Settings {
        banner: started.settings.banner.clone(),
        max_command: started.settings.max_command_size as usize,
        authorization_timeout: started.settings.pre_authenticated_connection_timeout,
        idle_timeout: started.settings.authenticated_connection_timeout,
        max_failures: started.settings.max_logon_failures,
        max_bad_commands: started.settings.max_protocol_errors,
    })
}

/// RFC 1939 §3: the states in their order.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    session: &mut Session,
    site: &Site,
    started: &Started,
) -> Result<Infallible, End> {
    let mut open = authorization(connection, session, site, started).await?;
    loop {
        match connection.next(session).await? {
            Request::Execute(command) => {
                let mut reply = open.maildrop.execute(command);
                // Boxed, so that a connection that waits for its client does not hold room for it.
                Box::pin(connection.send(&mut reply, &*site.mailboxes)).await?;
                session.answer(connection.now(), Answer::Replied);
            }
            Request::Update => {
                // The lock is given back with it: who is told +OK can log on again at once.
                let update = open.update(&*site.mailboxes, connection.number()).await;
                session.answer(connection.now(), Answer::Updated(update));
                break;
            }
            request => return Err(out_of_state(&request)),
        }
    }
    Err(match connection.next(session).await {
        Ok(request) => out_of_state(&request),
        Err(end) => end,
    })
}

/// Until somebody is logged on.
async fn authorization<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    session: &mut Session,
    site: &Site,
    started: &Started,
) -> Result<Open, End> {
    loop {
        match connection.next(session).await? {
            Request::StartTls => {
                connection.upgrade().await?;
                let offer = started.offer(site, connection);
                session.answer(connection.now(), Answer::Encrypted(offer));
            }
            Request::LogOn(Question::Look(lookup)) => {
                let finding = Box::pin(started.look(site, connection, &lookup)).await;
                session.answer(connection.now(), Answer::LogOn(finding));
            }
            Request::LogOn(Question::Judge(credentials)) => {
                let client = started.client(connection);
                let opened = Box::pin(Open::log_on(site, &client, &credentials)).await;
                let verdict = opened.as_ref().map_or_else(|verdict| *verdict, |_| Verdict::Granted);
                session.answer(connection.now(), Answer::LogOn(site.logon.finding(&credentials, verdict)));
                if let Ok(open) = opened {
                    connection.ends_with(open.logged_on.over());
                    return Ok(open);
                }
            }
            request => return Err(out_of_state(&request)),
        }
    }
}

fn out_of_state(request: &Request) -> End {
    // Credentials do not print.
    End::GaveUp(format!("the session asked out of its state: {request:?}"))
}

/// A maildrop that is open and locked.
struct Open {
    maildrop: Maildrop,
    inbox: FolderId,
    _lock: Lease,
    logged_on: LoggedOn,
}

impl Open {
    async fn log_on(site: &Site, client: &Client, credentials: &Credentials) -> Result<Self, Verdict> {
        let logged_on = site.logon.verify(client, credentials).await?;
        Self::lock(&*site.mailboxes, logged_on).await.map_err(|error| {
            tracing::warn!(session = client.session, %error, "the maildrop was not opened");
            match error {
                Error::Busy => Verdict::InUse,
                error if error.is_temporary() => Verdict::Unavailable,
                _ => Verdict::Damaged,
            }
        })
    }

    /// RFC 1939 §4: the lock comes first, then the state of the maildrop that the session keeps.
    async fn lock(mailboxes: &dyn Mailboxes, logged_on: LoggedOn) -> store::Result<Self> {
        let account = logged_on.account.id;
        let lock = mailboxes.lease(format!("pop3/{}", account.0)).await?;
        let folders = mailboxes.folders(account).await?;
        let inbox = folders.by_name(&FolderName::inbox()).ok_or(Error::NotFound("the inbox"))?.id;
        let maildrop = Maildrop::new(mailboxes.listing(inbox).await?);
        Ok(Self { maildrop, inbox, _lock: lock, logged_on })
    }

    /// RFC 1939 §6.
    async fn update(self, mailboxes: &dyn Mailboxes, session: u64) -> Update {
        let marked = self.maildrop.marked();
        if marked.is_empty() {
            return Update::Complete;
        }
        match mailboxes.apply(self.inbox, marked.clone(), Change::Expunge, None).await {
            Ok(applied) => {
                tracing::info!(session, removed = applied.changed.len(), "messages removed at QUIT");
                // Those that another session removed before are gone too, so what counts is what is left.
                let are_left = marked.iter().any(|uid| applied.listing.get(uid).is_some());
                if are_left { Update::Partial } else { Update::Complete }
            }
            Err(error) => {
                tracing::warn!(session, %error, "messages not removed at QUIT");
                Update::Partial
            }
        }
    }
}

#[cfg(test)]
mod tests;
