//! Log-on by the certificate that a client showed when TLS began.

use std::borrow::Cow;

use store::{Account, Address};

use super::{Found, Logon, unavailable};
use crate::connection::Client;

impl Logon {
    /// The first of the certificate's addresses that is somebody's.
    pub(super) async fn certified(&self, client: &Client) -> Found<String> {
        for address in client.addresses.iter().filter_map(|address| Address::parse(address).ok()) {
            if self.directory.find(&address).await.map_err(|error| unavailable(client, &error))?.is_some() {
                return Ok(address.as_str().to_owned());
            }
        }
        Ok(client.addresses.first().cloned().unwrap_or_default())
    }

    /// Whether one of the certificate's addresses is the account's.
    pub(super) async fn is_certificate_of(
        &self,
        client: &Client,
        account: Option<&Account>,
    ) -> Found<(bool, Cow<'static, str>)> {
        for address in client.addresses.iter().filter_map(|address| Address::parse(address).ok()) {
            let owner = self.directory.find(&address).await.map_err(|error| unavailable(client, &error))?;
            if owner.is_some_and(|owner| account.is_some_and(|account| account.id == owner.id)) {
                return Ok((true, "granted".into()));
            }
        }
        let named = client.addresses.join(", ");
        Ok((false, format!("the certificate is for {named:?}, which is not an address of the mailbox").into()))
    }
}
