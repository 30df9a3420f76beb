//! Whether what a client showed is right, for each kind of proof.

use std::borrow::Cow;

use identity::{Attempt, PASSWORD_OCTETS};
use proto::logon::{Credentials, Secret};
use proto::ntlm::{self, Binding, Refusal};
use proto::sasl::scram;
use store::{Account, AppPassword};

use super::tokens::Whose;
use super::vault::Verifiers;
use super::{Found, Logon, app_password, lock, now, throttled};
use crate::connection::Client;

/// For the log.
const NO_PASSWORD: &str = "the mailbox has no password";
const NO_NT_HASH: &str = "nothing is kept of the password that is good for NTLM; Set-CASMailbox -NtlmEnabled true, then Set-Mailbox -Password";
const NO_VERIFIER_OF_DIRECTORY: &str =
    "the user's directory gives no verifier for this mechanism; the client has to show the password (PLAIN)";
const NO_VERIFIER: &str = "no verifier for this mechanism is kept of the password, or the key that opens it is gone; Set-Mailbox -Password makes one";

/// What a proof is held against.
pub struct Against<'a> {
    /// Whose it should be; nobody's takes as long.
    pub account: Option<&'a Account>,
    /// Why it is not if it is wrong.
    pub otherwise: &'static str,
    /// Whose a token is.
    pub whose: Option<Whose>,
    /// A right one is answered as a wrong one, and as late.
    pub is_off: bool,
    pub attempt: &'a Attempt,
}

/// What became of a proof.
pub struct Judged {
    pub right: bool,
    /// Why not, for the log.
    pub reason: Cow<'static, str>,
    pub by: By,
}

/// What it was found by.
pub enum By {
    /// The mailbox's own password, which was hashed for it.
    Hashing,
    /// The mailbox's own password, in another way.
    Own,
    App(AppPassword),
    /// Nothing of the mailbox's own: a token, a certificate, a ticket, or a password that another directory knows.
    Other,
}

impl By {
    /// The mailbox's own password was shown or proved.
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Hashing | Self::Own)
    }
}

impl Judged {
    fn own(right: bool, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { right, reason: reason.into(), by: By::Own }
    }

    fn other(right: bool, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { right, reason: reason.into(), by: By::Other }
    }
}

/// What a proof by NTLM may be bound to.
pub fn binding_of(client: &Client) -> Binding<'_> {
    let end_point = client.end_point.as_ref().map(|end_point| end_point.0.as_ref());
    Binding { policy: client.protection, end_point }
}

impl Logon {
    pub(super) async fn prove(&self, client: &Client, credentials: &Credentials, it: Against<'_>) -> Found<Judged> {
        let Against { account, otherwise, whose, is_off, attempt } = it;
        let entry = account.and_then(|account| account.source.entry());
        let has_none = entry.is_none() && account.is_some_and(|account| account.password.is_none());
        let otherwise = if has_none { NO_PASSWORD } else { otherwise };
        match credentials {
            Credentials::Password { password, .. } => {
                if let Some(judged) = judge_app_password(client, account, password, otherwise) {
                    return Ok(judged);
                }
                self.guard.wait(attempt).await.map_err(throttled)?;
                if let Some((account, entry)) = account.zip(entry) {
                    let against = (account, entry, !is_off, otherwise);
                    return self.check_by_directory(client, password, against, attempt).await;
                }
                let (right, by) = self.check(client, account, password, !is_off, attempt).await?;
                Ok(Judged { right, reason: otherwise.into(), by })
            }
            Credentials::Scram { mechanism, proved, .. } => {
                self.guard.wait(attempt).await.map_err(throttled)?;
                let verifier = account.and_then(|account| self.scram_verifier(account, scram::hash_of(*mechanism)));
                let is_missing = !has_none && account.is_some() && verifier.is_none();
                let right = verifier.is_some_and(|verifier| proved.as_ref() == Some(verifier.stored_key()));
                let missing = if entry.is_some() { NO_VERIFIER_OF_DIRECTORY } else { NO_VERIFIER };
                Ok(Judged::own(right, if is_missing { missing } else { otherwise }))
            }
            Credentials::Token { .. } => {
                let (right, reason) = self.is_token_of(client, account, whose).await?;
                Ok(Judged::other(right, reason))
            }
            Credentials::Certificate { .. } => {
                let (right, reason) = self.is_certificate_of(client, account).await?;
                Ok(Judged::other(right, reason))
            }
            Credentials::Kerberos { principal, .. } => {
                let (right, reason) = self.is_principal_of(client, account, principal, otherwise).await?;
                Ok(Judged::other(right, reason))
            }
            Credentials::Ntlm(Err(fault)) => Ok(Judged::other(false, fault.to_string())),
            Credentials::Ntlm(Ok(proof)) => {
                self.guard.wait(attempt).await.map_err(throttled)?;
                match &self.ldap {
                    Some(ldap) if entry.is_some() || account.is_none() && ldap.takes_ntlm() => {
                        self.judge_ntlm_by_directory(client, ldap, entry, proof, otherwise, attempt).await
                    }
                    _ => Ok(self.judge_ntlm(client, account, proof, otherwise)),
                }
            }
        }
    }

