//! The client's side of NTLM version 2 (MS-NLMP), as curl does it: without a MIC.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use proto::ntlm::NtHash;

/// Unicode, target, NTLM, extended session security.
pub const NEGOTIATE: [u8; 16] = *b"NTLMSSP\0\x01\0\0\0\x05\x82\x08\0";

/// The answer to a challenge (MS-NLMP 2.2.1.3); `None` when it is none.
pub fn authenticate(challenge: &[u8], user: &str, password: &str) -> Option<Vec<u8>> {
    let flags = challenge.get(20..24)?;
    let server_challenge = challenge.get(24..32)?;
    let length = u16::from_le_bytes(challenge.get(40..42)?.try_into().ok()?);
    let offset = usize::try_from(u32::from_le_bytes(challenge.get(44..48)?.try_into().ok()?)).ok()?;
    let target_info = challenge.get(offset..offset + usize::from(length))?;

    // MS-NLMP 3.3.2, with no domain, no time and a challenge of the client's own.
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let key = hmac_md5(NtHash::of_password(password).expose(), &[&utf16(&user.to_uppercase())]);
    let blob = [&[1, 1, 0, 0, 0, 0, 0, 0], &[0; 8][..], b"at bench", &[0; 4], target_info, &[0; 4]].concat();
    let response = [hmac_md5(&key, &[server_challenge, &blob]).as_slice(), &blob].concat();

    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let fields = [vec![0; 24], response, Vec::new(), utf16(user), utf16("BENCH"), Vec::new()];
    let mut offset: u32 = 64;
    for field in &fields {
        let length = u16::try_from(field.len()).ok()?;
        message.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
        message.extend(offset.to_le_bytes());
        offset += u32::from(length);
    }
    message.extend(flags);
    message.extend(fields.concat());
    Some(message)
}

fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    // RFC 2104 §2: a key is filled up with zeros.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Md5>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
