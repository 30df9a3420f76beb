//! Keys, and what is computed with them (MS-NLMP 3.3.2). MD4, MD5 and RC4 are long broken; NTLM has nothing else.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use rc4::{Rc4, StreamCipher};
use zeroize::Zeroizing;

use super::wire::utf16;

/// The NT hash of a password (NTOWFv1, MS-NLMP 3.3.1). It is as good as the password to whoever gets hold of it.
#[derive(Clone, PartialEq, Eq)]
pub struct NtHash(Zeroizing<[u8; 16]>);

impl NtHash {
    pub fn of_password(password: &str) -> Self {
        // Allocated once, so that growing leaves no copies behind.
        let mut unicode = Zeroizing::new(Vec::with_capacity(password.len() * 2));
        unicode.extend(password.encode_utf16().flat_map(u16::to_le_bytes));
        Self(Zeroizing::new(Md4::digest(unicode.as_slice()).into()))
    }

    pub fn from_octets(octets: [u8; 16]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets themselves, for whoever stores them.
    pub fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(..)")
    }
}

/// The key that both sides have after a log-on: SessionBaseKey (MS-NLMP 3.3.2), which is the KeyExchangeKey of
/// NTLMv2 too (3.4.5.1).
#[derive(Clone)]
pub struct SessionKey(pub(super) Zeroizing<[u8; 16]>);

impl SessionKey {
    pub fn from_octets(octets: [u8; 16]) -> Self {
        Self(Zeroizing::new(octets))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// NTOWFv2 (MS-NLMP 3.3.2): the user's name counts in capitals, the domain's as it was sent.
pub(super) fn ntowf_v2(hash: &NtHash, user: &str, domain: &str) -> Zeroizing<[u8; 16]> {
    let user: String = user.chars().map(capital).collect();
    Zeroizing::new(hmac_md5(hash.expose(), &[&utf16(&user), &utf16(domain)]))
}

pub(super) fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    // RFC 2104 §2: a key shorter than a block is filled up with zeros, and a whole block is a key that always fits.
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Md5>::new((&*block).into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

pub(super) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// RC4K (MS-NLMP 6), which undoes itself. There is a result for every key of 16 octets.
pub(super) fn rc4k(key: &[u8; 16], octets: [u8; 16]) -> Option<Zeroizing<[u8; 16]>> {
    let mut octets = Zeroizing::new(octets);
    Rc4::new_from_slice(key).ok()?.try_apply_keystream(octets.as_mut_slice()).ok()?;
    Some(octets)
}

/// One letter becomes one letter, as in Windows, and none outside of ASCII becomes one inside: ß and the dotless i
/// stay what they are.
fn capital(letter: char) -> char {
    let mut capitals = letter.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) if letter.is_ascii() || !capital.is_ascii() => capital,
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::hex;
    use super::*;

    #[test]
    fn the_nt_hash_is_that_of_ms_nlmp_4_2_2_1_2() {
        assert_eq!(NtHash::of_password("Password").expose().to_vec(), hex("a4f49c406510bdcab6824ee7c30fd852"));
    }

    #[test]
    fn md4_has_the_values_of_rfc_1320() {
        assert_eq!(NtHash::of_password("").expose().to_vec(), hex("31d6cfe0d16ae931b73c59d7e0c089c0"));
        assert_eq!(Md4::digest(b"abc").to_vec(), hex("a448017aaf21d8525fc10ae87aa6729d"));
    }

    #[test]
    fn ntowf_v2_is_that_of_ms_nlmp_4_2_4_1_1_in_each_spelling_of_the_user() {
        let hash = NtHash::of_password("Password");
        for user in ["User", "user", "USER"] {
            assert_eq!(ntowf_v2(&hash, user, "Domain").to_vec(), hex("0c868a403bfd7a93a3001ef22ef02e3f"));
        }
        assert_ne!(ntowf_v2(&hash, "User", "DOMAIN").to_vec(), hex("0c868a403bfd7a93a3001ef22ef02e3f"));
    }

    #[test]
    fn hmac_md5_has_the_value_of_rfc_2202() {
        assert_eq!(hmac_md5(&[0x0b; 16], &[b"Hi ", b"There"]).to_vec(), hex("9294727a3638bb1c13f48ef8158bfc9d"));
    }

    #[test]
    fn the_session_key_is_encrypted_as_in_ms_nlmp_4_2_4_2_3() {
        let key = hex("8de40ccadbc14a82f15cb0ad0de95ca3").try_into().unwrap();
        let encrypted = rc4k(&key, [0x55; 16]).unwrap();
        assert_eq!(encrypted.to_vec(), hex("c5dad2544fc9799094ce1ce90bc9d03e"));
        assert_eq!(*rc4k(&key, *encrypted).unwrap(), [0x55; 16]);
    }

    #[test]
    fn capitals_are_one_letter_for_one_letter() {
        let capitals: String = "jürgen straße ʼn ıſ ŷ я α ÿ 𐐨".chars().map(capital).collect();
        assert_eq!(capitals, "JÜRGEN STRAßE ʼN ıſ Ŷ Я Α Ÿ 𐐀");
    }

    #[test]
    fn debugging_shows_no_key() {
        let (hash, key) = (NtHash::of_password("secret"), SessionKey::from_octets([0x55; 16]));
        assert_eq!(format!("{hash:?} {key:?}"), "NtHash(..) SessionKey(..)");
    }
}