    fn judge_ntlm(
        &self,
        client: &Client,
        account: Option<&Account>,
        proof: &ntlm::Proof,
        otherwise: &'static str,
    ) -> Judged {
        let hash = account.and_then(|account| self.verifiers(account)).and_then(|kept| kept.nt);
        match proof.verify(hash.as_ref(), &binding_of(client)) {
            Ok(()) => Judged::own(true, otherwise),
            Err(_) if hash.is_none() && account.is_some_and(|account| account.source.entry().is_some()) => {
                Judged::other(false, NO_VERIFIER_OF_DIRECTORY)
            }
            Err(_) if account.is_some_and(|account| account.password.is_some()) && hash.is_none() => {
                Judged::other(false, NO_NT_HASH)
            }
            Err(Refusal::Proof) => Judged::other(false, otherwise),
            Err(refusal) => Judged::other(false, refusal.to_string()),
        }
    }

    pub(super) fn scram_verifier(&self, account: &Account, hash: scram::Hash) -> Option<scram::Verifier> {
        self.verifiers(account)?.scram.into_iter().find(|verifier| verifier.hash() == hash)
    }

    fn verifiers(&self, account: &Account) -> Option<Verifiers> {
        self.hashing.vault().open_sealed(account.password.as_ref()?.verifiers.as_ref()?)
    }

    /// Whether it is the account's password; takes as long without an account. `may_remember`: else it takes as long
    /// each time, since a right one is to be answered as a wrong one.
    async fn check(
        &self,
        client: &Client,
        account: Option<&Account>,
        password: &Secret,
        may_remember: bool,
        attempt: &Attempt,
    ) -> Found<(bool, By)> {
        let kept = account.and_then(|account| Some((account.id, &account.password.as_ref()?.hash)));
        let known = kept.filter(|_| may_remember);
        if known.is_some_and(|(id, hash)| lock(&self.remembered).knows(id, hash, password, now())) {
            return Ok((true, By::Own));
        }
        let _turn = self.lanes.wait(client.remote).await;
        // Attempts that waited behind failures of the same address are not judged any more.
        self.admit(attempt)?;
        if let (None, Some(ldap)) = (account, &self.ldap) {
            ldap.check_nobody().await;
        }
        // An unknown user costs the same time as a known one, and no length of a password more than another.
        let is_hashed = password.expose().len() <= *PASSWORD_OCTETS.end();
        let tried = if is_hashed { password.clone() } else { Secret::new("".into()) };
        let urgency = self.guard.urgency(attempt);
        let right = self.hashing.verify(kept.map(|(_, hash)| hash.clone()), tried, urgency).await;
        if let Some((id, hash)) = known.filter(|_| right) {
            lock(&self.remembered).learn(id, hash, password, now());
        }
        Ok((right, By::Hashing))
    }
}

/// `None`: what was typed is none of the account's. A right one was not guessed, so nobody waits.
fn judge_app_password(
    client: &Client,
    account: Option<&Account>,
    password: &Secret,
    otherwise: &'static str,
) -> Option<Judged> {
    let app = app_password::find(account?, password.expose())?;
    let refusal = app_password::refusal(app, client.protocol, crate::clock::now());
    let (right, reason) = (refusal.is_none(), refusal.unwrap_or(otherwise).into());
    Some(Judged { right, reason, by: By::App(app.clone()) })
}
