//! Passwords that were made for one device or program.

use aws_lc_rs::digest::{SHA256, digest};
use store::{Account, AppPassword, AppPasswordDigest, Timestamp};
use zeroize::Zeroizing;

use super::password;
use crate::connection::Protocol;

/// How old the time of the last use may be before it is written anew, in seconds: not every log-on is worth a write.
const USE_IS_WRITTEN_AFTER: Timestamp = 60 * 60;

/// What an app password is known by. What is typed may lack its hyphens, or have spaces and capitals.
pub fn digest_of(typed: &str) -> Option<AppPasswordDigest> {
    let letters =
        || typed.chars().filter(|letter| !matches!(letter, '-' | ' ')).map(|letter| letter.to_ascii_lowercase());
    if !password::is_made(letters()) {
        return None;
    }
    // Allocated once, so that growing leaves no copies behind.
    let mut plain = Zeroizing::new(String::with_capacity(typed.len()));
    plain.extend(letters());
    let octets = digest(&SHA256, plain.as_bytes());
    octets.as_ref().try_into().ok().map(AppPasswordDigest)
}

/// The account's app password that was typed, whether it may be used now or not.
pub fn find<'a>(account: &'a Account, typed: &str) -> Option<&'a AppPassword> {
    // With 99 random bits behind it, how much of a digest agrees tells nobody anything.
    let digest = digest_of(typed)?;
    account.app_passwords.iter().find(|one| one.digest == digest)
}

/// Why it is not good for a log-on.
pub fn refusal(one: &AppPassword, protocol: Protocol, now: Timestamp) -> Option<&'static str> {
    if one.expires.is_some_and(|end| end <= now) {
        return Some("the app password has expired");
    }
    let covered = match protocol {
        Protocol::Pop3 => one.protocols.pop3,
        Protocol::Imap => one.protocols.imap4,
        Protocol::Smtp => one.protocols.smtp,
    };
    (!covered).then_some("the app password is not for this protocol")
}

pub fn is_use_to_be_written(one: &AppPassword, now: Timestamp) -> bool {
    one.last_used.is_none_or(|last| now.saturating_sub(last) >= USE_IS_WRITTEN_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_with_and_without_hyphens_and_nothing_else_is_one() {
        let made = password::generate().unwrap();
        let known = digest_of(&made);
        assert!(known.is_some());
        assert_eq!(digest_of(&made.replace('-', "")), known);
        assert_eq!(digest_of(&made.replace('-', " ").to_uppercase()), known);
        assert_ne!(digest_of(&password::generate().unwrap()), known);
        for other in
            ["", "top-secret", "aaaa-aaaa-aaaa-aaaa-aaa", "aaaa-aaaa-aaaa-aaaa-aaaaa", "1aaa-aaaa-aaaa-aaaa-aaaa"]
        {
            assert_eq!(digest_of(other), None, "{other}");
        }
    }
}
