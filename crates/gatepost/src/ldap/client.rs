//! What the directory is asked, in its terms.

use std::fs;
use std::sync::Arc;

use ldap3::{Scope, dn_escape};
use management::settings::LdapSettings;
use proto::logon::Secret;
use proto::ntlm::{Proof, SessionKey};
use store::Address;

use super::filter::{Filters, listed, member_of, with_member};
use super::ntlm_auth::{DomainNames, NtlmAuth};
use super::pool::{Away, Pool};
use super::question::{Bind, Found, Search};
use super::server::Server;
use super::user::{DOMAIN_NAMES, IDENTIFIERS, User, domain_names};
use crate::logon::generate;
use crate::tls::client_config;

/// For the log.
const NO_HELPER: &str = "the directory gives no verifier for NTLM, and there is no Ldap.NtlmHelper to ask the domain";
const NOT_THE_NAME: &str =
    "NTLM takes the user's name in the domain (Ldap.NtlmDomain and sAMAccountName, or userPrincipalName) and no other";

/// By what a user is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    Address(Address),
    /// A name to log on by that is no address of a mailbox.
    Name(String),
}

pub struct Client {
    filters: Filters,
    base: String,
    /// The group that users have to be in; empty where there is none.
    group: String,
    search: Pool,
    log_on: Pool,
    ntlm: Option<NtlmAuth>,
    /// The name of an entry that there is not.
    nobody: String,
}

impl Client {
    /// `Err` says what of the settings does not do.
    pub fn new(settings: &LdapSettings) -> Result<Self, String> {
        if let Some(lacks) = settings.lacks() {
            return Err(lacks.to_owned());
        }
        let trusts = !settings.certificate_authority.is_empty();
        let servers = listed(&settings.servers).map(|url| Server::parse(url, trusts));
        let servers: Arc<[Server]> =
            servers.collect::<Result<Vec<_>, _>>().map_err(|why| format!("Ldap.Servers: {why}"))?.into();
        let tls = client_config("Ldap.CertificateAuthority", &settings.certificate_authority)?;
        let most = settings.max_connections as usize;
        let pool = |who| Pool::new(servers.clone(), tls.clone(), who, settings.timeout, most);
        let who = if settings.bind_dn.is_empty() { None } else { Some(who(settings)?) };
        let (helper, domain) = (&settings.ntlm_helper, &settings.ntlm_domain);
        let ntlm = || NtlmAuth::new(helper, domain, settings.timeout, most);
        let ntlm = (!helper.is_empty()).then(ntlm).transpose()?;
        let random = generate().map_err(|_| "the system gives no random numbers")?;
        Ok(Self {
            filters: Filters::new(settings)?,
            base: settings.search_base.to_string(),
            group: settings.required_group.to_string(),
            search: pool(who),
            log_on: pool(None),
            ntlm,
            nobody: format!("cn={},{}", dn_escape(random.as_str()), &*settings.search_base),
        })
    }

    /// The user who is meant, if there is one who may have a mailbox.
    pub async fn user(&self, asked: &Asked) -> Result<Option<User>, Away> {
        let filter = match asked {
            Asked::Address(address) => Some(self.filters.with_address(address)),
            Asked::Name(name) => self.filters.with_name(name),
        };
        let Some(filter) = filter else { return Ok(None) };
        let found = self.one(&self.base, Scope::Subtree, &filter).await?;
        match found {
            None => Err(format!("there is no entry {:?} (Ldap.SearchBase)", self.base)),
            // What the directory finds alike is not one address for us.
            Some(user) => {
                self.if_member(user.filter(|user| match asked {
                    Asked::Address(address) => user.addresses.contains(address),
                    Asked::Name(_) => true,
                }))
                .await
            }
        }
    }

    /// The user whose entry has that name.
    pub async fn named(&self, name: &str) -> Result<Option<User>, Away> {
        let found = self.one(name, Scope::Base, self.filters.anybody()).await?;
        self.if_member(found.flatten()).await
    }

    /// Whether it is the password of the entry of that name; `Err` inside says what the directory refused it with.
    pub async fn check(&self, name: &str, password: &Secret) -> Result<Result<(), String>, Away> {
        let told = self.log_on.ask(&Bind { name, password }).await?;
        Ok(told.map_err(|refused| refused.to_string()))
    }

