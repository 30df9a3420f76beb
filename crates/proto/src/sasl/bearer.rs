//! OAUTHBEARER (RFC 7628) and XOAUTH2 (<https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>):
//! one message with a token that its bearer got from a provider (RFC 6750).

use super::exchange::{Outcome, Server, text};
use super::scram::saslname;
use crate::logon::{BearerServer, Credentials, Mechanism, Secret, Verdict};

pub(super) struct Bearer {
    mechanism: Mechanism,
}

/// What a client says in either mechanism.
struct Message {
    authorization: Option<String>,
    user: Option<String>,
    token: Secret,
}

impl Bearer {
    pub fn new(mechanism: Mechanism) -> Self {
        Self { mechanism }
    }

    /// What a refused client is told: where to get a token and what it has to be good for, and no word of what was
    /// wrong with this one.
    fn error(&self, server: &BearerServer) -> String {
        let BearerServer { scope, configuration } = server;
        let members: &[(&str, &str)] = match self.mechanism {
            // Google's own, whose clients look for these words.
            Mechanism::XOAuth2 => &[("status", "401"), ("schemes", "bearer"), ("scope", scope)],
            // RFC 7628 §3.2.2: the status stands always, the others as far as there is something to say.
            _ => &[("status", "invalid_token"), ("scope", scope), ("openid-configuration", configuration)],
        };
        let members = members.iter().filter(|(_, value)| !value.is_empty());
        let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\":{}", quoted(value))).collect();
        format!("{{{}}}", members.join(","))
    }
}

impl Server for Bearer {
    fn begin(&mut self, initial: Option<&[u8]>) -> Outcome {
        match initial {
            // RFC 7628 §3.1: the client speaks first, so the challenge is empty.
            None => Outcome::Challenge(Vec::new()),
            Some(message) => self.respond(message),
        }
    }

    fn respond(&mut self, response: &[u8]) -> Outcome {
        let message = match self.mechanism {
            Mechanism::XOAuth2 => Message::of_xoauth2(response),
            _ => Message::of_oauthbearer(response),
        };
        let Some(Message { authorization, user, token }) = message else { return Outcome::Malformed };
        Outcome::Credentials(Credentials::Token { authorization, user, token, mechanism: self.mechanism })
    }

    /// RFC 7628 §3.2.3: an error is told in a challenge, which the client answers before the exchange fails.
    fn farewell(&mut self, verdict: Verdict) -> Option<Vec<u8>> {
        (verdict == Verdict::Refused).then(|| self.error(&BearerServer::default()).into_bytes())
    }

    fn token_refused(&mut self, server: &BearerServer) -> Option<Vec<u8>> {
        Some(self.error(server).into_bytes())
    }
}

impl Message {
    /// RFC 7628 §3.1: `gs2-header kvsep *kvpair kvsep`.
    fn of_oauthbearer(message: &[u8]) -> Option<Self> {
        let (header, pairs) = text(message)?.split_once(SEPARATOR)?;
        let mut header = header.split(',');
        // RFC 7628 §3.1: the mechanism binds no channel, so `p=` has no meaning in it.
        let flag = header.next().filter(|flag| matches!(*flag, "n" | "y"));
        let (_, named, "", None) = (flag?, header.next()?, header.next()?, header.next()) else { return None };
        let authorization = match named {
            "" => None,
            named => Some(saslname(named.strip_prefix("a=")?)?),
        };
        Some(Self { authorization, user: None, token: token(pairs)? })
    }

    /// `user=` name `^Aauth=Bearer ` token `^A^A`.
    fn of_xoauth2(message: &[u8]) -> Option<Self> {
        let (user, pairs) = text(message)?.split_once(SEPARATOR)?;
        let user = user.strip_prefix("user=").filter(|user| !user.is_empty())?;
        Some(Self { authorization: None, user: Some(user.to_owned()), token: token(pairs)? })
    }
}

/// RFC 7628 §3.1: `kvsep`.
const SEPARATOR: char = '\x01';

/// The token in `*kvpair kvsep`. Empty when the client says that it has none (RFC 7628 §4.3).
fn token(pairs: &str) -> Option<Secret> {
    let mut rest = pairs;
    let mut found = None;
    while rest != "\x01" {
        let (pair, after) = rest.split_once(SEPARATOR)?;
        rest = after;
        let (key, value) = pair.split_once('=')?;
        // RFC 7628 §3.1: `1*(ALPHA)`, and VCHAR, SP, HTAB, CR, LF.
        let is_value = value.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\t' | b'\r' | b'\n'));
        if key.is_empty() || !key.bytes().all(|octet| octet.is_ascii_alphabetic()) || !is_value {
            return None;
        }
        // RFC 7628 §3.1: `host`, `port` and what is not known do not matter to a token.
        if key == "auth" && found.replace(bearer(value)?).is_some() {
            return None;
        }
    }
    Some(Secret::new(found?.to_owned()))
}

/// RFC 6750 §2.1: `Bearer` and a `b64token`; the scheme is in any case (RFC 7235 §2.1).
fn bearer(value: &str) -> Option<&str> {
    if value.is_empty() {
        return Some("");
    }
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet);
    let body = token.trim_end_matches('=');
    let is_right = scheme.eq_ignore_ascii_case("Bearer") && !body.is_empty() && body.bytes().all(is_token);
    is_right.then_some(token)
}

/// As a JSON string (RFC 8259 §7).
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\0'..='\x1f' => text += &format!("\\u{:04x}", u32::from(character)),
            _ => text.push(character),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests;
