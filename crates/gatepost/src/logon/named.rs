//! Whom a client names.

use std::borrow::Cow;
use std::sync::Arc;

use identity::{Domains, UserName};
use proto::logon::Credentials;
use store::{AcceptedDomain, Account, Address, Directory};

use crate::ldap::LdapDirectory;

pub struct Named {
    /// The user's address in lower case, whether anybody has it or not: one and the same in whichever form of the name.
    pub address: String,
    /// Whose name it is.
    pub user: Option<Arc<Account>>,
    /// The mailbox that is named is not the user's own.
    is_anothers: bool,
    /// Why nobody is if it is not.
    pub reason: &'static str,
}

impl Named {
    /// Who is to be logged on if the proof is right.
    pub fn account(&self) -> Option<Arc<Account>> {
        self.user.clone().filter(|_| !self.is_anothers)
    }
}

/// The name that the client logs on with, its domain before it where it came apart from it.
pub fn name_in(credentials: &Credentials) -> Cow<'_, str> {
    match credentials {
        Credentials::Ntlm(Ok(proof)) if !proof.domain().is_empty() && !proof.user().contains(['@', '\\']) => {
            format!("{}\\{}", proof.domain(), proof.user()).into()
        }
        _ => credentials.user().into(),
    }
}

/// The user's own address in lower case, whether anybody has it or not.
pub async fn address(directory: &dyn Directory, user: &str) -> store::Result<String> {
    let accepted = directory.domains().await?;
    Ok(UserName::parse(user).address(&domains(&accepted)).to_ascii_lowercase())
}

/// Finds the account. `ldap`: where users may have other names than addresses. `authorization`: whom the client wants to
/// act as, when it named one.
pub async fn find(
    directory: &dyn Directory,
    ldap: Option<&LdapDirectory>,
    user: &str,
    authorization: Option<&str>,
) -> store::Result<Named> {
    let accepted = directory.domains().await?;
    let domains = domains(&accepted);
    let name = UserName::parse(user);
    let address = name.address(&domains).to_ascii_lowercase();
    let account = match (by(directory, &address).await?, ldap) {
        (None, Some(ldap)) => ldap.find_by_name(name.user()).await?,
        (account, _) => account,
    };
    let Some(account) = account else {
        return Ok(Named { address, user: None, is_anothers: false, reason: "unknown user" });
    };
    let acts_as = authorization.filter(|other| *other != user).map(|other| UserName::parse(other).address(&domains));
    for other in [acts_as, name.mailbox(&domains)].into_iter().flatten() {
        // By any of its own addresses; rights to another's mailbox there are none yet.
        if by(directory, &other).await?.is_none_or(|other| other.id != account.id) {
            let reason = "may not open the mailbox of another user";
            return Ok(Named { address, user: Some(account), is_anothers: true, reason });
        }
    }
    Ok(Named { address, user: Some(account), is_anothers: false, reason: "wrong password" })
}

fn domains(accepted: &[AcceptedDomain]) -> Domains<'_> {
    let default = accepted.iter().find(|domain| domain.default).map_or("", |domain| domain.name.as_str());
    Domains { default, accepted: accepted.iter().map(|domain| domain.name.as_str()).collect() }
}

async fn by(directory: &dyn Directory, address: &str) -> store::Result<Option<Arc<Account>>> {
    match Address::parse(address) {
        Ok(address) => directory.find(&address).await,
        Err(_) => Ok(None),
    }
}
