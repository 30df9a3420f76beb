//! Passwords of users of another directory, which alone knows them.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use identity::{Attempt, PASSWORD_OCTETS};
use management::settings::LdapSettings;
use proto::logon::{Secret, Verdict};
use proto::ntlm;
use store::{Account, AccountChange, Entry, Error, Password, Source};

use super::proof::{By, Judged, binding_of};
use super::{Found, Logon, lock, now};
use crate::connection::Client;
use crate::ldap::LdapDirectory;

/// For the log.
const NO_DIRECTORY: &str = "the user is of a directory, and none is set; Set-LdapSettings";

impl Logon {
    /// Users of this directory, which the settings are of, log on too.
    pub fn with_directory(self, ldap: Arc<LdapDirectory>, settings: &LdapSettings) -> Self {
        let users = self.users.clone();
        ldap.when_gone(Box::new(move |account| users.dismiss(account)));
        let mut target = self.target;
        if ldap.takes_ntlm() {
            self.ntlm.store(true, Ordering::Relaxed);
            // A domain holds its clients to what they were told of it.
            target = target.in_domain(&settings.ntlm_domain).unwrap_or(target);
        }
        Self { directory: ldap.clone(), ldap: Some(ldap), scram: settings.offer_scram, target, ..self }
    }

    /// Whether it is the password of the user whose entry that is. The directory is asked; while it cannot be, the
    /// password that it last took holds for a time.
    pub(super) async fn check_by_directory(
        &self,
        client: &Client,
        password: &Secret,
        (account, entry, may_remember, otherwise): (&Account, &Entry, bool, &'static str),
        attempt: &Attempt,
    ) -> Found<Judged> {
        let Some(ldap) = &self.ldap else {
            return Ok(Judged { right: false, reason: NO_DIRECTORY.into(), by: By::Other });
        };
        let kept = account.password.as_ref().map(|password| &password.hash);
        let known = kept.filter(|_| may_remember);
        if known.is_some_and(|hash| lock(&self.remembered).knows(account.id, hash, password, now())) {
            return Ok(Judged { right: true, reason: otherwise.into(), by: By::Other });
        }
        let _turn = self.lanes.wait(client.remote).await;
        self.admit(attempt)?;
        // RFC 4513 §5.1.2: with an empty one, it would be granted without having proved anything.
        let can_be_right = (1..=*PASSWORD_OCTETS.end()).contains(&password.expose().len());
        let told = if can_be_right {
            ldap.check(&entry.name, password).await
        } else {
            ldap.check_nobody().await;
            Ok(Err("no password can be so short or so long".to_owned()))
        };
        // Hashed in any case, as for a name that nobody has.
        let tried = if can_be_right { password.clone() } else { Secret::new("".into()) };
        let matches = self.hashing.verify(kept.cloned(), tried, self.guard.urgency(attempt)).await;
        let (right, reason): (bool, Cow<'static, str>) = match told {
            Ok(Ok(())) => {
                if may_remember {
                    self.keep(ldap, account, entry, password, matches).await;
                }
                (true, otherwise.into())
            }
            Ok(Err(refused)) => {
                if matches {
                    self.forget_kept(account, entry).await;
                }
                (false, format!("{otherwise}: {refused}").into())
            }
            Err(away) if ldap.is_within(entry.verified, crate::clock::now()) => {
                tracing::debug!(address = account.address.as_str(), error = away, "the password that is kept holds");
                (
                    matches,
                    format!("not the password that the directory last took, and it cannot be asked: {away}").into(),
                )
            }
            Err(away) => {
                return Err((Verdict::Unavailable, format!("no directory can be asked: {away}").into()));
            }
        };
        Ok(Judged { right, reason, by: By::Other })
    }

    /// Whether the user's domain finds the proof right; `entry`: `None` for nobody's, which takes as long.
    pub(super) async fn judge_ntlm_by_directory(
        &self,
        client: &Client,
        ldap: &LdapDirectory,
        entry: Option<&Entry>,
        proof: &ntlm::Proof,
        otherwise: &'static str,
        attempt: &Attempt,
    ) -> Found<Judged> {
        let _turn = self.lanes.wait(client.remote).await;
        self.admit(attempt)?;
        let told = ldap.check_ntlm(entry.map(|entry| entry.name.as_str()), proof).await;
        let (right, reason): (bool, Cow<'static, str>) = match (told, entry) {
            (Ok(Ok(key)), Some(_)) => match proof.verify_with_session_key(&key, &binding_of(client)) {
                Ok(()) => (true, otherwise.into()),
                Err(refusal) => (false, refusal.to_string().into()),
            },
            (Ok(Err(refused)), Some(_)) => (false, format!("{otherwise}: {refused}").into()),
            (_, None) => (false, otherwise.into()),
            (Err(away), Some(_)) => {
                return Err((Verdict::Unavailable, format!("the domain cannot be asked: {away}").into()));
            }
        };
        Ok(Judged { right, reason, by: By::Other })
    }

    /// Takes the password down as the one that the directory took last. `matches`: it is kept already.
    async fn keep(&self, ldap: &LdapDirectory, account: &Account, entry: &Entry, password: &Secret, matches: bool) {
        let kept = match (&account.password, self.hash_to_keep(ldap, password, matches).await) {
            (Some(kept), None) if matches => kept.clone(),
            (_, Some(new)) => new,
            _ => return,
        };
        lock(&self.remembered).learn(account.id, &kept.hash, password, now());
        let time = crate::clock::now();
        if matches && !ldap.is_to_be_written(entry.verified, time) {
            return;
        }
        let change = AccountChange {
            password: (!matches).then_some(Some(kept)),
            source: Some(Source::Directory(Entry { verified: Some(time), ..entry.clone() })),
            provided_source: Some(account.source.clone()),
            ..AccountChange::default()
        };
        match self.directory.change(account.id, change).await {
            // Whoever changed it has asked the directory as well.
            Ok(()) | Err(Error::Conflict) => {}
            Err(error) => {
                let address = account.address.as_str();
                tracing::warn!(address, %error, "the password was not kept for when the directory cannot be asked");
            }
        }
    }

    /// The directory has refused what it took before: it is good no more, whether the directory can be asked or not.
    async fn forget_kept(&self, account: &Account, entry: &Entry) {
        lock(&self.remembered).forget(account.id);
        let change = AccountChange {
            password: Some(None),
            source: Some(Source::Directory(Entry { verified: None, ..entry.clone() })),
            provided_source: Some(account.source.clone()),
            ..AccountChange::default()
        };
        match self.directory.change(account.id, change).await {
            Ok(()) | Err(Error::Conflict | Error::NotFound(_)) => {}
            Err(error) => {
                let address = account.address.as_str();
                tracing::error!(address, %error, "a password that the directory refuses now is still kept");
            }
        }
    }

    async fn hash_to_keep(&self, ldap: &LdapDirectory, password: &Secret, matches: bool) -> Option<Password> {
        if matches || !ldap.keeps() {
            return None;
        }
        match self.hashing.hash_alone(password.clone()).await {
            Ok(hash) => Some(Password { hash, verifiers: None, set: crate::clock::now() }),
            Err(error) => {
                tracing::warn!(%error, "the password was not kept for when the directory cannot be asked");
                None
            }
        }
    }
}
