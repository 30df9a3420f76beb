//! What a server of the directory is asked, and what counts as an answer.

use ldap3::{Ldap, LdapError, LdapResult, Scope, SearchEntry, SearchOptions};
use proto::logon::Secret;

/// Entries of an answer: more than one is as bad as any number.
const MOST_ENTRIES: i32 = 2;

/// Result codes (RFC 4511 §4.1.9, Appendix A).
mod code {
    pub const SUCCESS: u32 = 0;
    pub const SIZE_LIMIT_EXCEEDED: u32 = 4;
    pub const CONSTRAINT_VIOLATION: u32 = 19;
    pub const NO_SUCH_OBJECT: u32 = 32;
    pub const INVALID_DN_SYNTAX: u32 = 34;
    pub const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
    pub const INVALID_CREDENTIALS: u32 = 49;
    pub const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;
    pub const BUSY: u32 = 51;
    pub const UNAVAILABLE: u32 = 52;
    pub const UNWILLING_TO_PERFORM: u32 = 53;
}

/// Whether the server is well, though it has no answer to this question.
pub fn is_well(error: &LdapError) -> bool {
    matches!(error, LdapError::LdapResult { result } if !matches!(result.rc, code::BUSY | code::UNAVAILABLE))
}

pub trait Question: Sync {
    type Answer: Send;

    /// An error is no answer: another server may have one.
    fn put(&self, ldap: &mut Ldap) -> impl Future<Output = Result<Self::Answer, LdapError>> + Send;
}

/// RFC 4511 §4.5. Where the answer is to be found elsewhere (referrals), nobody goes there: who knows who that is.
pub struct Search<'a> {
    pub base: &'a str,
    pub scope: Scope,
    pub filter: &'a str,
    pub attributes: Vec<&'a str>,
}

/// What a search found.
pub enum Found {
    Entries(Vec<SearchEntry>),
    /// There is no such entry as its base.
    NoBase,
}

impl Question for Search<'_> {
    type Answer = Found;

    async fn put(&self, ldap: &mut Ldap) -> Result<Found, LdapError> {
        ldap.with_search_options(SearchOptions::new().sizelimit(MOST_ENTRIES));
        let ldap3::SearchResult(entries, result) =
            ldap.search(self.base, self.scope, self.filter, self.attributes.as_slice()).await?;
        match result.rc {
            code::SUCCESS => Ok(Found::Entries(entries.into_iter().map(SearchEntry::construct).collect())),
            // There are more, whatever the server's own limit left of them.
            code::SIZE_LIMIT_EXCEEDED if entries.len() > 1 => {
                Ok(Found::Entries(entries.into_iter().map(SearchEntry::construct).collect()))
            }
            code::NO_SUCH_OBJECT => Ok(Found::NoBase),
            _ => Err(LdapError::from(result)),
        }
    }
}

/// RFC 4511 §4.2, by a name and its password.
pub struct Bind<'a> {
    pub name: &'a str,
    pub password: &'a Secret,
}

impl Question for Bind<'_> {
    /// `Err` is what the directory refused it with.
    type Answer = Result<(), LdapResult>;

    async fn put(&self, ldap: &mut Ldap) -> Result<Self::Answer, LdapError> {
        // RFC 4513 §5.1.1, §5.1.2: without a name or a password it is granted, and proves nothing.
        if self.name.is_empty() || self.password.expose().is_empty() {
            return Ok(Err(refusal()));
        }
        let result = ldap.simple_bind(self.name, self.password.expose()).await?;
        match result.rc {
            code::SUCCESS => Ok(Ok(())),
            // Accounts that are locked or expired are told by some with other codes than a wrong password.
            code::INVALID_CREDENTIALS
            | code::INAPPROPRIATE_AUTHENTICATION
            | code::NO_SUCH_OBJECT
            | code::INVALID_DN_SYNTAX
            | code::CONSTRAINT_VIOLATION
            | code::INSUFFICIENT_ACCESS_RIGHTS
            | code::UNWILLING_TO_PERFORM => Ok(Err(result)),
            _ => Err(LdapError::from(result)),
        }
    }
}

fn refusal() -> LdapResult {
    LdapResult {
        rc: code::INVALID_CREDENTIALS,
        matched: String::new(),
        text: "a name and a password are needed".to_owned(),
        refs: Vec::new(),
        ctrls: Vec::new(),
    }
}
