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
    /// What is to be opened: the user's own, or another's that the user may open. `None`: it may not.
    pub mailbox: Option<Arc<Account>>,
    /// Why nobody is logged on if nobody is.
    pub reason: &'static str,
}

impl Named {
    /// Whose proof it has to be.
    pub fn account(&self) -> Option<Arc<Account>> {
        self.user.clone().filter(|_| self.mailbox.is_some())
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
        return Ok(Named { address, user: None, mailbox: None, reason: "unknown user" });
    };
    let acts_as = authorization.filter(|other| *other != user).map(|other| UserName::parse(other).address(&domains));
    let mut mailbox = account.clone();
    for other in [acts_as, name.mailbox(&domains)].into_iter().flatten() {
        // By any of its addresses, and one mailbox only.
        let found = by(directory, &other).await?;
        let may_open = |other: &Arc<Account>| other.id == account.id || other.full_access.contains(&account.id);
        match found.filter(may_open) {
            Some(other) if mailbox.id == account.id || mailbox.id == other.id => mailbox = other,
            _ => {
                let reason = "may not open the mailbox of another user (Add-MailboxPermission)";
                return Ok(Named { address, user: Some(account), mailbox: None, reason });
            }
        }
    }
    Ok(Named { address, user: Some(account), mailbox: Some(mailbox), reason: "wrong password" })
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
