//! NTLM log-ons.

use proto::logon::ExtendedProtection;
use proto::ntlm::{Binding, Challenge, FileTime, Negotiate, NtHash, Proof, SessionKey, Target};

/// The first octet says how long the client's first message is; behind that one stands its last. The last message is
/// also given to a server whose first one was right.
pub fn ntlm(data: &[u8]) {
    let Some((&length, messages)) = data.split_first() else { return };
    let (first, last) = messages.split_at(usize::from(length).min(messages.len()));
    let right = b"NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2";
    for negotiate in [first, right] {
        let Ok(negotiate) = Negotiate::parse(negotiate) else { continue };
        if let Ok(proof) = Challenge::new(negotiate, CHALLENGE, NOW, &target()).authenticate(last) {
            judge(&proof);
        }
    }
}

/// The challenge to which the corpora answer.
pub const CHALLENGE: [u8; 8] = *b"\x01\x23\x45\x67\x89\xab\xcd\xef";
pub const NOW: FileTime = FileTime(134_000_000_000_000_000);

pub fn target() -> Target {
    let Some(target) = Target::of_host("mail.example.com") else { panic!("a host has a name") };
    target
}

fn judge(proof: &Proof) {
    let hash = NtHash::of_password("secret");
    let verify = |policy, end_point| proof.verify(Some(&hash), &Binding { policy, end_point });
    let ignored = verify(ExtendedProtection::None, None);
    let allowed = verify(ExtendedProtection::Allow, Some(&[7; 32]));
    let required = verify(ExtendedProtection::Require, Some(&[7; 32]));
    assert!(allowed.is_err() || ignored.is_ok(), "to ask for a binding admits nobody");
    assert!(required.is_err() || allowed.is_ok(), "to require a binding admits nobody");
    assert!(verify(ExtendedProtection::Require, None).is_err(), "no binding is right without TLS");

    let binding = Binding { policy: ExtendedProtection::None, end_point: None };
    assert!(proof.verify(None, &binding).is_err(), "nothing proves an account that does not exist");
    assert!(proof.verify(Some(&NtHash::of_password("Secret")), &binding).is_err(), "another password is wrong");
    // Past the proof of the password, where only the right octets would come.
    let _ = proof.verify_with_session_key(&SessionKey::from_octets([0; 16]), &binding);
    assert!(!proof.user().is_empty() && !format!("{proof:?}").is_empty());
}
