//! One service function for each protocol: straight-line loops over a connection, generic over its stream.

pub mod imap;
pub mod pop3;
pub mod smtp;

use std::sync::Arc;

use identity::{Rule, Tls, offer};
use management::ServiceSettings;
use proto::logon::{Finding, Lookup, Offer};
use store::{Directory, Mailboxes};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::{Client, Connection, Protocol};
use crate::logon::Logon;

/// What all sessions share.
pub struct Site {
    /// The server's name in greetings.
    pub host: String,
    pub directory: Arc<dyn Directory>,
    pub mailboxes: Arc<dyn Mailboxes>,
    pub logon: Logon,
    /// Octets of the largest message, by SMTP and APPEND.
    pub max_message_size: u64,
}

/// What a POP3 or IMAP4 service was started with; it stays so until it is started again.
pub struct Started {
    pub settings: ServiceSettings,
    /// As bound.
    pub tls: Tls,
}

impl Started {
    /// Who is there, for a log-on.
    pub fn client<S: AsyncRead + AsyncWrite + Unpin>(&self, connection: &Connection<S>) -> Client {
        connection.client(self.settings.max_connections_per_user, self.settings.extended_protection_policy)
    }

    /// What an exchange goes on with.
    pub async fn look<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        site: &Site,
        connection: &Connection<S>,
        lookup: &Lookup,
    ) -> Finding {
        let bindings = connection.bindings(self.settings.extended_protection_policy);
        site.logon.look(&self.client(connection), lookup, bindings).await
    }

    /// What a session may offer on its channel; to be asked again when the channel changes.
    pub fn offer<S: AsyncRead + AsyncWrite + Unpin>(&self, site: &Site, connection: &Connection<S>) -> Offer {
        let protocol = match connection.terms().protocol {
            Protocol::Pop3 => identity::Protocol::Pop3,
            Protocol::Imap => identity::Protocol::Imap,
            Protocol::Smtp => identity::Protocol::Smtp,
        };
        let settings = &self.settings;
        let (rule, protection) = (Rule::LoginType(settings.login_type), settings.extended_protection_policy);
        let available = site.logon.available(connection.has_client_certificate());
        offer(protocol, rule, protection, available, self.tls, connection.channel())
    }
}
