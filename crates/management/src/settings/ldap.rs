//! Settings of the directory that users are looked up in.

use std::time::Duration;

use store::SettingsMap;

use super::LongText;
use super::declare::{Invalid, settings_group};

const DAY: u64 = 24 * 60 * 60;

settings_group! {
    /// Which directory is asked about users, how, and what of its entries means what.
    LdapSettings (_context: ()) named "Ldap" => {
        /// The directory's servers, tried in this order: URLs such as ldaps://dc1.example.test,ldap://dc2.example.test:389. Empty: there is none.
        servers("Servers"): LongText = LongText::default();
        /// A file with the certificates (PEM) that the servers' are trusted by. Empty: those that the system trusts.
        certificate_authority("CertificateAuthority"): String = String::new();
        /// The entry (DN) that this server logs on to the directory as, to search it. Empty: it searches without a name.
        bind_dn("BindDn"): LongText = LongText::default();
        /// A file with the password that goes with BindDn.
        bind_password_file("BindPasswordFile"): String = String::new();
        /// Where the users are: they are searched for in this entry (DN) and all below it.
        search_base("SearchBase"): LongText = LongText::default();
        /// What an entry has to match to be a user (RFC 4515).
        user_filter("UserFilter"): LongText = "(objectClass=person)".into();
        /// The attribute with a user's mail address.
        mail_attribute("MailAttribute"): String = "mail".to_owned();
        /// The attribute with further addresses, as they are or with smtp: before them; SMTP: marks the one that names the mailbox.
        alias_attribute("AliasAttribute"): String = "proxyAddresses".to_owned();
        /// The attributes with the names that users log on by beside their addresses.
        user_name_attributes("UserNameAttributes"): String = "uid,sAMAccountName,userPrincipalName".to_owned();
        /// The group (DN) that users have to be members of, directly or through other groups. Empty: all are taken.
        required_group("RequiredGroup"): LongText = LongText::default();
        /// How long what the directory said of a user holds before it is asked again.
        cache_time("CacheTime", Duration::ZERO..=Duration::from_secs(DAY)): Duration = Duration::from_secs(10 * 60);
        /// How long, while no server of the directory can be asked, what it last said and the password it last took still hold; 0 keeps no password.
        stale_time("StaleTime", Duration::ZERO..=Duration::from_secs(30 * DAY)): Duration = Duration::from_secs(DAY);
        /// How long one server may take for one answer, its connection and TLS included.
        timeout("Timeout", Duration::from_secs(1)..=Duration::from_secs(60)): Duration = Duration::from_secs(5);
        /// Connections to the directory at most to search, and as many to check passwords.
        max_connections("MaxConnections", 1..=100): u32 = 8;
        /// Samba's ntlm_auth, such as /usr/bin/ntlm_auth, by which the directory's users log on by NTLM. Empty: they do not.
        ntlm_helper("NtlmHelper"): String = String::new();
        /// The NetBIOS name of the users' domain, such as EXAMPLE, for NtlmHelper.
        ntlm_domain("NtlmDomain"): String = String::new();
        /// Whether SCRAM is offered although the directory's users cannot use it: clients that choose it do not fall back.
        offer_scram("OfferScram"): bool = false;
    }
}

impl LdapSettings {
    pub fn load(map: &SettingsMap) -> Result<Self, Invalid> {
        Self::read(map, ())
    }

    /// What is missing before anybody of the directory that is set is known.
    pub fn lacks(&self) -> Option<&'static str> {
        if self.servers.is_empty() {
            return None;
        }
        if self.search_base.is_empty() {
            return Some("A directory needs a SearchBase; until it is set, none of its users can log on or get mail.");
        }
        if self.ntlm_helper.is_empty() != self.ntlm_domain.is_empty() {
            return Some(
                "NtlmHelper and NtlmDomain go together: without both, none of the directory's users can log on or get mail.",
            );
        }
        let is_half_named = self.bind_dn.is_empty() != self.bind_password_file.is_empty();
        is_half_named.then_some("BindDn and BindPasswordFile go together: without both, none of the directory's users can log on or get mail.")
    }
}
