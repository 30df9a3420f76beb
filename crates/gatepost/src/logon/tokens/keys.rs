//! The provider's keys: fetched when they are needed, kept for a while.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;

use super::super::lock;
use super::Fault;
use super::claims::Claims;
use super::http::{Http, Url};
use super::jwt::Token;

/// After this the keys are asked for again.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// So long they are used while the provider cannot be asked.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The provider is not asked more often, whatever keys strangers name.
const PAUSE: Duration = Duration::from_secs(30);

pub struct Keys {
    http: Http,
    issuer: String,
    configuration: Url,
    cache: Mutex<Cache>,
    /// Held while the provider is asked.
    asking: tokio::sync::Mutex<()>,
}

/// What is known of the provider's keys.
#[derive(Default)]
struct Cache {
    keys: Option<(Arc<[Jwk]>, Instant)>,
    /// When the provider was last asked, and what went wrong.
    asked: Option<(Instant, Result<(), String>)>,
}

/// What is to be done for a token.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Use(Arc<[Jwk]>),
    /// Asks for newer ones; these do if they cannot be had now.
    Renew(Arc<[Jwk]>),
    /// Asks, since there is none that does.
    Ask,
    /// It is too early to ask again.
    Wait,
}

/// OpenID Connect Discovery §3.
#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