    /// Takes as long as [`Self::check`] with a wrong password, and nobody's goes anywhere.
    pub async fn check_nobody(&self) {
        let password = Secret::new(self.nobody.clone());
        let _ = self.log_on.ask(&Bind { name: &self.nobody, password: &password }).await;
    }

    /// Whether NTLM log-ons can be checked.
    pub fn takes_ntlm(&self) -> bool {
        self.ntlm.is_some()
    }

    /// The session key of an NTLM log-on of the user whose entry has that name; `None` for nobody's, which takes as
    /// long.
    pub async fn check_ntlm(&self, name: Option<&str>, proof: &Proof) -> Result<Result<SessionKey, String>, Away> {
        let Some(ntlm) = &self.ntlm else { return Ok(Err(NO_HELPER.to_owned())) };
        let names = self.domain_names(name.unwrap_or(&self.nobody)).await?;
        if name.is_some() && !ntlm.is_of(proof, &names) {
            return Ok(Err(NOT_THE_NAME.to_owned()));
        }
        let user = if name.is_some() { proof.user() } else { &self.nobody };
        ntlm.ask(user, proof).await
    }

    async fn domain_names(&self, name: &str) -> Result<DomainNames, Away> {
        let filter = self.filters.anybody();
        let search = Search { base: name, scope: Scope::Base, filter, attributes: DOMAIN_NAMES.to_vec() };
        Ok(match self.search.ask(&search).await? {
            Found::Entries(entries) => entries.first().map(domain_names).unwrap_or_default(),
            Found::NoBase => DomainNames::default(),
        })
    }

    /// The one user that is found; `None` outside: there is no such base.
    async fn one(&self, base: &str, scope: Scope, filter: &str) -> Result<Option<Option<User>>, Away> {
        let addresses = self.filters.addresses();
        let attributes = addresses.into_iter().chain(IDENTIFIERS).collect();
        match self.search.ask(&Search { base, scope, filter, attributes }).await? {
            Found::NoBase => Ok(None),
            Found::Entries(entries) => match entries.as_slice() {
                [] => Ok(Some(None)),
                [entry] => Ok(Some(Some(User::read(entry, addresses)))),
                // Whoever of them were taken, it could be the wrong one.
                [one, another, ..] => {
                    Err(format!("{filter} finds more than one user: {:?} and {:?}", one.dn, another.dn))
                }
            },
        }
    }

    async fn if_member(&self, user: Option<User>) -> Result<Option<User>, Away> {
        let Some(user) = user else { return Ok(None) };
        if self.group.is_empty() {
            return Ok(Some(user));
        }
        let by_group = with_member(&user.name);
        match self.is_there(&self.group, &by_group).await? {
            None => return Err(format!("there is no entry {:?} (Ldap.RequiredGroup)", self.group)),
            Some(true) => return Ok(Some(user)),
            Some(false) => {}
        }
        let is_member = self.is_there(&user.name, &member_of(&self.group)).await?.unwrap_or(false);
        Ok(is_member.then_some(user))
    }

    /// Whether the entry of that name matches; `None` if there is none.
    async fn is_there(&self, name: &str, filter: &str) -> Result<Option<bool>, Away> {
        // RFC 4511 §4.5.1.8: no attributes.
        let search = Search { base: name, scope: Scope::Base, filter, attributes: vec!["1.1"] };
        Ok(match self.search.ask(&search).await? {
            Found::NoBase => None,
            Found::Entries(entries) => Some(!entries.is_empty()),
        })
    }
}

/// Whom the directory is searched as.
fn who(settings: &LdapSettings) -> Result<(String, Secret), String> {
    let file = &settings.bind_password_file;
    let fault = |why: String| format!("Ldap.BindPasswordFile {file}: {why}");
    let password = fs::read_to_string(file).map(Secret::new).map_err(|error| fault(error.to_string()))?;
    let password = Secret::new(password.expose().trim_end_matches(['\r', '\n']).to_owned());
    if password.expose().is_empty() {
        return Err(fault("there is no password in it".to_owned()));
    }
    Ok((settings.bind_dn.to_string(), password))
}
