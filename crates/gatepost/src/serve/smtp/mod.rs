//! SMTP in: a session's requests answered by the receive connector's policy, the directory and the store.

mod incoming;
mod recipients;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use identity::{AuthMechanisms, ExtendedProtection, Rule, Tls, offer};
use proto::Session as _;
use proto::logon::{Credentials, Offer, Question, Verdict};
use proto::smtp::{Answer, Configuration, ForwardPath, Mail, Reply, Request, Session};
use tokio::io::{AsyncRead, AsyncWrite};
use transport::{Peer, ReceiveConnector, Refusal, select, store_trouble};

use self::incoming::{Arrival, Incoming, Stopped};
use self::recipients::Recipient;
use super::Site;
use crate::connection::{Client, Connection, End, Wake};
use crate::logon::LoggedOn;

/// What the SMTP service was started with.
pub struct Receiving {
    pub connectors: Vec<Arc<ReceiveConnector>>,
    /// As bound; the implicit port is what a client is told to use.
    pub tls: Tls,
    /// Connections that one user may have.
    pub max_connections_per_user: u32,
    pub extended_protection: ExtendedProtection,
}

impl Receiving {
    fn offer<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        site: &Site,
        connector: &ReceiveConnector,
        connection: &Connection<S>,
    ) -> Offer {
        // A connector that requires TLS takes no log-on before it either.
        let required =
            if connector.require_tls { AuthMechanisms::BASIC_AUTH_REQUIRE_TLS } else { AuthMechanisms::NONE };
        let rule = Rule::Connector(connector.auth_mechanisms.with(required));
        let (protection, channel) = (self.extended_protection, connection.channel());
        let available = site.logon.available(connection.has_client_certificate());
        offer(identity::Protocol::Smtp, rule, protection, available, self.tls, channel)
    }
}

/// Serves one connection to its end.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    site: &Site,
    receiving: &Receiving,
) -> End {
    let ends = connection.peer();
    let Some(connector) = select(&receiving.connectors, ends.local, ends.remote.ip()) else {
        // RFC 5321 §3.1: 554 in place of a greeting.
        NOBODY_HERE.write(connection.output());
        return match connection.flush().await {
            Ok(()) => End::GaveUp(format!("no receive connector takes connections from {}", ends.remote.ip())),
            Err(end) => end,
        };
    };
    let offer = receiving.offer(site, connector, connection);
    let configuration = Arc::new(connector.session(&site.host, site.max_message_size));
    let mut session = Session::new(connection.now(), configuration.clone(), connection.channel(), offer);
    let mut reception = Reception {
        site,
        receiving,
        configuration,
        number: connection.number(),
        peer: Peer { connector: connector.clone(), user: None, is_private: connection.channel().is_private() },
        logged_on: None,
        transaction: None,
        stranger: Some(Stranger {
            until: Some(connection.now() + connector.limits.pre_authenticated_connection_timeout),
            refused: 0,
        }),
    };
    match converse(connection, &mut session, &mut reception).await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

/// A session's business with the server.
struct Reception<'a> {
    site: &'a Site,
    receiving: &'a Receiving,
    configuration: Arc<Configuration>,
    /// The session's, for the log.
    number: u64,
    peer: Peer,
    logged_on: Option<LoggedOn>,
    transaction: Option<Transaction>,
    /// Until somebody has logged on.
    stranger: Option<Stranger>,
}

/// What a client that nobody knows may still do.
struct Stranger {
    /// When it has to go; `None` once a recipient of its was accepted.
    until: Option<Instant>,
    /// Recipients of its that were refused for good.
    refused: u32,
}

/// RFC 5321 §3.3.
struct Transaction {
    mail: Mail,
    recipients: Vec<Recipient>,
    incoming: Option<Incoming>,
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    session: &mut Session,
    reception: &mut Reception<'_>,
) -> Result<Infallible, End> {
    loop {
        // What takes long or much room is boxed, so that a connection that waits does not hold room for it.
        let overdue = overdue(reception.stranger.as_ref().and_then(|stranger| stranger.until));
        let request = match connection.next_or(session, overdue).await? {
            Wake::Request(request) => request,
            Wake::Event(()) => return Err(connection.dismiss(OVERDUE, End::TimedOut).await),
        };
        let answer = match request {
            Request::Body(range) => match reception.body(connection.received(range)).await {
                Ok(()) => continue,
                Err(reply) => Answer::Refused(reply),
            },
            Request::Mail(mail) => told(Box::pin(reception.mail(mail)).await),
            Request::Rcpt(to) => {
                let outcome = Box::pin(reception.rcpt(to)).await;
                if let Some(tarpit) = reception.tarpit(&outcome) {
                    Box::pin(connection.pause(tarpit)).await?;
                }
                if reception.has_guessed_enough() {
                    return Err(connection.dismiss(GUESSED_ENOUGH, End::GaveUp(GUESSED_ENOUGH.to_owned())).await);
                }
                told(outcome)
            }
            Request::Begin => told(Box::pin(reception.begin()).await),
            Request::End => {
                let arrival = Arrival {
                    client: session.client(),
                    extended: session.is_extended(),
                    remote: connection.peer().remote.ip(),
                    agreed: connection.agreed(),
                };
                Answer::Done(Box::pin(reception.end(arrival)).await)
            }
            Request::Reset(refused) => {
                if let Some(reply) = refused {
                    tracing::info!(
                        session = reception.number,
                        reply = reply.to_string(),
                        "message refused for its form"
                    );
                }
                reception.transaction = None;
                continue;
            }
            Request::StartTls => {
                reception.transaction = None;
                Box::pin(connection.upgrade()).await?;
                reception.peer.is_private = true;
                Answer::Secured(reception.receiving.offer(reception.site, &reception.peer.connector, connection))
            }
            Request::LogOn(question) => {
                let client = connection
                    .client(reception.receiving.max_connections_per_user, reception.receiving.extended_protection);
                let finding = match question {
                    Question::Look(lookup) => {
                        Box::pin(reception.site.logon.look(
                            &client,
                            &lookup,
                            connection.bindings(reception.receiving.extended_protection),
                        ))
                        .await
                    }
                    Question::Judge(credentials) => {
                        let verdict = Box::pin(reception.log_on(&client, &credentials)).await;
                        reception.site.logon.finding(&credentials, verdict)
                    }
                };
                if let Some(logged_on) = &reception.logged_on {
                    connection.ends_with(logged_on.over());
                }
                Answer::LogOn(finding)
            }
        };
        session.answer(connection.now(), answer);
    }
}

