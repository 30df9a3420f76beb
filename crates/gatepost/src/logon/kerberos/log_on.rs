//! What a log-on makes of a ticket.

use std::borrow::Cow;

use identity::{Domains, ExtendedProtection};
use proto::logon::{ClientToken, Finding, Verdict};
use store::{Account, Address};

use super::super::{Found, Logon, throttled, unavailable};
use super::{Kerberos, principal};
use crate::connection::Client;

impl Logon {
    /// Takes the tickets that these are.
    pub fn with_kerberos(self, kerberos: Kerberos) -> Self {
        Self { kerberos, ..self }
    }

    /// What becomes of a client's token. One that is not taken is a failed log-on.
    pub(in crate::logon) async fn accept(&self, client: &Client, token: &ClientToken) -> Found<Finding> {
        // Nobody guesses a ticket: it is counted by address alone.
        let attempt = self.guard.without_name(client.remote);
        self.admit(&attempt)?;
        let context = match (&token.context, &self.kerberos.acceptor) {
            (Some(context), _) => context.clone(),
            (None, Some(acceptor)) => {
                let must_be_bound = client.protection == ExtendedProtection::Require;
                acceptor.begin(token.mechanism, binding(client), must_be_bound)
            }
            (None, None) => return Err((Verdict::Refused, "there is no keytab".into())),
        };
        // The library reads the keytab and writes down what it has seen; no more of one address at a time than passwords.
        let _turn = self.lanes.wait(client.remote).await;
        self.admit(&attempt)?;
        let (shared, octets) = (context.clone(), token.octets.clone());
        let accepted = tokio::task::spawn_blocking(move || shared.0.accept(&octets)).await;
        let reason = match accepted {
            Ok(Ok(accepted)) => return Ok(Finding::Gss(context, accepted)),
            Ok(Err(reason)) => reason,
            Err(error) => return Err((Verdict::Unavailable, error.to_string().into())),
        };
        match self.guard.settle(&attempt, Verdict::Refused, true) {
            Verdict::Refused => Err((Verdict::Refused, reason.into())),
            told => Err(throttled(told)),
        }
    }

    /// The address of a principal; `None` if it has none here.
    pub(in crate::logon) async fn address_of(&self, client: &Client, principal: &str) -> Found<Option<String>> {
        let accepted = self.directory.domains().await.map_err(|error| unavailable(client, &error))?;
        let default = accepted.iter().find(|domain| domain.default).map_or("", |domain| domain.name.as_str());
        let domains = Domains { default, accepted: accepted.iter().map(|domain| domain.name.as_str()).collect() };
        Ok(principal::address(principal, &self.kerberos.realm, &domains))
    }

    /// Whether the principal's address is the account's; and if not, why. `otherwise`: where it is nobody's, or that of
    /// a user who named another mailbox.
    pub(in crate::logon) async fn is_principal_of(
        &self,
        client: &Client,
        account: Option<&Account>,
        principal: &str,
        otherwise: &'static str,
    ) -> Found<(bool, Cow<'static, str>)> {
        let Some(address) = self.address_of(client, principal).await? else {
            let reason = format!("{principal:?} is no user of a realm that is an accepted domain or KerberosRealm");
            return Ok((false, reason.into()));
        };
        let owner = match Address::parse(&address) {
            Ok(address) => self.directory.find(&address).await.map_err(|error| unavailable(client, &error))?,
            Err(_) => None,
        };
        let right = owner.is_some_and(|owner| account.is_some_and(|account| account.id == owner.id));
        Ok((right, if right { "granted".into() } else { otherwise.into() }))
    }
}

/// What a client binds its ticket to, as Windows does (RFC 5929 §4, RFC 5056 §2.1).
fn binding(client: &Client) -> Option<Vec<u8>> {
    let end_point = client.end_point.as_ref().filter(|_| client.protection != ExtendedProtection::None)?;
    Some([b"tls-server-end-point:", end_point.0.as_ref()].concat())
}
