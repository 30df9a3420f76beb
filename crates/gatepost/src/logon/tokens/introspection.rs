//! Asking the provider about a token (RFC 7662).

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::logon::Secret;
use serde_json::Value;

use super::super::lock;
use super::claims::Claims;
use super::http::{Http, Url};
use super::{Fault, refused};

/// How long a token that was good is not asked about again: a client opens several connections at once.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Tokens remembered at most.
const CAPACITY: usize = 10_000;

pub struct Introspection {
    http: Http,
    endpoint: Url,
    /// The value of `Authorization`; `None` where the provider answers anybody.
    authorization: Option<Secret>,
    good: Mutex<Good>,
}

/// Tokens that were good a short while ago, by their hash, and what was said of them.
#[derive(Default)]
struct Good(HashMap<Vec<u8>, (Claims, Instant)>);

impl Introspection {
    pub fn new(http: Http, endpoint: Url, client_id: &str, secret_file: &Path) -> Result<Self, String> {
        let authorization = if client_id.is_empty() { None } else { Some(basic(client_id, secret_file)?) };
        Ok(Self { http, endpoint, authorization, good: Mutex::default() })
    }

    /// What the provider says of the token, if it is good.
    pub async fn claims_of(&self, token: &str, now: Instant) -> Result<Claims, Fault> {
        let hash = digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec();
        if let Some(claims) = lock(&self.good).get(&hash, now) {
            return Ok(claims);
        }
        // RFC 7662 §2.1.
        let form = Secret::new(format!("token={}&token_type_hint=access_token", encoded(token)));
        let answer = self.http.post(&self.endpoint, self.authorization.as_ref(), &form).await;
        let claims: Claims = answer.map_err(Fault::Unavailable)?;
        // RFC 7662 §2.2: nothing else is said of one that is not.
        if claims.get("active") != Some(&Value::Bool(true)) {
            return Err(refused("the provider says that the token is not active"));
        }
        lock(&self.good).put(hash, claims.clone(), now);
        Ok(claims)
    }
}

impl Good {
    fn get(&self, hash: &[u8], now: Instant) -> Option<Claims> {
        let (claims, since) = self.0.get(hash)?;
        (now.saturating_duration_since(*since) < REMEMBERED).then(|| claims.clone())
    }

    fn put(&mut self, hash: Vec<u8>, claims: Claims, now: Instant) {
        if self.0.len() >= CAPACITY {
            self.0.retain(|_, (_, since)| now.saturating_duration_since(*since) < REMEMBERED);
            if self.0.len() >= CAPACITY {
                self.0.clear();
            }
        }
        self.0.insert(hash, (claims, now));
    }
}

/// RFC 6749 §2.3.1: both are encoded as in a form first.
fn basic(client_id: &str, secret_file: &Path) -> Result<Secret, String> {
    let secret = fs::read_to_string(secret_file).map(Secret::new);
    let secret = secret.map_err(|error| format!("OpenId.ClientSecretFile {}: {error}", secret_file.display()))?;
    let secret = encoded(secret.expose().trim_end_matches(['\r', '\n']));
    let pair = zeroize::Zeroizing::new(format!("{}:{secret}", encoded(client_id)));
    Ok(Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))
}

/// As in a form (`application/x-www-form-urlencoded`).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => encoded.push(char::from(octet)),
            _ => encoded += &format!("%{octet:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_token_is_remembered_for_a_minute() {
        let start = Instant::now();
        let mut good = Good::default();
        good.put(vec![1], Claims::new(), start);
        assert_eq!(good.get(&[1], start + Duration::from_secs(59)), Some(Claims::new()));
        assert_eq!(good.get(&[1], start + Duration::from_secs(60)), None);
        assert_eq!(good.get(&[2], start), None);
    }

    #[test]
    fn no_more_tokens_are_remembered_than_there_is_room_for() {
        let start = Instant::now();
        let mut good = Good::default();
        for number in 0..=CAPACITY {
            good.put(number.to_be_bytes().to_vec(), Claims::new(), start);
        }
        assert!(good.0.len() <= CAPACITY);
        assert!(good.get(&CAPACITY.to_be_bytes(), start).is_some());
    }

    #[test]
    fn a_name_and_a_password_are_encoded_before_they_are_joined() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "p:ä ss\n").unwrap();
        let header = basic("gate:post", file.path()).unwrap();
        let pair = STANDARD.decode(header.expose().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(pair).unwrap(), "gate%3Apost:p%3A%C3%A4%20ss");
        assert!(basic("a", Path::new("/nowhere")).unwrap_err().contains("ClientSecretFile"));
    }
}
