//! Who speaks in a session, and the three questions about it: may it send, to whom, and as whom.

use std::sync::Arc;

use proto::smtp::{ForwardPath, Reply, ReversePath};
use store::{AcceptedDomain, Account};

use crate::destination::{is_accepted, local_address};
use crate::originator::Originators;
use crate::{Destination, ReceiveConnector, Refusal, Right, Rights};

/// One end of a session: the connector it came in by, and whose log-on it has.
#[derive(Clone, Debug)]
pub struct Peer {
    pub connector: Arc<ReceiveConnector>,
    /// `None`: a stranger.
    pub user: Option<Arc<Account>>,
    /// TLS has begun.
    pub is_private: bool,
}

impl Peer {
    pub fn rights(&self) -> Rights {
        self.connector.rights(self.user.as_deref())
    }

    /// At MAIL: whether this end may begin a transaction, and with this sender.
    pub fn may_send(&self, from: &ReversePath, domains: &[AcceptedDomain]) -> Result<(), Box<Refusal>> {
        if self.connector.require_tls && !self.is_private {
            return Err(self.refusal(None, "the connector takes nothing before TLS (RequireTLS)", TLS_FIRST));
        }
        let rights = self.rights();
        if !rights.has(Right::Submit) {
            let reply = if self.user.is_some() { NO_SUBMIT } else { NOT_AUTHENTICATED };
            return Err(self.refusal(Some(Right::Submit), "may not send through this connector", reply));
        }
        let ReversePath::Mailbox(mailbox) = from else {
            // RFC 5321 §4.5.5: reports of failures have no sender, whoever they come from.
            return Ok(());
        };
        if is_accepted(mailbox, domains) && rights.has(Right::AcceptAuthoritativeDomainSender) {
            return Ok(());
        }
        match &self.user {
            _ if !is_accepted(mailbox, domains) && rights.has(Right::AcceptAnySender) => Ok(()),
            Some(user) if local_address(mailbox).is_some_and(|address| has_address(user, &address)) => Ok(()),
            Some(user) => {
                let reason = format!("{} is not an address of {}", from, user.address);
                Err(self.refusal(Some(Right::AcceptAnySender), reason, NOT_THIS_SENDER))
            }
            None => {
                let right = if is_accepted(mailbox, domains) {
                    Right::AcceptAuthoritativeDomainSender
                } else {
                    Right::AcceptAnySender
                };
                Err(self.refusal(Some(right), format!("a stranger claims to be {from}"), STRANGER_NOT_THIS_SENDER))
            }
        }
    }

    /// At RCPT: which account the message is for. `found` is who has the destination's address.
    pub fn may_receive(
        &self,
        to: &ForwardPath,
        destination: &Destination,
        found: Option<Arc<Account>>,
    ) -> Result<Arc<Account>, Box<Refusal>> {
        match (destination, found) {
            (Destination::Outside, _) if !self.rights().has(Right::AcceptAnyRecipient) => {
                let reason = format!("{to} is in no accepted domain");
                Err(self.refusal(Some(Right::AcceptAnyRecipient), reason, UNABLE_TO_RELAY))
            }
            (Destination::Outside, _) => {
                let reason = format!("{to} is in no accepted domain, and there is no send connector");
                Err(self.refusal(None, reason, NO_SEND_CONNECTOR))
            }
            (_, Some(account)) => Ok(account),
            (Destination::Role(_), None) => {
                Err(self.refusal(None, format!("there is no mailbox at all for {to}"), NO_MAILBOX_YET))
            }
            (Destination::Mailbox(_) | Destination::Nobody, None) => {
                Err(self.refusal(None, format!("nobody has {to}"), USER_UNKNOWN))
            }
        }
    }

    /// Whether the header's own senders are judged: those of users are. Whether a stranger may write
    /// somebody's address there is for that address's domain to say (DMARC), not for us.
    pub fn judges_header(&self) -> bool {
        self.user.is_some() && !self.rights().has(Right::AcceptAnySender)
    }

    /// Once the header is there: whether its From and Sender are the user's own.
    pub(crate) fn may_send_as(&self, originators: &Originators) -> Result<(), Box<Refusal>> {
        let Some(user) = self.user.as_ref().filter(|_| self.judges_header()) else { return Ok(()) };
        let refuse = |reason: String, reply| Err(self.refusal(Some(Right::AcceptAnySender), reason, reply));
        if originators.overflowed {
            return refuse("From and Sender are too long to be judged".to_owned(), NOT_THIS_SENDER);
        }
        if originators.from.len() > 1 || originators.sender.len() > 1 {
            // RFC 5322 §3.6: each occurs once; which of several a reader shows cannot be known.
            return refuse("there are several From or Sender fields".to_owned(), NOT_THIS_SENDER);
        }
        for field in originators.from.iter().chain(&originators.sender) {
            let Some(mailboxes) = crate::originator::mailboxes(field) else {
                return refuse("a From or Sender field is not understood".to_owned(), UNREADABLE_ORIGINATORS);
            };
            let stranger = mailboxes
                .iter()
                .find(|mailbox| !local_address(mailbox).is_some_and(|address| has_address(user, &address)));
            if let Some(mailbox) = stranger {
                let reason = format!("the header names {mailbox}, which is not an address of {}", user.address);
                return refuse(reason, NOT_THIS_SENDER);
            }
        }
        Ok(())
    }

    pub(crate) fn refusal(&self, missing: Option<Right>, reason: impl Into<String>, reply: Reply) -> Box<Refusal> {
        Box::new(Refusal { connector: self.connector.name.clone(), missing, reason: reason.into(), reply })
    }
}

fn has_address(user: &Account, address: &store::Address) -> bool {
    user.address == *address || user.aliases.contains(address)
}

/// RFC 3207 §4.
const TLS_FIRST: Reply = Reply::new(530, 7, 0, "Must issue a STARTTLS command first");
const NOT_AUTHENTICATED: Reply = Reply::new(530, 7, 1, "Client was not authenticated");
const NO_SUBMIT: Reply = Reply::new(550, 7, 1, "Client does not have permissions to submit to this server");
const NOT_THIS_SENDER: Reply = Reply::new(550, 7, 1, "Client does not have permissions to send as this sender");
/// Of all the refused, the one that a mail program may have meant well.
const UNREADABLE_ORIGINATORS: Reply = Reply::new(
    550,
    7,
    1,
    "Client does not have permissions to send as this sender: From or Sender cannot be read with certainty; \
     put names with special characters in quotes",
);
const STRANGER_NOT_THIS_SENDER: Reply =
    Reply::new(550, 7, 1, "Anonymous client does not have permissions to send as this sender");
const UNABLE_TO_RELAY: Reply = Reply::new(550, 7, 1, "Unable to relay");
const NO_SEND_CONNECTOR: Reply =
    Reply::new(550, 7, 1, "Unable to relay: this server has no send connector, so it delivers to its own domains only");
const USER_UNKNOWN: Reply = Reply::new(550, 1, 1, "User unknown");
const NO_MAILBOX_YET: Reply = Reply::new(450, 2, 1, "No mailbox exists here yet");

#[cfg(test)]
pub(crate) mod tests;
