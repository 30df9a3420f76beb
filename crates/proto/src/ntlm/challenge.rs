//! The server's message (MS-NLMP 2.2.1.2).

use super::authenticate::Authenticate;
use super::av_pair::{self, AvPairs};
use super::flags::Flags;
use super::wire::{Charset, SIGNATURE, put_field};
use super::{Fault, FileTime, Negotiate, Proof, Target};

/// A challenge that has one answer: [`authenticate`](Self::authenticate) takes it away.
#[derive(Debug)]
pub struct Challenge {
    pub(super) negotiate: Negotiate,
    pub(super) server_challenge: [u8; 8],
    pub(super) target_info: Vec<u8>,
    /// As they are sent: a MIC covers them.
    pub(super) octets: Vec<u8>,
}

impl Challenge {
    const TYPE: u32 = 2;

    const PAYLOAD: u32 = 56;

    /// MS-NLMP 2.2.2.10: no operating system, and the revision of NTLM, which never was another one. Nothing depends
    /// on it, but some clients leave their own version out, and move what comes behind it, when the server tells none.
    const VERSION: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 15];

    /// What is agreed to when the client asks for it (MS-NLMP 3.2.5.1.1).
    const ON_REQUEST: Flags = Flags(
        Flags::SIGN.0
            | Flags::SEAL.0
            | Flags::ALWAYS_SIGN.0
            | Flags::EXTENDED_SESSION_SECURITY.0
            | Flags::VERSION.0
            | Flags::KEY_128.0
            | Flags::KEY_56.0
            | Flags::KEY_EXCHANGE.0,
    );

    /// `server_challenge` are eight octets that nobody can foresee.
    pub fn new(negotiate: Negotiate, server_challenge: [u8; 8], now: FileTime, target: &Target) -> Self {
        let target_info = target_info(target, now);
        let charset = negotiate.charset;
        // MS-NLMP 2.2.1.2: a target name exactly when it is requested. The target information goes to everybody:
        // without it no client speaks version 2, and not all of those that read it ask for it.
        let name = match negotiate.flags.has(Flags::REQUEST_TARGET) {
            true => charset.encode(&target.netbios_domain),
            false => Vec::new(),
        };
        let flags = answer(&negotiate);

        // Both are short by the type of the names.
        let name_length = u16::try_from(name.len()).unwrap_or(0);
        let info_length = u16::try_from(target_info.len()).unwrap_or(0);
        let mut octets = Vec::with_capacity(Self::PAYLOAD as usize + name.len() + target_info.len());
        octets.extend(SIGNATURE);
        octets.extend(Self::TYPE.to_le_bytes());
        put_field(&mut octets, name_length, Self::PAYLOAD);
        octets.extend(flags.0.to_le_bytes());
        octets.extend(server_challenge);
        octets.extend([0; 8]);
        put_field(&mut octets, info_length, Self::PAYLOAD + u32::from(name_length));
        // MS-NLMP 2.2.1.2: zeros where no version was agreed on.
        octets.extend(if flags.has(Flags::VERSION) { Self::VERSION } else { [0; 8] });
        octets.extend(name);
        octets.extend(&target_info);
        Self { negotiate, server_challenge, target_info, octets }
    }

    /// The message, to be sent as it is.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The client's answer. What comes back is well-formed and of this challenge, and proves nothing until it is
    /// verified.
    pub fn authenticate(self, octets: &[u8]) -> Result<Proof, Fault> {
        let answer = Authenticate::parse(octets, self.negotiate.charset)?;
        let ours = AvPairs::parse(&self.target_info).map_err(Fault::Response)?;
        // MS-NLMP 3.1.5.1.2: the client repeats what it was told, our timestamp included, and adds to it. What was
        // told by another server, or at another time, does not get in here.
        if !answer.response.pairs()?.contain(ours) {
            return Err(Fault::TargetInfo);
        }
        Ok(Proof {
            negotiate: self.negotiate.octets,
            challenge: self.octets,
            server_challenge: self.server_challenge,
            answer,
        })
    }
}

