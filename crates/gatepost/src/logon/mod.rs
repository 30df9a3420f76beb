//! Who a client is: verifies what it gave to log on, over all protocols.
//!
//! The order protects those who are known: a throttled address is answered at once and costs nothing; who guesses
//! waits; a password that was verified a short while ago is not hashed again; each address waits for the hashing of
//! its own attempts only, so that many attempts from one do not delay another.

mod app_password;
mod by_directory;
mod certificates;
mod familiar;
mod guard;
mod hashing;
mod kerberos;
mod lanes;
mod named;
mod password;
mod proof;
mod record;
mod remembered;
mod renewal;
mod tokens;
mod turns;
mod users;
mod vault;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use identity::{Attempt, Available};
use proto::logon::{Credentials, Finding, Lookup, Mechanism, NtlmServer, Verdict};
use proto::ntlm::{FileTime, Target};
use proto::sasl::scram::{self, ChannelBindings};
use store::{Account, AccountChange, AccountId, AppPassword, AppPasswordChange, Directory, Protocols, Source};

use management::LogOn;

use crate::connection::{Client, Drained, Protocol};
use crate::ldap::LdapDirectory;
pub use app_password::digest_of;
use guard::Guard;
pub use hashing::{HashError, Hashing};
pub use kerberos::{Kerberos, begin_anew, is_in_use};
use lanes::Lanes;
use named::Named;
pub use password::generate;
use proof::{Against, By, Judged};
pub use record::Recorder;
use remembered::Remembered;
use renewal::Renewals;
pub use tokens::Tokens;
pub use turns::Urgency;
use users::{Place, Users};
pub use vault::{Vault, VaultError};

/// A log-on that was granted. Dropping it gives the user's place back.
#[derive(Debug)]
pub struct LoggedOn {
    /// Whose mailbox is opened: the user's own, or another's.
    pub account: Arc<Account>,
    place: Box<Place>,
    /// In another's mailbox.
    beside: Option<Box<Place>>,
}

impl LoggedOn {
    /// Ends when the password is changed, the account removed or the right to open another's mailbox taken away.
    pub fn over(&self) -> Drained {
        let over = self.place.over();
        self.beside.as_ref().map(|beside| over.clone().and(beside.over())).unwrap_or(over)
    }
}

/// Verifies log-ons; one for the whole server.
pub struct Logon {
    directory: Arc<dyn Directory>,
    /// Where some of the users are.
    ldap: Option<Arc<LdapDirectory>>,
    /// SCRAM is offered.
    scram: bool,
    hashing: Hashing,
    remembered: Mutex<Remembered>,
    guard: Arc<Guard>,
    /// Zero: passwords do not expire.
    password_lifetime: Duration,
    lanes: Lanes,
    renewals: Renewals,
    record: Option<Recorder>,
    /// Somebody may log on by NTLM.
    ntlm: AtomicBool,
    /// What NTLM's clients are told of the server.
    target: Target,
    users: Arc<Users>,
    tokens: Tokens,
    kerberos: Kerberos,
}

