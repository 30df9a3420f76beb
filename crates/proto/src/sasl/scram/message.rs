//! The client's two messages (RFC 5802 §7).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// RFC 5802 §7: `gs2-header client-first-message-bare`.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientFirst {
    pub binding: Binding,
    pub authorization: Option<String>,
    pub user: String,
    pub nonce: String,
    /// The `gs2-header` as it was sent.
    pub header: String,
    /// The rest as it was sent.
    pub bare: String,
}

/// RFC 5802 §6: `gs2-cbind-flag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `n`: the client does not do it.
    No,
    /// `y`: the client does, and believes that the server does not.
    NotThere,
    /// `p=`: by the type of this name.
    Used(String),
}

/// RFC 5802 §7: `client-final-message`.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientFinal {
    /// Decoded: the `gs2-header` again, and what binds the channel.
    pub binding: Vec<u8>,
    pub nonce: String,
    pub proof: Vec<u8>,
    /// The message up to its proof, as it was sent.
    pub without_proof: String,
}

impl ClientFirst {
    pub fn parse(message: &[u8]) -> Option<Self> {
        let message = text(message)?;
        let (flag, rest) = message.split_once(',')?;
        let (authorization, bare) = rest.split_once(',')?;
        let binding = match flag {
            "n" => Binding::No,
            "y" => Binding::NotThere,
            _ => Binding::Used(flag.strip_prefix("p=").filter(|name| !name.is_empty())?.to_owned()),
        };
        let authorization = match authorization {
            "" => None,
            named => Some(name(named.strip_prefix("a=")?)?),
        };
        // An `m=` here is an extension that has to be understood, so the message is refused with any.
        let mut parts = bare.splitn(3, ',');
        let user = name(parts.next()?.strip_prefix("n=")?)?;
        let nonce = nonce(parts.next()?)?;
        let header = message.get(..message.len() - bare.len())?;
        Some(Self { binding, authorization, user, nonce, header: header.to_owned(), bare: bare.to_owned() })
    }
}

impl ClientFinal {
    pub fn parse(message: &[u8]) -> Option<Self> {
        let message = text(message)?;
        // RFC 5802 §7: extensions may stand before the proof, which is last.
        let (without_proof, proof) = message.rsplit_once(',')?;
        let mut parts = without_proof.split(',');
        let binding = STANDARD.decode(parts.next()?.strip_prefix("c=")?).ok()?;
        let nonce = nonce(parts.next()?)?;
        let proof = STANDARD.decode(proof.strip_prefix("p=")?).ok()?;
        Some(Self { binding, nonce, proof, without_proof: without_proof.to_owned() })
    }
}

/// RFC 5802 §7: UTF-8 without NUL.
fn text(message: &[u8]) -> Option<&str> {
    std::str::from_utf8(message).ok().filter(|text| !text.contains('\0'))
}

/// RFC 5802 §5.1: printable, without a comma.
fn nonce(attribute: &str) -> Option<String> {
    let nonce = attribute.strip_prefix("r=")?;
    let printable = |octet: u8| matches!(octet, 0x21..=0x2b | 0x2d..=0x7e);
    (!nonce.is_empty() && nonce.bytes().all(printable)).then(|| nonce.to_owned())
}

/// A `saslname` (RFC 5801 §4, RFC 5802 §5.1): `=2C` is a comma and `=3D` an equals sign; no other `=` may stand in a name.
pub(in crate::sasl) fn name(encoded: &str) -> Option<String> {
    let mut parts = encoded.split('=');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (character, rest) = match part.split_at_checked(2)? {
            ("2C", rest) => (',', rest),
            ("3D", rest) => ('=', rest),
            _ => return None,
        };
        name.push(character);
        name.push_str(rest);
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_messages_of_rfc_5802_are_read() {
        let first = ClientFirst::parse(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL").unwrap();
        assert_eq!((first.binding, first.authorization, first.user.as_str()), (Binding::No, None, "user"));
        assert_eq!((first.header.as_str(), first.bare.as_str()), ("n,,", "n=user,r=fyko+d2lbbFgONRv9qkxdawL"));
        let last =
            ClientFinal::parse(b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
        let last = last.unwrap();
        assert_eq!((last.binding.as_slice(), last.proof.len()), (b"n,,".as_slice(), 20));
        assert_eq!(last.without_proof, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j");
    }

    #[test]
    fn names_are_decoded_and_bindings_told_apart() {
        let first = ClientFirst::parse(b"p=tls-exporter,a=b=2Cb,n=a=3Da,r=x,e=1").unwrap();
        assert_eq!(first.binding, Binding::Used("tls-exporter".into()));
        assert_eq!((first.authorization.as_deref(), first.user.as_str()), (Some("b,b"), "a=a"));
        assert_eq!((first.header.as_str(), first.bare.as_str()), ("p=tls-exporter,a=b=2Cb,", "n=a=3Da,r=x,e=1"));
        assert_eq!(ClientFirst::parse(b"y,,n=a,r=x").unwrap().binding, Binding::NotThere);
    }

    #[test]
    fn what_the_grammar_does_not_have_is_malformed() {
        let bad: [&[u8]; 20] = [
            b"",
            b"n",
            b"n,,",
            b"n,,n=a",
            b"n,n=a,r=x",
            b"x,,n=a,r=x",
            b"p=,,n=a,r=x",
            b"p,,n=a,r=x",
            b"n,b,n=a,r=x",
            b"n,a=,n=a,r=x",
            b"n,,n=,r=x",
            b"n,,n=a=,r=x",
            b"n,,n=a=2,r=x",
            b"n,,n=a=2c,r=x",
            b"n,,m=a,n=a,r=x",
            b"n,,r=x,n=a",
            b"n,,n=a,r=",
            b"n,,n=a,r=x y",
            b"n,,n=\xff,r=x",
            b"n,,n=a\0,r=x",
        ];
        for message in bad {
            assert_eq!(ClientFirst::parse(message), None, "{message:?}");
        }
        let bad: [&[u8]; 8] = [
            b"",
            b"c=biws",
            b"c=biws,r=x",
            b"r=x,c=biws,p=AAAA",
            b"c=biws,r=x,p=AAA",
            b"c=!,r=x,p=AAAA",
            b"c=biws,r=x,p=AAAA,e=1",
            b"c=biws,p=AAAA",
        ];
        for message in bad {
            assert_eq!(ClientFinal::parse(message), None, "{message:?}");
        }
    }
}