fn answer(negotiate: &Negotiate) -> Flags {
    // MS-NLMP 3.2.5.1.1: one character set is chosen.
    let charset = match negotiate.charset {
        Charset::Unicode => Flags::UNICODE,
        Charset::Oem => Flags::OEM,
    };
    let target = match negotiate.flags.has(Flags::REQUEST_TARGET) {
        true => Flags::REQUEST_TARGET | Flags::TARGET_TYPE_DOMAIN,
        false => Flags(0),
    };
    charset | target | Flags::NTLM | Flags::TARGET_INFO | negotiate.flags.common(Challenge::ON_REQUEST)
}

/// MS-NLMP 2.2.2.1: both NetBIOS names must be there. The timestamp makes clients provide a MIC (3.1.5.1.2).
fn target_info(target: &Target, now: FileTime) -> Vec<u8> {
    let mut octets = Vec::new();
    av_pair::put_name(&mut octets, av_pair::NETBIOS_DOMAIN, &target.netbios_domain);
    av_pair::put_name(&mut octets, av_pair::NETBIOS_COMPUTER, &target.netbios_computer);
    for (id, name) in [(av_pair::DNS_DOMAIN, &target.dns_domain), (av_pair::DNS_COMPUTER, &target.dns_computer)] {
        if !name.is_empty() {
            av_pair::put_name(&mut octets, id, name);
        }
    }
    av_pair::put(&mut octets, av_pair::TIMESTAMP, &now.0.to_le_bytes());
    av_pair::put(&mut octets, av_pair::END, &[]);
    octets
}

#[cfg(test)]
mod tests {
    use super::super::client;
    use super::super::wire::Message;
    use super::*;

    fn challenge(flags: u32) -> Vec<u8> {
        let negotiate = Negotiate::parse(&client::negotiate_bare(Flags(flags))).unwrap();
        let target = Target::of_host("mail.example.com").unwrap();
        Challenge::new(negotiate, *b"\x01\x23\x45\x67\x89\xab\xcd\xef", FileTime(0x1122_3344_5566_7788), &target).octets
    }

    fn flags(flags: u32) -> u32 {
        let octets = challenge(flags);
        Message::open(&octets, 2).unwrap().u32(20).unwrap()
    }

    #[test]
    fn it_names_the_server_and_the_time() {
        let octets = challenge(0x207);
        let message = Message::open(&octets, 2).unwrap();
        assert_eq!(message.array(24), Ok(*b"\x01\x23\x45\x67\x89\xab\xcd\xef"));
        assert_eq!(message.field(12, 56, "target name").unwrap(), b"E\0X\0A\0M\0P\0L\0E\0");
        let pairs = AvPairs::parse(message.field(40, 56, "target information").unwrap()).unwrap();
        assert_eq!(pairs.get(av_pair::NETBIOS_COMPUTER), Some(b"M\0A\0I\0L\0".as_slice()));
        assert_eq!(pairs.get(av_pair::TIMESTAMP), Some(0x1122_3344_5566_7788u64.to_le_bytes().as_slice()));
        assert_eq!(
            pairs.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            [
                av_pair::NETBIOS_DOMAIN,
                av_pair::NETBIOS_COMPUTER,
                av_pair::DNS_DOMAIN,
                av_pair::DNS_COMPUTER,
                av_pair::TIMESTAMP
            ]
        );
    }

    #[test]
    fn what_is_asked_for_and_exists_is_agreed_to_and_nothing_else() {
        // Everything: one character set, no datagrams, no LM key, nothing reserved.
        assert_eq!(flags(u32::MAX), 0xe289_8235);
        assert_eq!(flags(0x0000_0001), 0x0080_0201);
        // Windows, as its mail clients ask.
        assert_eq!(flags(0xa208_8207), 0xa289_8205);
        // curl.
        assert_eq!(flags(0x0008_8206), 0x0089_8206);
    }

    #[test]
    fn a_target_name_is_in_the_character_set_that_was_chosen_and_there_when_asked_for() {
        let name = |flags| {
            let octets = challenge(flags);
            Message::open(&octets, 2).unwrap().field(12, 56, "target name").unwrap().to_vec()
        };
        assert_eq!(name(0x206), b"EXAMPLE");
        assert_eq!(name(0x205), b"E\0X\0A\0M\0P\0L\0E\0");
        assert_eq!(name(0x201), b"");
    }
}
