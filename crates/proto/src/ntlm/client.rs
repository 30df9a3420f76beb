//! A client, so that both sides can be tried against each other. It does what MS-NLMP asks of one, and what real ones
//! do instead.

use super::av_pair::{self, AvPairs};
use super::flags::Flags;
use super::hash::{NtHash, hmac_md5, ntowf_v2, rc4k};
use super::wire::{Charset, Message, SIGNATURE, put_field};

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// What Windows asks for: Unicode, target, signing of everything, key exchange, 128 and 56 bits.
pub const WINDOWS: Flags = Flags(0xe208_8297);
/// OEM, target, NTLM, signing of everything, extended session security.
pub const CURL: Flags = Flags(0x0008_8206);

/// Signature, type and flags.
pub fn negotiate_bare(flags: Flags) -> Vec<u8> {
    [SIGNATURE.as_slice(), &1u32.to_le_bytes(), &flags.0.to_le_bytes()].concat()
}

/// With empty names and a version.
pub fn negotiate(flags: Flags) -> Vec<u8> {
    let mut octets = negotiate_bare(flags);
    put_field(&mut octets, 0, 40);
    put_field(&mut octets, 0, 40);
    octets.extend([10, 0, 0x61, 0x4a, 0, 0, 0, 15]);
    octets
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mic {
    /// Not announced, and no place for it: an old client.
    None,
    Right,
    Zero,
    Wrong,
    /// In its place, though not announced.
    Unannounced,
    /// Right, in the version's place, which is left out.
    Early,
}

#[derive(Clone)]
pub struct Client {
    pub user: &'static str,
    pub domain: &'static str,
    pub workstation: &'static str,
    pub password: &'static str,
    /// The domain that is computed with, when it is another one than is sent.
    pub computed_domain: Option<&'static str>,
    pub mic: Mic,
    pub channel_bindings: Option<[u8; 16]>,
    /// The response's time, when it is not the server's.
    pub time: Option<u64>,
    /// The LM response.
    pub lm: Vec<u8>,
    /// The NT response, when it is not computed.
    pub nt: Option<Vec<u8>>,
    pub extra_flags: Flags,
}

impl Client {
    pub fn ann() -> Self {
        Self {
            user: "ann",
            domain: "EXAMPLE",
            workstation: "DESK",
            password: "secret",
            computed_domain: None,
            mic: Mic::Right,
            channel_bindings: None,
            time: None,
            lm: vec![0; 24],
            nt: None,
            extra_flags: Flags(0),
        }
    }

    pub fn authenticate(&self, negotiate: &[u8], challenge: &[u8]) -> Vec<u8> {
        let message = Message::open(challenge, 2).unwrap();
        let flags = Flags(message.u32(20).unwrap()) | self.extra_flags;
        let server_challenge: [u8; 8] = message.array(24).unwrap();
        let told = message.field(40, 48, "target information").unwrap();
        let charset = if flags.has(Flags::UNICODE) { Charset::Unicode } else { Charset::Oem };

        let hash = NtHash::of_password(self.password);
        let response_key = ntowf_v2(&hash, self.user, self.computed_domain.unwrap_or(self.domain));
        let blob = self.client_challenge(told);
        let proof = hmac_md5(&response_key, &[&server_challenge, &blob]);
        let base_key = hmac_md5(&response_key, &[&proof]);
        let nt = self.nt.clone().unwrap_or_else(|| [proof.as_slice(), &blob].concat());

        let exchange = flags.has(Flags::KEY_EXCHANGE) && (flags.has(Flags::SIGN) || flags.has(Flags::SEAL));
        let exported = if exchange { [0x55; 16] } else { base_key };
        let encrypted = if exchange { rc4k(&base_key, exported).unwrap().to_vec() } else { Vec::new() };

        let fields = [
            self.lm.clone(),
            nt,
            charset.encode(self.domain),
            charset.encode(self.user),
            charset.encode(self.workstation),
            encrypted,
        ];
        let mut octets = [SIGNATURE.as_slice(), &3u32.to_le_bytes()].concat();
        let mut offset: u32 = match self.mic {
            Mic::None => 64,
            Mic::Early => 80,
            _ => 88,
        };
        let payload = offset as usize;
        for field in &fields {
            put_field(&mut octets, u16::try_from(field.len()).unwrap(), offset);
            offset += u32::try_from(field.len()).unwrap();
        }
        octets.extend(flags.0.to_le_bytes());
        octets.resize(payload, 0);
        octets.extend(fields.concat());
        if !matches!(self.mic, Mic::None | Mic::Zero) {
            let mut mic = hmac_md5(&exported, &[negotiate, challenge, &octets]);
            mic[15] ^= u8::from(self.mic == Mic::Wrong);
            octets[payload - 16..payload].copy_from_slice(&mic);
        }
        octets
    }

    /// MS-NLMP 2.2.2.7: what was told is repeated, what is added comes before the end.
    fn client_challenge(&self, told: &[u8]) -> Vec<u8> {
        let told = AvPairs::parse(told).unwrap();
        let time = self.time.map(u64::to_le_bytes).or_else(|| told.array(av_pair::TIMESTAMP)).unwrap_or_default();
        let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
        blob.extend(time);
        blob.extend([0xaa; 8]);
        blob.extend([0; 4]);
        for (id, value) in told.iter() {
            av_pair::put(&mut blob, id, value);
        }
        if !matches!(self.mic, Mic::None | Mic::Unannounced) {
            av_pair::put(&mut blob, av_pair::FLAGS, &av_pair::FLAG_MIC.to_le_bytes());
        }
        if let Some(bindings) = &self.channel_bindings {
            av_pair::put(&mut blob, av_pair::CHANNEL_BINDINGS, bindings);
        }
        av_pair::put(&mut blob, av_pair::END, &[]);
        blob.extend([0; 4]);
        blob
    }
}
