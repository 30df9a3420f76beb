//! What a password must be like to be set.

use std::fmt;
use std::ops::RangeInclusive;

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
}
