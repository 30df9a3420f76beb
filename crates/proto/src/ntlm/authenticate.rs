//! The client's last message (MS-NLMP 2.2.1.3).

use super::flags::Flags;
use super::response::Response;
use super::wire::{Charset, Message};
use super::{Fault, MAX_NAME};

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authenticate {
    pub user: String,
    pub domain: String,
    pub workstation: String,
    pub response: Response,
    /// EncryptedRandomSessionKey, when keys are exchanged.
    pub session_key: Option<[u8; 16]>,
    pub mic: Option<[u8; 16]>,
    /// As they came, but with zeros for the MIC: so a MIC covers them.
    pub octets: Vec<u8>,
}

impl Authenticate {
    pub const TYPE: u32 = 3;

    /// Behind the flags. Version and MIC are left out by old clients, whose payload begins here.
    const PAYLOAD: usize = 64;
    const PAYLOAD_WITH_VERSION: usize = 72;

    /// Where the MIC is: behind the version, or, from clients that leave that out (pyspnego), behind the flags.
    const MIC: [usize; 2] = [72, 64];

    pub fn parse(octets: &[u8], charset: Charset) -> Result<Self, Fault> {
        let message = Message::open(octets, Self::TYPE)?;
        let fields = Fields::read(message, Self::PAYLOAD)?;
        let flags = Flags(message.u32(60)?);
        let user = name(fields.user, charset, "user name")?;
        if user.is_empty() || flags.has(Flags::ANONYMOUS) {
            return Err(Fault::Anonymous);
        }
        match (fields.nt.len(), fields.lm) {
            // MS-NLMP 3.2.5.1.2: nobody gives nothing, or one octet of zero for LM.
            (0, [] | [0]) => return Err(Fault::Anonymous),
            (0, _) => return Err(Fault::LanManager),
            // MS-NLMP 2.2.2.6, with and without extended session security. Version 2 is never as short.
            (24, _) => return Err(Fault::Version1),
            _ => {}
        }
        let response = Response::parse(fields.nt)?;
        let mut octets = octets.to_vec();
        let mut mic = None;
        if response.has_mic {
            let at = place_of_mic(message).ok_or(Fault::NoMic)?;
            let found: [u8; 16] = message.array(at).map_err(|_| Fault::NoMic)?;
            octets.iter_mut().skip(at).take(found.len()).for_each(|octet| *octet = 0);
            mic = Some(found);
        }
        Ok(Self {
            user,
            domain: domain(message, fields.domain, charset)?,
            workstation: name(fields.workstation, charset, "workstation name")?,
            response,
            session_key: session_key(flags, fields.session_key)?,
            mic,
            octets,
        })
    }
}

struct Fields<'a> {
    lm: &'a [u8],
    nt: &'a [u8],
    domain: &'a [u8],
    user: &'a [u8],
    workstation: &'a [u8],
    session_key: &'a [u8],
}

impl<'a> Fields<'a> {
    fn read(message: Message<'a>, payload: usize) -> Result<Self, Fault> {
        Ok(Self {
            lm: message.field(12, payload, "LM response")?,
            nt: message.field(20, payload, "NT response")?,
            domain: message.field(28, payload, "domain name")?,
            user: message.field(36, payload, "user name")?,
            workstation: message.field(44, payload, "workstation name")?,
            session_key: message.field(52, payload, "encrypted session key")?,
        })
    }
}

/// The first place in which nothing else is: the MIC does not cover itself. A wrong guess would be a wrong MIC.
fn place_of_mic(message: Message<'_>) -> Option<usize> {
    Authenticate::MIC.into_iter().find(|at| Fields::read(message, at + 16).is_ok())
}

fn name(octets: &[u8], charset: Charset, name: &'static str) -> Result<String, Fault> {
    if octets.len() > charset.octets(MAX_NAME) {
        return Err(Fault::NameTooLong(name));
    }
    charset.decode(octets).ok_or(Fault::Text(name))
}

/// Authen::NTLM gives the domain in ASCII whatever was agreed on, and the other names as agreed. It leaves out the
/// version, as no client does to whom an ideograph in a domain's name may happen.
fn domain(message: Message<'_>, octets: &[u8], charset: Charset) -> Result<String, Fault> {
    let is_old = Fields::read(message, Authenticate::PAYLOAD_WITH_VERSION).is_err();
    let charset = if is_old && octets.iter().all(u8::is_ascii_graphic) { Charset::Oem } else { charset };
    name(octets, charset, "domain name")
}

/// MS-NLMP 3.1.5.1.2: there is a key when keys are exchanged for signing or sealing, and none when they are exchanged
/// for nothing. Clients differ in the second case; the field itself tells what they did: pyspnego has one octet of zero.
fn session_key(flags: Flags, octets: &[u8]) -> Result<Option<[u8; 16]>, Fault> {
    if !flags.has(Flags::KEY_EXCHANGE) || octets.is_empty() {
        return Ok(None);
    }
    match octets.try_into() {
        Ok(key) => Ok(Some(key)),
        Err(_) if !flags.has(Flags::SIGN) && !flags.has(Flags::SEAL) => Ok(None),
        Err(_) => Err(Fault::SessionKey),
    }
}
