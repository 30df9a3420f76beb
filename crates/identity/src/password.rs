//! What a password must be like to be set.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use zxcvbn::{Score, zxcvbn};

/// Octets of a password. Shorter ones are guessed too soon; RFC 4616 has no upper limit, but hashing without
/// one is a gift to attackers.
pub const PASSWORD_OCTETS: RangeInclusive<usize> = 8..=1024;

/// Why a password cannot be set; says what can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnfitPassword;

impl fmt::Display for UnfitPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (PASSWORD_OCTETS.start(), PASSWORD_OCTETS.end());
        write!(f, "a password has {least} to {most} octets and no control characters")
    }
}

impl std::error::Error for UnfitPassword {}

/// Judges a new password. What was set before is not judged again.
pub fn check_password(password: &str) -> Result<(), UnfitPassword> {
    let fits = PASSWORD_OCTETS.contains(&password.len()) && !password.chars().any(char::is_control);
    fits.then_some(()).ok_or(UnfitPassword)
}

/// How well a password withstands guessing, as zxcvbn estimates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0: under 1,000 guesses, 1: under 10^6, 2: under 10^8, 3: under 10^10, 4: more.
    pub score: u8,
    /// What is wrong with a weak one and what would make it better; nothing of the password.
    pub advice: String,
}

impl Strength {
    /// From this on, a stolen hash gives the password to those alone who have much to spend.
    pub const GOOD: u8 = 3;

    /// `address`: its owner's, which makes a bad password.
    pub fn of(password: &str, address: &str) -> Self {
        let (user, domain) = address.split_once('@').unwrap_or((address, ""));
        let found = zxcvbn(password, &[address, user, domain]);
        let feedback = found.feedback();
        let warning = feedback.and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
        let suggestions = feedback.map(|feedback| feedback.suggestions()).unwrap_or_default();
        let advice: Vec<String> = warning.into_iter().chain(suggestions.iter().map(ToString::to_string)).collect();
        let score = match found.score() {
            Score::Zero => 0,
            Score::One => 1,
            Score::Two => 2,
            Score::Three => 3,
            _ => 4,
        };
        Self { score, advice: advice.join(" ") }
    }
}

/// When a password that was set then is good no more, in seconds; `None`: it always is.
pub fn expiry(set: i64, lifetime: Duration) -> Option<i64> {
    let seconds = i64::try_from(lifetime.as_secs()).ok().filter(|&seconds| seconds > 0)?;
    Some(set.saturating_add(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_within_its_limits_and_not_past_them() {
        for (octets, taken) in [(0, false), (7, false), (8, true), (1024, true), (1025, false)] {
            assert_eq!(check_password(&"x".repeat(octets)).is_ok(), taken, "{octets}");
        }
        assert_eq!(check_password("pass\tword"), Err(UnfitPassword));
        assert_eq!(UnfitPassword.to_string(), "a password has 8 to 1024 octets and no control characters");
    }

    #[test]
    fn a_password_is_good_for_its_lifetime() {
        assert_eq!(expiry(1000, Duration::from_secs(60)), Some(1060));
        assert_eq!(expiry(1000, Duration::ZERO), None);
        assert_eq!(expiry(i64::MAX, Duration::from_secs(60)), Some(i64::MAX));
    }

    #[test]
    fn what_is_guessed_first_is_weak_and_what_is_long_and_random_is_not() {
        for (password, score) in
            [("password", 0), ("12345678", 0), ("ann@example.test", 0), ("exampletest", 1), ("tRu7-vhqk-2mXz-plo9", 4)]
        {
            let strength = Strength::of(password, "ann@example.test");
            assert!(strength.score.abs_diff(score) <= 1, "{password}: {strength:?}");
            assert_eq!(strength.advice.is_empty(), score == 4, "{password}: {strength:?}");
        }
        assert!(Strength::of("ann@example.test", "ann@example.test").score < 1);
        assert_eq!(Strength::of(&"correct horse ".repeat(73), "ann@example.test").advice, "");
    }
}
