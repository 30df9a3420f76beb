//! What people type as their user name.

use std::borrow::Cow;

/// A user name in one of its forms: `user`, `user@domain`, `DOMAIN\user`, or `DOMAIN\user\mailbox` to open another
/// mailbox than the user's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserName<'a> {
    /// Before the first backslash.
    domain: Option<&'a str>,
    user: &'a str,
    /// Behind the second backslash.
    mailbox: Option<&'a str>,
}

/// The accepted domains, as far as names mean them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domains<'a> {
    pub default: &'a str,
    pub accepted: Vec<&'a str>,
}

impl<'a> UserName<'a> {
    pub fn parse(text: &'a str) -> Self {
        let mut parts = text.splitn(3, '\\');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(domain), Some(user), mailbox) => Self { domain: Some(domain), user, mailbox },
            _ => Self { domain: None, user: text, mailbox: None },
        }
    }

    /// Without a domain before it and a mailbox behind it.
    pub fn user(&self) -> &'a str {
        self.user
    }

    /// The user's own address.
    pub fn address(&self, domains: &Domains<'a>) -> Cow<'a, str> {
        user_address(self.user, self.domain.map_or(domains.default, |domain| domains.meant_by(domain)))
    }

    /// The address of the mailbox to be opened, where it is named.
    pub fn mailbox(&self, domains: &Domains<'a>) -> Option<Cow<'a, str>> {
        let domain = self.domain.map_or(domains.default, |domain| domains.meant_by(domain));
        self.mailbox.map(|mailbox| user_address(mailbox, domain))
    }
}

impl<'a> Domains<'a> {
    /// The accepted domain that is typed whole, or whose first label is: EXAMPLE is example.test, if there is one such
    /// only. Clients put all kinds of names there, that of their own machine among them; those are passed over.
    fn meant_by(&self, domain: &str) -> &'a str {
        let is_whole = |accepted: &&&str| accepted.eq_ignore_ascii_case(domain);
        if let Some(accepted) = self.accepted.iter().find(is_whole) {
            return accepted;
        }
        let short = |accepted: &str| accepted.split('.').next().is_some_and(|label| label.eq_ignore_ascii_case(domain));
        let mut meant = self.accepted.iter().filter(|accepted| short(accepted));
        match (meant.next(), meant.next()) {
            (Some(one), None) => one,
            _ => self.default,
        }
    }
}

/// The address that a user name stands for: `user@domain` is one already, a bare `user` belongs to the domain.
pub fn user_address<'a>(name: &'a str, domain: &str) -> Cow<'a, str> {
    if name.contains('@') { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}@{domain}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains() -> Domains<'static> {
        Domains { default: "example.test", accepted: vec!["example.test", "other.test", "twice.a", "twice.b"] }
    }

    #[test]
    fn every_form_of_a_name_is_an_address() {
        for (name, address) in [
            ("ann", "ann@example.test"),
            ("ann@other.test", "ann@other.test"),
            ("EXAMPLE\\ann", "ann@example.test"),
            ("other\\ann", "ann@other.test"),
            ("Other.Test\\ann", "ann@other.test"),
            ("OTHER\\ann@example.test", "ann@example.test"),
            // Not a domain of ours, or nobody knows which.
            ("DESK-7\\ann", "ann@example.test"),
            ("TWICE\\ann", "ann@example.test"),
            ("\\ann", "ann@example.test"),
        ] {
            let name = UserName::parse(name);
            assert_eq!((name.address(&domains()).as_ref(), name.mailbox), (address, None), "{name:?}");
        }
    }

    #[test]
    fn another_mailbox_is_named_behind_the_user() {
        for (name, address, mailbox) in [
            ("EXAMPLE\\ann\\sales", "ann@example.test", "sales@example.test"),
            ("OTHER\\ann\\sales", "ann@other.test", "sales@other.test"),
            ("OTHER\\ann\\sales@example.test", "ann@other.test", "sales@example.test"),
        ] {
            let name = UserName::parse(name);
            assert_eq!(name.address(&domains()), address);
            assert_eq!(name.mailbox(&domains()).unwrap(), mailbox);
        }
        // One backslash more is a part of a name that nobody has.
        assert_eq!(UserName::parse("a\\b\\c\\d").mailbox, Some("c\\d"));
    }
}
