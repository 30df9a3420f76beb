//! Makes passwords that people can read and type.

use aws_lc_rs::error::Unspecified;
use zeroize::Zeroizing;

/// No letter or digit that looks like another.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS: usize = 5;
const GROUP: usize = 4;

/// Whether these are as many letters of those as a made password has.
pub fn is_made(letters: impl Iterator<Item = char>) -> bool {
    let mut count = 0;
    let all = letters.inspect(|_| count += 1).all(|letter| u8::try_from(letter).is_ok_and(|b| ALPHABET.contains(&b)));
    all && count == GROUPS * GROUP
}

/// Five groups of four: 99 bits.
pub fn generate() -> Result<Zeroizing<String>, Unspecified> {
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP + 1)));
    let mut letters = 0;
    while letters < GROUPS * GROUP {
        let mut random = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(random.as_mut())?;
        // Five bits each; the one value that stands for no letter is thrown away, so that all are as likely.
        for letter in random.iter().filter_map(|octet| ALPHABET.get(usize::from(octet & 31))) {
            if letters == GROUPS * GROUP {
                break;
            }
            if letters > 0 && letters % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*letter));
            letters += 1;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_their_form_and_differ() {
        let (one, two) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, two);
        let groups: Vec<&str> = one.split('-').collect();
        assert_eq!(groups.len(), GROUPS);
        assert!(groups.iter().all(|group| group.len() == GROUP && group.bytes().all(|b| ALPHABET.contains(&b))));
    }
}