/// What was found, or what the client is told in its place and what the log.
type Found<T> = Result<T, (Verdict, Cow<'static, str>)>;

/// For the log.
const EXPIRED: &str = "the password has expired (PasswordLifetime); Set-Mailbox -Password sets a new one";
const NOTHING_TO_OPEN: &str = "by SMTP there is no mailbox of another to open; log on by the own name alone";
const THROTTLED: &str = "too many failures from this address, its network or at this name";

impl Logon {
    /// `failures`: those an address may have in a minute. `remember`: how long a verified password is not
    /// hashed again. `per_address`: passwords of one address that are hashed at a time. `host`: the server's name, as clients see it.
    pub fn new(
        directory: Arc<dyn Directory>,
        hashing: Hashing,
        failures: u32,
        remember: Duration,
        per_address: usize,
        host: &str,
    ) -> Self {
        let target = Target::of_host(host).unwrap_or_default();
        Self {
            directory,
            ldap: None,
            scram: true,
            hashing,
            remembered: Mutex::new(Remembered::new(remember)),
            guard: Arc::new(Guard::new(failures)),
            password_lifetime: Duration::ZERO,
            lanes: Lanes::new(per_address),
            renewals: Renewals::default(),
            record: None,
            ntlm: AtomicBool::default(),
            target,
            users: Arc::default(),
            tokens: Tokens::default(),
            kerberos: Kerberos::default(),
        }
    }

    /// Log-ons to mailboxes are written down there from now on.
    pub fn recorded(self, record: Recorder) -> Self {
        Self { record: Some(record), ..self }
    }

    /// Passwords are good for so long; zero is without end.
    pub fn with_password_lifetime(self, password_lifetime: Duration) -> Self {
        Self { password_lifetime, ..self }
    }

    /// Learns from the record where owners have logged on from, so that a restart makes nobody a stranger. It takes as long
    /// as the record is: not for the thread that calls.
    pub fn recall(&self) {
        let Some(record) = self.record.clone() else { return };
        let (guard, today) = (self.guard.clone(), crate::clock::now());
        let recall = move || {
            let read = record.each(|log_on| {
                if let Some(address) = log_on.remote.parse().ok().filter(|_| log_on.granted) {
                    let ago = u64::try_from(today.saturating_sub(log_on.time)).unwrap_or_default();
                    guard.was_there(&log_on.identity, address, Duration::from_secs(ago));
                }
            });
            if let Err(error) = read {
                tracing::warn!(%error, "where users have logged on from is not known of before the start");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("known addresses".to_owned()).spawn(recall) {
            tracing::warn!(%error, "where users have logged on from is not known of before the start");
        }
    }

    pub fn hashing(&self) -> &Hashing {
        &self.hashing
    }

    /// What there is that a mechanism needs; `certificate`: of the client.
    pub fn available(&self, certificate: bool) -> Available {
        let (ntlm, tokens) = (self.ntlm.load(Ordering::Relaxed), self.tokens.are_taken());
        Available { scram: self.scram, ntlm, tokens, kerberos: self.kerberos.is_taken(), certificate }
    }

    /// Somebody may log on by NTLM from now on.
    pub fn has_ntlm(&self) {
        self.ntlm.store(true, Ordering::Relaxed);
    }

    /// The account's password was changed, or the account removed: what was granted before holds no more.
    pub fn revoke(&self, account: AccountId) {
        lock(&self.remembered).forget(account);
        self.users.dismiss(account);
    }

    async fn find(&self, user: &str, authorization: Option<&str>) -> store::Result<Named> {
        named::find(&*self.directory, self.ldap.as_deref(), user, authorization).await
    }

    /// What an exchange goes on with. A client that is throttled learns nothing.
    pub async fn look(&self, client: &Client, lookup: &Lookup, bindings: Option<ChannelBindings>) -> Finding {
        match self.found(client, lookup, bindings).await {
            Ok(finding) => finding,
            Err((verdict, reason)) => {
                let (user, mechanism) = match lookup {
                    Lookup::Scram { user, .. } => (user.as_str(), None),
                    Lookup::Ntlm => ("", Some(Mechanism::Ntlm)),
                    Lookup::Gss(token) => ("", Some(token.mechanism)),
                };
                tracing::info!(
                    session = client.session,
                    protocol = client.protocol.name(),
                    remote = %client.remote,
                    user = clipped(user),
                    mechanism = mechanism.map(Mechanism::name),
                    granted = false,
                    reason = reason.as_ref(),
                    "log-on"
                );
                Finding::Verdict(verdict)
            }
        }
    }

    async fn found(&self, client: &Client, lookup: &Lookup, bindings: Option<ChannelBindings>) -> Found<Finding> {
        let no_randomness = (Verdict::Unavailable, Cow::Borrowed("the system gives no random numbers"));
        let (hash, user) = match lookup {
            Lookup::Scram { hash, user } => (hash, user),
            Lookup::Ntlm => {
                let challenge = vault::random().map_err(|_| no_randomness)?;
                let (now, target) = (FileTime::from_unix(crate::clock::since_1970()), self.target.clone());
                return Ok(Finding::Ntlm(Box::new(NtlmServer { challenge, now, target })));
            }
            Lookup::Gss(token) => return self.accept(client, token).await,
        };
        let attempt = self.attempt(client, user).await?;
        self.admit(&attempt)?;
        // The user's own, whatever mailbox is named beside it: that would tell whether there is such a user.
        let Named { address, user: account, .. } =
            self.find(user, None).await.map_err(|error| unavailable(client, &error))?;
        let kept = account.and_then(|account| self.scram_verifier(&account, *hash));
        let verifier = match kept {
            Some(verifier) => verifier,
            // Who it is said to be is not told by what is shown.
            None => {
                let stand_in = self.hashing.vault().stand_in(*hash, &address, self.hashing.iterations());
                stand_in.ok_or_else(|| no_randomness.clone())?
            }
        };
        let nonce = vault::scram_nonce().map_err(|_| no_randomness)?;
        Ok(Finding::Scram(Box::new(scram::Finding { verifier, nonce, bindings })))
    }

    /// Judges an attempt; writes one line to the log with the reason.
    pub async fn verify(&self, client: &Client, credentials: &Credentials) -> Result<LoggedOn, Verdict> {
        let mut named = None;
        let judged = self.judge(client, credentials, &mut named).await;
        let verdict = match &judged {
            Ok(_) => Verdict::Granted,
            Err((verdict, _)) => *verdict,
        };
        let reason = judged.as_ref().err().map_or("granted", |(_, reason)| reason.as_ref());
        // A token may have said whom.
        let user = match &named {
            Some(account) if credentials.user().is_empty() => account.address.as_str(),
            _ => credentials.user(),
        };
        let mechanism = credentials.mechanism().map_or("password command", |mechanism| mechanism.name());
        tracing::info!(
            session = client.session,
            protocol = client.protocol.name(),
            remote = %client.remote,
            user = clipped(user),
            mechanism,
            tls = client.tls.unwrap_or("none"),
            granted = verdict == Verdict::Granted,
            reason,
            "log-on"
        );
        let is_throttled = verdict == Verdict::Throttled;
        if let (Some(record), Some(account)) = (&self.record, named.filter(|_| !is_throttled)) {
            record.write(&LogOn {
                time: crate::clock::now(),
                identity: account.address.as_str().to_owned(),
                remote: client.remote.to_string(),
                protocol: client.protocol.service().to_owned(),
                mechanism: mechanism.to_owned(),
                tls: client.tls.map(str::to_owned),
                granted: verdict == Verdict::Granted,
                reason: reason.to_owned(),
            });
        }
        judged.map_err(|(verdict, _)| verdict)
    }

    /// `named`: whom the client named, once that is known.
    async fn judge(
        &self,
        client: &Client,
        credentials: &Credentials,
        named: &mut Option<Arc<Account>>,
    ) -> Found<LoggedOn> {
        let is_guess = match credentials {
            Credentials::Password { .. } | Credentials::Scram { .. } | Credentials::Ntlm(_) => true,
            Credentials::Token { .. } | Credentials::Certificate { .. } | Credentials::Kerberos { .. } => false,
        };
        let typed = match is_guess {
            true => self.attempt(client, &named::name_in(credentials)).await?,
            false => self.guard.without_name(client.remote),
        };
        self.admit(&typed)?;
        let whose = self.whose(client, credentials, &typed).await?;
        let user = match (&whose, credentials) {
            (Some(Ok(address)), _) => address.into(),
            (_, Credentials::Certificate { authorization: None }) => self.certified(client).await?.into(),
            (_, Credentials::Kerberos { principal, .. }) => {
                self.address_of(client, principal).await?.unwrap_or_default().into()
            }
            _ => named::name_in(credentials),
        };
        // A token says who the user is; whom the client names beside it is whose mailbox it wants.
        let wanted = match &whose {
            Some(Ok(_)) => Some(credentials.user()).filter(|name| !name.is_empty()),
            _ => credentials.authorization(),
        };
        let found = self.find(&user, wanted).await.map_err(|error| unavailable(client, &error))?;
        named.clone_from(&found.user);
        let (account, reason) = (found.account(), found.reason);
        let attempt = match &found.user {
            Some(user) if is_guess => self.guard.at(&typed, user.address.as_str()),
            _ => typed,
        };
        let anothers = found.mailbox.filter(|mailbox| Some(mailbox.id) != account.as_ref().map(|account| account.id));
        let off = account.as_ref().and_then(|account| switched_off(account, client.protocol, credentials));
        let off = match (client.protocol, &anothers) {
            (Protocol::Smtp, Some(_)) => off.or(Some(NOTHING_TO_OPEN)),
            (_, Some(mailbox)) => off.or_else(|| protocol_off(mailbox, client.protocol)),
            (_, None) => off,
        };
        let shown =
            Against { account: account.as_deref(), otherwise: reason, whose, is_off: off.is_some(), attempt: &attempt };
        let Judged { right, reason, by } = match self.prove(client, credentials, shown).await {
            Ok(judged) => judged,
            Err((verdict, reason)) => {
                // One that was turned away has not waited.
                if verdict != Verdict::Throttled {
                    self.guard.withdraw(&attempt);
                }
                return Err((verdict, reason));
            }
        };
        // Answered as a wrong password, and as late.
        let (right, reason) = match off {
            Some(why) if right => (false, why.into()),
            _ => (right, reason),
        };
        let (account, verdict, reason) = match account.filter(|_| right) {
            Some(account) if by.is_own() && self.has_expired(&account) => (None, Verdict::Expired, EXPIRED.into()),
            Some(account) => (Some(account), Verdict::Granted, reason),
            None => (None, Verdict::Refused, reason),
        };
        let is_new = match credentials {
            Credentials::Password { password, .. } if verdict == Verdict::Refused => {
                !self.guard.is_repeated(&attempt, password)
            }
            _ => true,
        };
        let told = self.guard.settle(&attempt, verdict, is_new);
        if told != verdict {
            return Err(throttled(told));
        }
        let Some(account) = account else { return Err((verdict, reason)) };
        self.guard.learn_both(&typed, account.address.as_str());
        let limit = client.max_connections;
        let place = Users::take(&self.users, client.protocol, account.id, limit)
            .ok_or((Verdict::TooManyConnections { limit }, "the user has as many connections as it may".into()))?;
        let place = Box::new(place);
        // Asked again with the place taken: a change before was not told to it, one after it is.
        match self.directory.account(account.id).await {
            Ok(Some(now)) if is_still(&now, &account, &by) => {
                if let Some(why) = switched_off(&now, client.protocol, credentials) {
                    return Err((Verdict::Refused, why.into()));
                }
                match (by, credentials) {
                    (By::App(app), _) => self.used(&now, &app),
                    (By::Hashing, Credentials::Password { password, .. }) => {
                        let (directory, hashing) = (self.directory.clone(), self.hashing.clone());
                        self.renewals.begin(directory, hashing, now.clone(), password.clone());
                    }
                    _ => {}
                }
                match anothers {
                    None => Ok(LoggedOn { account: now, place, beside: None }),
                    Some(mailbox) => self.open_anothers(client, &now, mailbox.id, place).await,
                }
            }
            Ok(_) => Err((Verdict::Refused, "the password was changed meanwhile".into())),
            Err(error) => Err(unavailable(client, &error)),
        }
    }

    /// The mailbox of another, which the user may still open.
    async fn open_anothers(
        &self,
        client: &Client,
        user: &Account,
        mailbox: AccountId,
        place: Box<Place>,
    ) -> Found<LoggedOn> {
        // Counted against the user alone.
        let beside = Users::take(&self.users, client.protocol, mailbox, u32::MAX).map(Box::new);
        match self.directory.account(mailbox).await {
            Ok(Some(account)) if account.full_access.contains(&user.id) => {
                tracing::info!(
                    session = client.session,
                    user = user.address.as_str(),
                    mailbox = account.address.as_str(),
                    "opens the mailbox of another"
                );
                Ok(LoggedOn { account, place, beside })
            }
            Ok(_) => Err((Verdict::Refused, "the right to open the mailbox was taken away meanwhile".into())),
            Err(error) => Err(unavailable(client, &error)),
        }
    }

    fn has_expired(&self, account: &Account) -> bool {
        let set = account.password.as_ref().map(|password| password.set);
        set.and_then(|set| identity::expiry(set, self.password_lifetime)).is_some_and(|end| end <= crate::clock::now())
    }

    /// Writes down that an app password is in use. The log-on does not wait for it.
    fn used(&self, account: &Account, app: &AppPassword) {
        let at = crate::clock::now();
        tracing::debug!(address = account.address.as_str(), app_password = app.name, "an app password was used");
        if !app_password::is_use_to_be_written(app, at) {
            return;
        }
        let (directory, id, digest) = (self.directory.clone(), account.id, app.digest);
        tokio::spawn(async move {
            let app_password = Some(AppPasswordChange::Used { digest, at });
            if let Err(error) = directory.change(id, AccountChange { app_password, ..AccountChange::default() }).await {
                tracing::warn!(%error, "the use of an app password was not written down");
            }
        });
    }

    async fn attempt(&self, client: &Client, user: &str) -> Found<Attempt> {
        let name = named::address(&*self.directory, user).await.map_err(|error| unavailable(client, &error))?;
        Ok(self.guard.attempt(client.remote, &name))
    }

    fn admit(&self, attempt: &Attempt) -> Found<()> {
        self.guard.admit(attempt).map_err(throttled)
    }
}

fn throttled(verdict: Verdict) -> (Verdict, Cow<'static, str>) {
    (verdict, THROTTLED.into())
}

fn unavailable(client: &Client, error: &store::Error) -> (Verdict, Cow<'static, str>) {
    tracing::error!(session = client.session, %error, "the directory could not be asked");
    (Verdict::Unavailable, "the directory could not be asked".into())
}

/// Why the account may not be used so, whatever is proved.
fn switched_off(account: &Account, protocol: Protocol, credentials: &Credentials) -> Option<&'static str> {
    // Of users of another directory nothing is kept for NTLM.
    let is_opted_in = account.access.ntlm || account.source != Source::Local;
    protocol_off(account, protocol).or_else(|| {
        (!is_opted_in && matches!(credentials, Credentials::Ntlm(_)))
            .then_some("NTLM is switched off for the mailbox (Set-CASMailbox -NtlmEnabled)")
    })
}

fn protocol_off(account: &Account, protocol: Protocol) -> Option<&'static str> {
    let Protocols { pop3, imap4, smtp } = account.access.protocols;
    match protocol {
        Protocol::Pop3 if !pop3 => Some("POP3 is switched off for the mailbox (Set-CASMailbox -PopEnabled)"),
        Protocol::Imap if !imap4 => Some("IMAP4 is switched off for the mailbox (Set-CASMailbox -ImapEnabled)"),
        Protocol::Smtp if !smtp => {
            Some("log-on by SMTP is switched off for the mailbox (Set-CASMailbox -SmtpClientAuthenticationDisabled)")
        }
        _ => None,
    }
}

/// Whether what was shown is still good: an app password, or the password, whatever else is kept of it by now. What another directory
/// takes is for it to say.
fn is_still(now: &Account, then: &Account, by: &By) -> bool {
    if let By::App(app) = by {
        return now.app_passwords.iter().any(|one| one.digest == app.digest);
    }
    // What is kept of the password of another directory's user says nothing of a log-on: the directory does.
    if let Some(entry) = now.source.entry() {
        return entry.seen.is_some();
    }
    let hash = |account: &Account| account.password.as_ref().map(|password| password.hash.clone());
    let is_there = || now.source.entry().is_some_and(|entry| entry.seen.is_some());
    if then.source == Source::Local { hash(now) == hash(then) } else { is_there() }
}

/// What a user name says in the log at most.
fn clipped(name: &str) -> &str {
    const MOST: usize = 320;
    name.get(..name.floor_char_boundary(MOST)).unwrap_or(name)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// None of what is locked here is left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