/// RFC 7517 §5: what is not understood of a key leaves the others.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Keys {
    pub fn new(http: Http, issuer: String, configuration: Url) -> Self {
        Self { http, issuer, configuration, cache: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// What the token says, if the provider signed it.
    pub async fn claims_of(&self, token: &str, now: Instant) -> Result<Claims, Fault> {
        let token = Token::parse(token).map_err(Fault::Refused)?;
        let keys = self.keys_for(&token, now).await?;
        token.verify(&keys).map_err(Fault::Refused)
    }

    async fn keys_for(&self, token: &Token<'_>, now: Instant) -> Result<Arc<[Jwk]>, Fault> {
        let plan = |keys: &Mutex<Cache>| lock(keys).plan(|keys| token.has_key(keys), now);
        match plan(&self.cache) {
            Plan::Use(keys) => return Ok(keys),
            Plan::Renew(keys) => {
                // Who asks meanwhile has them soon enough.
                if let Ok(_asking) = self.asking.try_lock() {
                    self.ask(now).await;
                    return Ok(lock(&self.cache).kept(now).unwrap_or(keys));
                }
                return Ok(keys);
            }
            Plan::Ask => {
                let _asking = self.asking.lock().await;
                // Unless somebody else did so meanwhile.
                if let Plan::Ask | Plan::Renew(_) = plan(&self.cache) {
                    self.ask(now).await;
                }
            }
            Plan::Wait => {}
        }
        lock(&self.cache).last(|keys| token.has_key(keys), now)
    }

    /// As if the provider had just said so.
    #[cfg(test)]
    pub fn put(&self, keys: Arc<[Jwk]>, now: Instant) {
        lock(&self.cache).answered(Ok(keys), now);
    }

    async fn ask(&self, now: Instant) {
        let answer = self.fetch().await;
        if let Err(error) = &answer {
            tracing::warn!(issuer = self.issuer, error, "the OpenID provider's keys could not be fetched");
        }
        lock(&self.cache).answered(answer, now);
    }

    async fn fetch(&self) -> Result<Arc<[Jwk]>, String> {
        let Configuration { issuer, jwks_uri } = self.http.get(&self.configuration).await?;
        // OpenID Connect Discovery §4.3: to the letter.
        if issuer != self.issuer {
            return Err(format!("its configuration is that of the issuer {issuer:?}"));
        }
        let url = Url::parse(&jwks_uri).map_err(|why| format!("jwks_uri: {why}"))?;
        let KeySet { keys } = self.http.get(&url).await?;
        let keys: Arc<[Jwk]> = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        if keys.is_empty() { Err("it has no keys".to_owned()) } else { Ok(keys) }
    }
}

impl Cache {
    fn plan(&self, has_key: impl Fn(&[Jwk]) -> bool, now: Instant) -> Plan {
        let may_ask = self.asked.as_ref().is_none_or(|(asked, _)| now.saturating_duration_since(*asked) >= PAUSE);
        match self.kept(now).filter(|keys| has_key(keys)) {
            Some(keys) if may_ask && self.age(now) >= FRESH => Plan::Renew(keys),
            Some(keys) => Plan::Use(keys),
            None if may_ask => Plan::Ask,
            None => Plan::Wait,
        }
    }

    fn kept(&self, now: Instant) -> Option<Arc<[Jwk]>> {
        self.keys.as_ref().filter(|_| self.age(now) < KEPT).map(|(keys, _)| keys.clone())
    }

    fn age(&self, now: Instant) -> Duration {
        self.keys.as_ref().map_or(Duration::MAX, |(_, since)| now.saturating_duration_since(*since))
    }

    /// What there is now that the provider was asked.
    fn last(&self, has_key: impl Fn(&[Jwk]) -> bool, now: Instant) -> Result<Arc<[Jwk]>, Fault> {
        match (self.kept(now), &self.asked) {
            (Some(keys), _) if has_key(&keys) => Ok(keys),
            // The key may be a new one.
            (_, Some((_, Err(error)))) => Err(Fault::Unavailable(error.clone())),
            (Some(keys), _) => Ok(keys),
            (None, _) => Err(Fault::Unavailable("its keys are too old".to_owned())),
        }
    }

    fn answered(&mut self, answer: Result<Arc<[Jwk]>, String>, now: Instant) {
        self.asked = Some((now, answer.as_ref().map(|_| ()).map_err(Clone::clone)));
        if let Ok(keys) = answer {
            self.keys = Some((keys, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Arc<[Jwk]> {
        let key = r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#;
        [serde_json::from_str::<Jwk>(key).unwrap()].into()
    }

    const KNOWN: fn(&[Jwk]) -> bool = |_| true;
    const UNKNOWN: fn(&[Jwk]) -> bool = |_| false;

    #[test]
    fn the_provider_is_asked_when_there_is_need_and_never_more_often_than_every_half_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut cache = Cache::default();
        assert_eq!(cache.plan(KNOWN, start), Plan::Ask);
        cache.answered(Ok(keys()), start);
        assert_eq!(cache.plan(KNOWN, at(3599)), Plan::Use(keys()));
        assert_eq!(cache.plan(KNOWN, at(3600)), Plan::Renew(keys()));
        assert_eq!(cache.plan(UNKNOWN, at(29)), Plan::Wait);
        assert_eq!(cache.plan(UNKNOWN, at(30)), Plan::Ask);
        cache.answered(Ok(keys()), at(30));
        assert_eq!(cache.plan(UNKNOWN, at(59)), Plan::Wait);
        assert!(cache.last(UNKNOWN, at(59)).is_ok(), "the token is refused");
    }

    #[test]
    fn the_last_good_keys_do_for_a_day_while_the_provider_is_away() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut cache = Cache::default();
        cache.answered(Err("away".into()), start);
        assert_eq!(cache.plan(KNOWN, at(29)), Plan::Wait);
        assert_eq!(cache.last(KNOWN, at(29)), Err(Fault::Unavailable("away".into())));
        cache.answered(Ok(keys()), at(30));
        cache.answered(Err("away".into()), at(7200));
        assert_eq!(cache.plan(KNOWN, at(7201)), Plan::Use(keys()));
        assert_eq!(cache.plan(KNOWN, at(7230)), Plan::Renew(keys()));
        assert_eq!(cache.last(UNKNOWN, at(7201)), Err(Fault::Unavailable("away".into())));
        let day = 30 + 24 * 3600;
        assert_eq!(cache.plan(KNOWN, at(day - 1)), Plan::Renew(keys()));
        assert_eq!(cache.plan(KNOWN, at(day)), Plan::Ask);
        cache.answered(Err("away".into()), at(day));
        assert_eq!(cache.last(KNOWN, at(day)), Err(Fault::Unavailable("away".into())));
    }
}
