//! A message on its way in: streamed into the store, then placed with one durable point.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use proto::smtp::{ClientName, Reply};
use store::{Accept, BodyWriter, Error, Flags, Placement};
use transport::{AcceptId, HeaderFirewall, HeaderWatch, Peer, Refusal, Trace, lacks_header, store_trouble};

use super::recipients::Recipient;
use super::{OUT_OF_STATE, Reception, Transaction};
use crate::connection::Agreed;

/// The body so far.
pub struct Incoming {
    writer: Box<dyn BodyWriter>,
    header: HeaderWatch,
    firewall: HeaderFirewall,
    /// The beginning, until it is known whether it is a header's.
    held: Option<Vec<u8>>,
    /// What was written ends within a line.
    within_line: bool,
}

/// How the connection looked that the message came by.
pub struct Arrival<'a> {
    pub client: Option<&'a ClientName>,
    pub extended: bool,
    pub remote: IpAddr,
    pub agreed: Option<Agreed>,
}

/// Why the rest of a message is not wanted.
pub enum Stopped {
    Refused(Box<Refusal>),
    Store(Error),
}

impl Incoming {
    pub fn new(writer: Box<dyn BodyWriter>, peer: &Peer) -> Self {
        Self {
            writer,
            header: HeaderWatch::new(peer),
            firewall: HeaderFirewall::new(peer.rights()),
            held: Some(Vec::new()),
            within_line: false,
        }
    }

    pub async fn write(&mut self, octets: &[u8], peer: &Peer) -> Result<(), Stopped> {
        let Some(mut held) = self.held.take() else { return self.append(octets, peer).await };
        held.extend_from_slice(octets);
        match lacks_header(&held) {
            Some(true) => {
                self.append(b"\r\n", peer).await?;
                self.append(&held, peer).await
            }
            Some(false) => self.append(&held, peer).await,
            None => {
                self.held = Some(held);
                Ok(())
            }
        }
    }

    async fn append(&mut self, octets: &[u8], peer: &Peer) -> Result<(), Stopped> {
        if !self.header.is_done() {
            self.header.feed(octets);
            if self.header.is_done() {
                self.header.verdict(peer).map_err(Stopped::Refused)?;
            } else if let Some(refusal) = self.header.objection(peer) {
                return Err(Stopped::Refused(refusal));
            }
        }
        if let Some(last) = octets.last() {
            self.within_line = *last != b'\n';
        }
        if self.firewall.is_done() {
            return self.writer.write(octets).await.map_err(Stopped::Store);
        }
        let left = self.firewall.feed(octets);
        self.writer.write(&left).await.map_err(Stopped::Store)
    }

    /// The message is complete: judges a header that nothing follows.
    async fn finish(&mut self, peer: &Peer) -> Result<(), Stopped> {
        // By BDAT even the first line may lack its end.
        if let Some(held) = self.held.take().filter(|held| !held.is_empty()) {
            self.append(b"\r\n", peer).await?;
            self.append(&held, peer).await?;
        }
        // RFC 5321 §4.1.1.4: by DATA a message always ends in CRLF; by BDAT it is made to, since POP3 has to send
        // that line end in any case, and counts octets (RFC 1939 §11).
        if self.within_line {
            self.append(b"\r\n", peer).await?;
        }
        let held = self.firewall.finish();
        if !held.is_empty() {
            self.writer.write(&held).await.map_err(Stopped::Store)?;
        }
        self.header.verdict(peer).map_err(Stopped::Refused)
    }
}

impl Reception<'_> {
    /// The reply to a message that is complete: 250 once it is durable for every recipient.
    pub(super) async fn end(&mut self, arrival: Arrival<'_>) -> Reply {
        let Some(Transaction { mail, recipients, incoming: Some(mut incoming) }) = self.transaction.take() else {
            return OUT_OF_STATE;
        };
        if let Err(stopped) = incoming.finish(&self.peer).await {
            return self.stopped(stopped);
        }
        let (id, when) = match new_id() {
            Ok(named) => named,
            Err(error) => return self.trouble(&error),
        };
        let trace = Trace {
            from: &mail.from,
            client: arrival.client,
            extended: arrival.extended,
            remote: arrival.remote,
            host: &self.configuration.host,
            tls: arrival.agreed.map(|agreed| (agreed.version, agreed.cipher)),
            authenticated: self.peer.user.is_some(),
            id,
            when,
        };
        let recipients = once_each(recipients);
        let placement = |recipient: &Recipient| Placement {
            folder: recipient.inbox,
            prefix: trace.prefix(&recipient.path, &incoming.header).into(),
            flags: Flags::NONE,
            keywords: Vec::new(),
            internal_date: when,
            delivery: Some(id.delivery(recipient.account.id)),
        };
        let placements: Vec<Placement> = recipients.iter().map(placement).collect();
        let body = match incoming.writer.finish().await {
            Ok(body) => body,
            Err(error) => return self.trouble(&error),
        };
        let size = body.size.octets();
        // One reply stands for all recipients: a later try must not double the message for some.
        let placed = self.site.mailboxes.accept(Accept::together(body, placements)).await;
        match placed.and_then(|placed| placed.into_iter().collect::<Result<Vec<_>, _>>()) {
            Ok(_) => {
                tracing::info!(
                    session = self.number,
                    id = %id,
                    connector = self.peer.connector.name,
                    user = self.peer.user.as_ref().map(|user| user.address.as_str()),
                    from = mail.from.to_string(),
                    recipients = recipients.len(),
                    size,
                    "message delivered"
                );
                Reply::new(250, 6, 0, "").with_text(format!("{id} Queued mail for delivery"))
            }
            Err(error) => {
                tracing::warn!(session = self.number, id = %id, from = mail.from.to_string(), %error, "message not delivered");
                store_trouble(&error)
            }
        }
    }
}

/// An account that is meant by several addresses gets the message for the first of them.
fn once_each(recipients: Vec<Recipient>) -> Vec<Recipient> {
    let mut seen = std::collections::HashSet::new();
    recipients.into_iter().filter(|recipient| seen.insert(recipient.account.id)).collect()
}

/// A name for a message, and the time in seconds.
fn new_id() -> store::Result<(AcceptId, store::Timestamp)> {
    let unavailable = |what: &str| Error::Unavailable(format!("{what} is not to be had"));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| unavailable("the time"))?;
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| unavailable("a random number"))?;
    let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let seconds = store::Timestamp::try_from(since.as_secs()).unwrap_or(store::Timestamp::MAX);
    Ok((AcceptId::new(milliseconds, u64::from_ne_bytes(random)), seconds))
}
