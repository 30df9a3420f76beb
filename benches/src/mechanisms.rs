//! The client's side of the mechanisms that are measured, in IMAP.

use std::net::TcpStream;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::{ClientConnection, StreamOwned};

use crate::client::Lines;
use crate::logon_peer::salted;
use crate::ntlm;
use crate::users::PASSWORD;

pub type Failed = Box<dyn std::error::Error + Send + Sync>;
pub type Tls = Lines<StreamOwned<ClientConnection, TcpStream>>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// TLS and the greeting alone: what every way has to pay.
    None,
    Plain,
    Login,
    ScramSha256,
    Ntlm,
    OAuthBearer,
}

/// Who logs on, and what it knows.
pub struct Person<'a> {
    pub user: &'a str,
    pub token: &'a str,
    /// From an earlier log-on.
    pub known: Option<Known>,
}

/// SCRAM's salt and what PBKDF2 made of it: clients keep that, and so it is none of the server's time.
pub type Known = (String, [u8; 32]);

/// To the end of AUTHENTICATE. Answers what is to be kept.
pub fn log_on(imap: &mut Tls, mechanism: Mechanism, person: &Person<'_>) -> Result<Option<Known>, Failed> {
    let Person { user, token, .. } = person;
    imap.until("* OK")?;
    match mechanism {
        Mechanism::None => {}
        Mechanism::Plain => {
            let message = STANDARD.encode(format!("\0{user}\0{PASSWORD}"));
            imap.ask(&format!("a AUTHENTICATE PLAIN {message}"), "a OK")?;
        }
        Mechanism::Login => {
            imap.ask("a AUTHENTICATE LOGIN", "+ ")?;
            imap.ask(&STANDARD.encode(user), "+ ")?;
            imap.ask(&STANDARD.encode(PASSWORD), "a OK")?;
        }
        Mechanism::ScramSha256 => return scram(imap, user, person.known.as_ref()).map(Some),
        Mechanism::Ntlm => {
            imap.send(format!("a AUTHENTICATE NTLM {}\r\n", STANDARD.encode(ntlm::NEGOTIATE)).as_bytes())?;
            let answer = ntlm::authenticate(&challenge(imap)?, user, PASSWORD).ok_or("no NTLM challenge")?;
            imap.ask(&STANDARD.encode(answer), "a OK")?;
        }
        Mechanism::OAuthBearer => {
            let message = STANDARD.encode(format!("n,a={user},\x01auth=Bearer {token}\x01\x01"));
            imap.ask(&format!("a AUTHENTICATE OAUTHBEARER {message}"), "a OK")?;
        }
    }
    Ok(None)
}

fn challenge(imap: &mut Tls) -> Result<Vec<u8>, Failed> {
    let line = imap.read()?;
    let challenge = line.strip_prefix("+ ").ok_or_else(|| format!("no challenge: {line}"))?;
    Ok(STANDARD.decode(challenge)?)
}

/// RFC 5802 §3, without channel binding.
fn scram(imap: &mut Tls, user: &str, known: Option<&Known>) -> Result<Known, Failed> {
    let bare = format!("n={user},r=bench");
    let first = STANDARD.encode(format!("n,,{bare}"));
    imap.send(format!("a AUTHENTICATE SCRAM-SHA-256 {first}\r\n").as_bytes())?;
    let server_first = String::from_utf8(challenge(imap)?)?;
    let part = |name: &str| server_first.split(',').find_map(|part| part.strip_prefix(name)).ok_or("a part is missing");
    let (nonce, salt) = (part("r=")?, part("s=")?);
    let known = match known {
        Some(known) if known.0 == salt => known.clone(),
        _ => (salt.to_owned(), salted(&STANDARD.decode(salt)?, part("i=")?.parse()?)),
    };
    let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let key = sign(&known.1, "Client Key");
    let without_proof = format!("c=biws,r={nonce}");
    let stored = digest::digest(&digest::SHA256, key.as_ref());
    let signature = sign(stored.as_ref(), &format!("{bare},{server_first},{without_proof}"));
    let proof: Vec<u8> = key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
    let last = STANDARD.encode(format!("{without_proof},p={}", STANDARD.encode(proof)));
    imap.send(format!("{last}\r\n").as_bytes())?;
    imap.until("+ ")?;
    imap.send(b"\r\n")?;
    imap.until("a OK")?;
    Ok(known)
}
