//! Samba's `ntlm_auth`, which has the proof of an NTLM log-on checked by the user's domain (its helper protocol
//! `ntlm-server-1`).

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::ntlm::{Proof, SessionKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::pool::Away;

/// Octets of what it says.
const LONGEST: u64 = 4096;

pub struct NtlmAuth {
    program: String,
    /// The one domain whose names are those of the directory's users; others may be trusted by it and have the same ones.
    domain: String,
    patience: Duration,
    places: Semaphore,
}

/// The names of a user in the domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainNames {
    pub account: Option<String>,
    pub principal: Option<String>,
}

impl NtlmAuth {
    pub fn new(program: &str, domain: &str, patience: Duration, most: usize) -> Result<Self, String> {
        if !Path::new(program).is_file() {
            return Err(format!("Ldap.NtlmHelper {program:?} is no program"));
        }
        let (program, domain) = (program.to_owned(), domain.to_owned());
        Ok(Self { program, domain, patience, places: Semaphore::new(most) })
    }

    /// Whether the client proves to be the user who has these names, and not one of the same name in another domain.
    pub fn is_of(&self, proof: &Proof, names: &DomainNames) -> bool {
        let is = |name: &Option<String>| name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(proof.user()));
        if proof.user().contains('@') {
            return is(&names.principal);
        }
        is(&names.account) && (proof.domain().is_empty() || proof.domain().eq_ignore_ascii_case(&self.domain))
    }

    /// The session key of a proof that is right; `Err` inside says why it is not. `user`: whom it is to be of.
    pub async fn ask(&self, user: &str, proof: &Proof) -> Result<Result<SessionKey, String>, Away> {
        let asked = timeout(self.patience, async {
            let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
            self.talk(&request(user, proof)).await.map_err(|error| error.to_string())
        });
        let said = asked.await.unwrap_or_else(|_| Err(format!("no answer within {} seconds", self.patience.as_secs())));
        said.and_then(|said| answer(&said)).map_err(|error| format!("{}: {error}", self.program))
    }

    async fn talk(&self, request: &str) -> std::io::Result<Zeroizing<String>> {
        let mut helper = Command::new(&self.program)
            .arg("--helper-protocol=ntlm-server-1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = helper.stdin.take() {
            stdin.write_all(request.as_bytes()).await?;
        }
        let mut said = Zeroizing::new(String::new());
        if let Some(stdout) = helper.stdout.take() {
            stdout.take(LONGEST).read_to_string(&mut said).await?;
        }
        helper.wait().await?;
        Ok(said)
    }
}

/// What a client chose is written so that it cannot be a line of its own.
fn request(user: &str, proof: &Proof) -> String {
    let hexadecimal = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    format!(
        "NT-Domain:: {}\nUsername:: {}\nLANMAN-Challenge: {}\nNT-Response: {}\nRequest-User-Session-Key: Yes\n.\n",
        STANDARD.encode(proof.domain()),
        STANDARD.encode(user),
        hexadecimal(&proof.server_challenge()),
        hexadecimal(proof.response()),
    )
}

fn answer(said: &str) -> Result<Result<SessionKey, String>, Away> {
    let value = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim);
    match (value("Authenticated"), value("User-Session-Key").and_then(key)) {
        (Some("Yes"), Some(key)) => Ok(Ok(key)),
        (Some("No"), _) => {
            let why = value("Authentication-Error").unwrap_or("no reason");
            // It gives no codes. These are of the machine and its domain, all others of the user.
            let is_away = ["winbind", "logon servers", "trust"].iter().any(|word| why.to_lowercase().contains(word));
            if is_away { Err(why.to_owned()) } else { Ok(Err(why.to_owned())) }
        }
        _ => Err(value("Error").unwrap_or("it gave no answer").to_owned()),
    }
}

fn key(text: &str) -> Option<SessionKey> {
    let digits = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok();
    let mut octets = Zeroizing::new([0; 16]);
    for (at, octet) in octets.iter_mut().enumerate() {
        *octet = digits(at)?;
    }
    (text.len() == 32).then(|| SessionKey::from_octets(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Samba 4.17 says it.
    #[test]
    fn what_samba_says_is_understood() {
        let yes = "Authenticated: Yes\nUser-Session-Key: 00112233445566778899AABBCCDDEEFF\n.\n";
        assert!(matches!(answer(yes), Ok(Ok(_))));
        let wrong = "Authenticated: No\nAuthentication-Error: When trying to update a password, this return status indicates that the value provided as the current password is not correct.\n.\n.\n";
        assert!(matches!(answer(wrong), Ok(Err(why)) if why.starts_with("When trying")));
        for away in [
            "Authenticated: No\nAuthentication-Error: Reading winbind reply failed!\n.\n.\n",
            "Error: No username supplied!\n.\n",
            "Authenticated: Yes\n.\n",
            "Authenticated: Yes\nUser-Session-Key: 0011\n.\n",
            "",
        ] {
            assert!(answer(away).is_err(), "{away}");
        }
    }
}
