//! Whose mailbox a principal's is.

use identity::Domains;

/// The address of a user's principal: `ann@EXAMPLE.TEST` is ann@example.test if that domain is accepted, and Ann of the
/// default domain if `realm` is EXAMPLE.TEST. `None` for a realm that is neither, whoever vouches for it, and for what
/// is no user: of a service or host (`imap/mail.example.test`), or with what the library escapes (`\@`).
pub fn address(principal: &str, realm: &str, domains: &Domains<'_>) -> Option<String> {
    let (user, from) = principal.split_once('@')?;
    if user.is_empty() || from.is_empty() || principal.contains(['/', '\\']) || from.contains('@') {
        return None;
    }
    // RFC 4120 §6.1: realms are told apart by case. Where one is set, no other counts: its users may be other people.
    if !realm.is_empty() && from != realm {
        return None;
    }
    let named_alike = domains.accepted.iter().find(|domain| domain.to_ascii_uppercase() == from).copied();
    let domain = named_alike.or_else(|| (from == realm).then_some(domains.default))?;
    Some(format!("{}@{domain}", user.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(principal: &str, realm: &str) -> Option<String> {
        let domains = Domains { default: "example.test", accepted: vec!["example.test", "other.test"] };
        address(principal, realm, &domains)
    }

    #[test]
    fn a_principal_is_of_the_domain_that_its_realm_is_named_for_or_set_for() {
        for (principal, realm, expected) in [
            ("ann@EXAMPLE.TEST", "", Some("ann@example.test")),
            ("Ann@OTHER.TEST", "", Some("ann@other.test")),
            ("ann@OTHER.TEST", "OTHER.TEST", Some("ann@other.test")),
            ("ann@AD.CORP.TEST", "AD.CORP.TEST", Some("ann@example.test")),
            ("ann@AD.CORP.TEST", "", None),
            ("ann@AD.CORP.TEST", "CORP.TEST", None),
            ("ann@ad.corp.test", "AD.CORP.TEST", None),
            ("ann@EXAMPLE", "", None),
            ("ann@example.test", "", None),
            ("ann@EXAMPLE.TEST", "AD.CORP.TEST", None),
        ] {
            assert_eq!(of(principal, realm).as_deref(), expected, "{principal} {realm}");
        }
    }

    #[test]
    fn what_is_no_user_has_no_mailbox() {
        for principal in [
            "",
            "ann",
            "@EXAMPLE.TEST",
            "ann@",
            "imap/mail.example.test@EXAMPLE.TEST",
            "ann/admin@EXAMPLE.TEST",
            "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS",
            // A name with an @ in it: the library writes a backslash before it.
            "ann\\@example.test@EVIL.TEST",
            "ann@example.test@EXAMPLE.TEST",
            "EXAMPLE\\ann@EXAMPLE.TEST",
        ] {
            assert_eq!(of(principal, "EXAMPLE.TEST"), None, "{principal}");
        }
    }
}
