//! Who there is: accepted domains and accounts.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Error, Future, Result, Timestamp};

/// An address of a local account: `local@domain`, the domain in lower case (RFC 5321 §2.4: domains are
/// case-insensitive; local parts are ours here and compared without case).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: Box<str>,
    at: usize,
}

impl Address {
    /// RFC 5321 §4.5.3.1: 64 octets before the `@`, 255 after it.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = || Err(Error::Invalid(format!("{text:?} is not a mail address like ann@example.test")));
        let Some((local, domain)) = text.rsplit_once('@') else { return refuse() };
        let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
        let local_ok =
            (1..=64).contains(&local.len()) && local.bytes().all(atom) && !local.split('.').any(str::is_empty);
        if !local_ok || !is_domain(domain) {
            return refuse();
        }
        Ok(Self { text: text.to_ascii_lowercase().into(), at: local.len() })
    }

    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// RFC 1035 §2.3.4: labels of 1 to 63 letters, digits and inner hyphens, 255 octets in all.
fn is_domain(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    (1..=255).contains(&text.len()) && text.split('.').all(label)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text.into()
    }
}

/// A password as a PHC string (Argon2id); does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What is kept to check proofs that show no password, enciphered with a key that is not in the store: for this crate
/// octets without a meaning. Does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedVerifiers(pub Box<[u8]>);

impl fmt::Debug for SealedVerifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedVerifiers(..)")
    }
}

/// All that is kept of a password; it is set and replaced as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    pub hash: PasswordHash,
    pub verifiers: Option<SealedVerifiers>,
}

impl Password {
    /// Of a hash alone: good for those who show the password, as over TLS most do.
    pub fn hashed(phc: impl Into<String>) -> Self {
        Self { hash: PasswordHash(phc.into()), verifiers: None }
    }
}

/// A domain that this organisation receives mail for, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedDomain {
    pub name: String,
    /// The first domain of the organisation: where bare `postmaster` goes.
    pub default: bool,
}

impl AcceptedDomain {
    /// A domain's name as it is stored, in lower case; `Invalid` unless it can stand in an [`Address`].
    pub fn parse_name(text: &str) -> Result<String> {
        if !is_domain(text) {
            return Err(Error::Invalid(format!("{text:?} is not a domain like example.test")));
        }
        Ok(text.to_ascii_lowercase())
    }
}

/// By what an account's owner may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAccess {
    pub pop3: bool,
    pub imap4: bool,
    /// Log-on by SMTP, to send.
    pub smtp: bool,
    /// Log-on by NTLM, over any protocol: it takes a verifier that is as good as the password.
    pub ntlm: bool,
}

impl Default for ClientAccess {
    fn default() -> Self {
        Self { pop3: true, imap4: true, smtp: true, ntlm: false }
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    pub address: Address,
    /// Further addresses that deliver here.
    pub aliases: Vec<Address>,
    /// `None`: nobody can log on.
    pub password: Option<Password>,
    pub access: ClientAccess,
    /// Octets; `None` is without a limit.
    pub quota: Option<u64>,
    pub created: Timestamp,
}

/// What a new account is made of; its special-use folders are made in the same durable point.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub address: Address,
    pub aliases: Vec<Address>,
    pub password: Option<Password>,
    pub quota: Option<u64>,
    pub created: Timestamp,
}

/// Replaces what is `Some`.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    pub aliases: Option<Vec<Address>>,
    pub password: Option<Option<Password>>,
    pub access: Option<ClientAccess>,
    /// Only if this is the hash of the password that is there now; `Conflict` otherwise.
    pub provided: Option<PasswordHash>,
    pub quota: Option<Option<u64>>,
}

/// Accounts and domains.
pub trait Directory: Send + Sync {
    /// By primary address or alias.
    fn find(&self, address: &Address) -> Future<'_, Result<Option<Arc<Account>>>>;

    fn account(&self, id: AccountId) -> Future<'_, Result<Option<Arc<Account>>>>;

    /// At most `limit` accounts in the order of their addresses, those after `after`.
    fn accounts(&self, after: Option<&Address>, limit: usize) -> Future<'_, Result<Vec<Arc<Account>>>>;

    /// `Exists` when an address or alias is taken, `NotFound` when its domain is not accepted. A UIDVALIDITY in it
    /// is above every one that a removed account of that address had (RFC 3501 §2.3.1.1).
    fn create(&self, account: NewAccount) -> Future<'_, Result<AccountId>>;

    /// All of it or nothing: aliases are refused as in [`Self::create`]; `NotFound` without the account, `Conflict`
    /// where [`AccountChange::provided`] does not hold.
    fn change(&self, id: AccountId, change: AccountChange) -> Future<'_, Result<()>>;

    /// Removes the account with its folders and messages. Its number is never used again.
    fn remove(&self, id: AccountId) -> Future<'_, Result<()>>;

    fn domains(&self) -> Future<'_, Result<Arc<Vec<AcceptedDomain>>>>;

    /// Adds a domain; the first one is the default. `Exists` if it is there in any case, `Invalid` if it is none.
    fn add_domain(&self, name: &str) -> Future<'_, Result<()>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> bool {
        Address::parse(text).is_ok()
    }

    #[test]
    fn the_longest_parts_are_taken_and_one_octet_more_refused() {
        let at = |local: usize, label: usize| format!("{}@{}.test", "a".repeat(local), "d".repeat(label));
        assert!(accepted(&at(64, 63)));
        assert!(!accepted(&at(65, 63)));
        assert!(!accepted(&at(64, 64)));
        let domain = |last: usize| ["d".repeat(63), "d".repeat(63), "d".repeat(63), "d".repeat(last)].join(".");
        assert_eq!(domain(63).len(), 255);
        assert!(accepted(&format!("a@{}", domain(63))));
        assert!(!accepted(&format!("a@{}.d", domain(62))), "256 octets");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a@b_c",
            "\"a\"@b",
            "a@[127.0.0.1]",
            "a@b\r\n",
            "<a@b>",
            "a,b@c",
            "ä@b",
            "a@ä",
            "a\0@b",
        ] {
            assert!(!accepted(text), "{text:?}");
        }
        for text in ["a@b", "a.b+c@d-e.f", "!#$%&'*+-/=?^_`{|}~@x1"] {
            assert!(accepted(text), "{text:?}");
        }
    }

    #[test]
    fn case_is_no_difference_and_parts_are_what_was_around_the_at() {
        let address = Address::parse("Ann.B@Example.TEST").unwrap();
        assert_eq!(address, Address::parse("ann.b@example.test").unwrap());
        assert_eq!((address.local(), address.domain()), ("ann.b", "example.test"));
        assert!(serde_json::from_str::<Address>("\"a@@b\"").is_err());
    }

    #[test]
    fn a_password_hash_does_not_print() {
        assert_eq!(format!("{:?}", PasswordHash("$argon2id$secret".into())), "PasswordHash(..)");
    }
}