/// Never comes for who may stay.
async fn overdue(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}

fn told(outcome: Result<(), Reply>) -> Answer {
    match outcome {
        Ok(()) => Answer::Accepted,
        Err(reply) => Answer::Refused(reply),
    }
}

impl Reception<'_> {
    async fn log_on(&mut self, client: &Client, credentials: &Credentials) -> Verdict {
        match self.site.logon.verify(client, credentials).await {
            Ok(logged_on) => {
                self.peer.user = Some(logged_on.account.clone());
                self.logged_on = Some(logged_on);
                self.stranger = None;
                Verdict::Granted
            }
            Err(verdict) => verdict,
        }
    }

    async fn mail(&mut self, mail: Mail) -> Result<(), Reply> {
        let domains = self.site.directory.domains().await.map_err(|error| self.trouble(&error))?;
        self.peer.may_send(&mail.from, &domains).map_err(|refusal| self.refused(&refusal))?;
        self.transaction = Some(Transaction { mail, recipients: Vec::new(), incoming: None });
        Ok(())
    }

    async fn rcpt(&mut self, to: ForwardPath) -> Result<(), Reply> {
        let Some(announced) = self.transaction.as_ref().map(|transaction| transaction.mail.size) else {
            return Err(OUT_OF_STATE);
        };
        let recipient = self.find(to, announced).await?;
        if let Some(transaction) = &mut self.transaction {
            transaction.recipients.push(recipient);
        }
        Ok(())
    }

    /// How long the answer to a stranger's RCPT is to be held back: guessing addresses takes long, and a slip of
    /// the pen costs a moment.
    fn tarpit(&mut self, outcome: &Result<(), Reply>) -> Option<Duration> {
        let stranger = self.stranger.as_mut()?;
        match outcome {
            // Whoever brings mail may take its time.
            Ok(()) => stranger.until = None,
            Err(reply) if !reply.is_temporary() => {
                stranger.refused += 1;
                return Some(self.peer.connector.limits.tarpit_interval);
            }
            Err(_) => {}
        }
        None
    }

    fn has_guessed_enough(&self) -> bool {
        let limit = self.peer.connector.limits.max_refused_recipients;
        self.stranger.as_ref().is_some_and(|stranger| stranger.refused >= limit)
    }

    /// Also ends the transaction when it fails, as the session does.
    async fn begin(&mut self) -> Result<(), Reply> {
        let Some(mut transaction) = self.transaction.take() else { return Err(OUT_OF_STATE) };
        let writer = self.site.mailboxes.stage(transaction.mail.size).await.map_err(|error| self.trouble(&error))?;
        transaction.incoming = Some(Incoming::new(writer, &self.peer));
        self.transaction = Some(transaction);
        Ok(())
    }

    /// As [`begin`](Self::begin).
    async fn body(&mut self, octets: &[u8]) -> Result<(), Reply> {
        let incoming = self.transaction.as_mut().and_then(|transaction| transaction.incoming.as_mut());
        let Some(incoming) = incoming else { return Err(OUT_OF_STATE) };
        let Err(stopped) = incoming.write(octets, &self.peer).await else { return Ok(()) };
        self.transaction = None;
        Err(self.stopped(stopped))
    }

    fn stopped(&self, stopped: Stopped) -> Reply {
        match stopped {
            Stopped::Refused(refusal) => self.refused(&refusal),
            Stopped::Store(error) => self.trouble(&error),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Reply {
        let user = self.peer.user.as_ref().map(|user| user.address.as_str());
        let reply = refusal.reply.to_string();
        tracing::info!(session = self.number, user, refusal = refusal.to_string(), reply, "refused");
        refusal.reply.clone()
    }

    fn trouble(&self, error: &store::Error) -> Reply {
        let reply = store_trouble(error);
        tracing::warn!(session = self.number, %error, reply = reply.to_string(), "the store did not take part");
        reply
    }
}

const OVERDUE: &str = "The session took too long without log-on and without a recipient, goodbye";
const GUESSED_ENOUGH: &str = "Too many refused recipients (MaxRefusedRecipients), goodbye";
const NOBODY_HERE: Reply = Reply::new(554, 3, 2, "No SMTP service here for your address");
/// The session asks nothing out of its order; if it did, this would be the answer.
const OUT_OF_STATE: Reply = Reply::new(451, 3, 0, "Mail server temporarily unavailable, try again later");
