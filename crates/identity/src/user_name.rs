//! What people type as their user name.

use std::borrow::Cow;

/// The address that a user name stands for: `user@domain` is one already, a bare `user` belongs to the
/// default domain.
pub fn user_address<'a>(name: &'a str, default_domain: &str) -> Cow<'a, str> {
    if name.contains('@') { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}@{default_domain}")) }
}

/// Whether `user` may act as `authorization` (RFC 4616 §2): as itself only, in whichever form it was typed.
pub fn may_act_as(authorization: Option<&str>, user: &str, default_domain: &str) -> bool {
    authorization.is_none_or(|other| {
        user_address(other, default_domain).eq_ignore_ascii_case(&user_address(user, default_domain))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_user_gets_the_default_domain() {
        assert_eq!(user_address("ann", "example.test"), "ann@example.test");
        assert_eq!(user_address("ann@other.test", "example.test"), "ann@other.test");
    }

    #[test]
    fn a_user_acts_as_itself_only() {
        for (authorization, allowed) in [
            (None, true),
            (Some("ann"), true),
            (Some("Ann@Example.test"), true),
            (Some("bob"), false),
            (Some("ann@other.test"), false),
        ] {
            assert_eq!(may_act_as(authorization, "ann", "example.test"), allowed, "{authorization:?}");
        }
    }
}
