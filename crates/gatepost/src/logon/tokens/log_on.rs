//! What a log-on makes of a token.

use std::borrow::Cow;

use identity::Attempt;
use proto::logon::{Credentials, Finding, Verdict};
use store::{Account, Address};

use super::super::{Found, Logon, now, unavailable};
use super::{Fault, Tokens};
use crate::connection::Client;

/// The mail address of the user of a token that is good, or why it is not.
pub type Whose = Result<String, Cow<'static, str>>;

impl Logon {
    /// Takes the tokens that these are.
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens, ..self }
    }

    /// The verdict as the exchange is told it: with a token that is refused goes where to get a better one.
    pub fn finding(&self, credentials: &Credentials, verdict: Verdict) -> Finding {
        match (credentials, verdict) {
            (Credentials::Token { .. }, Verdict::Refused) => Finding::TokenRefused(Box::new(self.tokens.told())),
            _ => Finding::Verdict(verdict),
        }
    }

    /// Whose token it is; `None` where there is none in the credentials.
    pub(in crate::logon) async fn whose(
        &self,
        client: &Client,
        credentials: &Credentials,
        attempt: &Attempt,
    ) -> Found<Option<Whose>> {
        let Credentials::Token { token, .. } = credentials else { return Ok(None) };
        // No more of one address are asked about at a time than passwords of it are hashed.
        let _turn = self.lanes.wait(client.remote).await;
        self.admit(attempt)?;
        let time = crate::clock::since_1970().as_secs();
        match self.tokens.whose(token.expose(), time, now()).await {
            Ok(address) => Ok(Some(Ok(address))),
            Err(Fault::Refused(reason)) => Ok(Some(Err(reason))),
            Err(Fault::Unavailable(error)) => {
                let reason = format!("the OpenID provider could not be asked: {error}");
                Err((Verdict::Unavailable, reason.into()))
            }
        }
    }

    /// Whether the token is the account's, by whichever of its addresses; and if not, why.
    pub(in crate::logon) async fn is_token_of(
        &self,
        client: &Client,
        account: Option<&Account>,
        whose: Option<Whose>,
    ) -> Found<(bool, Cow<'static, str>)> {
        let address = match whose {
            Some(Ok(address)) => address,
            Some(Err(reason)) => return Ok((false, reason)),
            None => return Ok((false, "there is no token".into())),
        };
        let owner = match Address::parse(&address) {
            Ok(address) => self.directory.find(&address).await.map_err(|error| unavailable(client, &error))?,
            Err(_) => None,
        };
        Ok(match (owner, account) {
            (Some(owner), Some(account)) if owner.id == account.id => (true, "granted".into()),
            (Some(_), _) => (false, format!("the token is for {address:?}, who is another user").into()),
            (None, _) => (false, format!("the token is for {address:?}, who has no mailbox").into()),
        })
    }
}
