//! Who a client is: verifies what it gave to log on, over all protocols.
//!
//! The order protects those who are known: a throttled address is answered at once and costs nothing; a
//! password that was verified a short while ago is not hashed again; each address waits for the hashing of
//! its own attempts only, so that many attempts from one do not delay another.

mod hashing;
mod lanes;
mod password;
mod remembered;
mod users;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use identity::{PASSWORD_OCTETS, Throttle, may_act_as, user_address};
use proto::logon::{Credentials, Secret, Verdict};
use store::{Account, AccountId, Address, Directory};

use crate::connection::{Drained, Protocol};
pub use hashing::{HashError, Hashing};
use lanes::Lanes;
pub use password::generate;
use remembered::Remembered;
use users::{Place, Users};

/// One try to log on.
pub struct Attempt<'a> {
    pub credentials: &'a Credentials,
    pub remote: IpAddr,
    pub protocol: Protocol,
    /// The session's number in the log.
    pub session: u64,
    /// Connections that one user may have over this protocol.
    pub max_connections: u32,
}

/// A log-on that was granted. Dropping it gives the user's place back.
#[derive(Debug)]
pub struct LoggedOn {
    pub account: Arc<Account>,
    place: Place,
}

impl LoggedOn {
    /// Ends when the password is changed or the account removed.
    pub fn over(&self) -> Drained {
        self.place.over()
    }
}

/// Verifies log-ons; one for the whole server.
pub struct Logon {
    directory: Arc<dyn Directory>,
    hashing: Hashing,
    throttle: Mutex<Throttle>,
    remembered: Mutex<Remembered>,
    lanes: Lanes,
    users: Arc<Users>,
}

/// For the log.
const THROTTLED: &str = "too many failures from this address";

/// Addresses whose failures are remembered.
const THROTTLED_ORIGINS: usize = 100_000;

impl Logon {
    /// `failures`: those an address may have in a minute. `remember`: how long a verified password is not
    /// hashed again. `per_address`: passwords of one address that are hashed at a time.
    pub fn new(
        directory: Arc<dyn Directory>,
        hashing: Hashing,
        failures: u32,
        remember: Duration,
        per_address: usize,
    ) -> Self {
        Self {
            directory,
            hashing,
            throttle: Mutex::new(Throttle::new(failures, THROTTLED_ORIGINS)),
            remembered: Mutex::new(Remembered::new(remember)),
            lanes: Lanes::new(per_address),
            users: Arc::default(),
        }
    }

    pub fn hashing(&self) -> &Hashing {
        &self.hashing
    }

    /// The account's password was changed, or the account removed: what was granted before holds no more.
    pub fn revoke(&self, account: AccountId) {
        lock(&self.remembered).forget(account);
        self.users.dismiss(account);
    }

    /// Judges an attempt; writes one line to the log with the reason.
    pub async fn verify(&self, attempt: Attempt<'_>) -> Result<LoggedOn, Verdict> {
        let Credentials::Password { authorization, user, password, mechanism } = attempt.credentials;
        let judged = self.judge(&attempt, authorization.as_deref(), user, password).await;
        let verdict = match &judged {
            Ok(_) => Verdict::Granted,
            Err((verdict, _)) => *verdict,
        };
        let reason = judged.as_ref().err().map_or("granted", |(_, reason)| reason);
        tracing::info!(
            session = attempt.session,
            protocol = attempt.protocol.name(),
            remote = %attempt.remote,
            user = clipped(user),
            mechanism = mechanism.map_or("password command", |mechanism| mechanism.name()),
            granted = verdict == Verdict::Granted,
            reason,
            "log-on"
        );
        judged.map_err(|(verdict, _)| verdict)
    }

    async fn judge(
        &self,
        attempt: &Attempt<'_>,
        authorization: Option<&str>,
        user: &str,
        password: &Secret,
    ) -> Result<LoggedOn, (Verdict, &'static str)> {
        self.admit(attempt.remote)?;
        let (account, mut reason) =
            self.find(authorization, user).await.map_err(|error| unavailable(attempt, &error))?;
        let hash = account.as_ref().and_then(|account| account.password.as_ref());
        if account.is_some() && hash.is_none() {
            reason = "the account has no password";
        }
        let remembered = match (&account, hash) {
            (Some(account), Some(hash)) => lock(&self.remembered).knows(account.id, hash, password, now()),
            _ => false,
        };
        let right = remembered || {
            let _turn = self.lanes.wait(attempt.remote).await;
            // Attempts that waited behind failures of the same address are not judged any more.
            self.admit(attempt.remote)?;
            // An unknown user costs the same time as a known one, and no length of a password more than another.
            let is_hashed = password.expose().len() <= *PASSWORD_OCTETS.end();
            let password = if is_hashed { password.clone() } else { Secret::new("".into()) };
            self.hashing.verify(hash.cloned(), password).await
        };
        let (account, verdict) = match account.filter(|_| right) {
            Some(account) => (Some(account), Verdict::Granted),
            None => (None, Verdict::Refused),
        };
        let told = lock(&self.throttle).settle(attempt.remote, now(), verdict);
        if told != verdict {
            return Err((told, THROTTLED));
        }
        let Some(account) = account else { return Err((Verdict::Refused, reason)) };
        if let Some(hash) = account.password.as_ref().filter(|_| !remembered) {
            lock(&self.remembered).learn(account.id, hash, password, now());
        }
        let limit = attempt.max_connections;
        let place = Users::take(&self.users, attempt.protocol, account.id, limit)
            .ok_or((Verdict::TooManyConnections { limit }, "the user has as many connections as it may"))?;
        // Asked again with the place taken: a change before was not told to it, one after it is.
        match self.directory.account(account.id).await {
            Ok(Some(now)) if now.password == account.password => Ok(LoggedOn { account: now, place }),
            Ok(_) => Err((Verdict::Refused, "the password was changed meanwhile")),
            Err(error) => Err(unavailable(attempt, &error)),
        }
    }

    fn admit(&self, remote: IpAddr) -> Result<(), (Verdict, &'static str)> {
        let mut throttle = lock(&self.throttle);
        if throttle.admits(remote, now()) { Ok(()) } else { Err((throttle.verdict(), THROTTLED)) }
    }

    /// The account, and why the attempt fails if the password does not.
    async fn find(
        &self,
        authorization: Option<&str>,
        user: &str,
    ) -> store::Result<(Option<Arc<Account>>, &'static str)> {
        let domains = self.directory.domains().await?;
        let default = domains.iter().find(|domain| domain.default).map_or("", |domain| domain.name.as_str());
        let Ok(address) = Address::parse(&user_address(user, default)) else { return Ok((None, "unknown user")) };
        if !may_act_as(authorization, user, default) {
            return Ok((None, "may not act as another user"));
        }
        Ok(match self.directory.find(&address).await? {
            Some(account) => (Some(account), "wrong password"),
            None => (None, "unknown user"),
        })
    }
}

fn unavailable(attempt: &Attempt<'_>, error: &store::Error) -> (Verdict, &'static str) {
    tracing::error!(session = attempt.session, %error, "the directory could not be asked");
    (Verdict::Unavailable, "the directory could not be asked")
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
