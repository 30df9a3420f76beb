//! Whether a log-on belongs to the TLS connection on which it came.

use subtle::ConstantTimeEq;

use super::Refusal;
use super::hash::md5;
use crate::logon::ExtendedProtection;

/// What a log-on is held against.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    pub policy: ExtendedProtection,
    /// The hash of the server's certificate (RFC 5929 §4.1), when the connection has one.
    pub end_point: Option<&'a [u8]>,
}

impl Binding<'_> {
    /// `given` is the value of MsvAvChannelBindings.
    pub(super) fn check(&self, given: Option<[u8; 16]>) -> Result<(), Refusal> {
        // MS-NLMP 3.1.5.1.2: zeros mean that the client has no binding to give.
        let given = given.filter(|given| *given != [0; 16]);
        match (self.policy, given) {
            (ExtendedProtection::None, _) | (ExtendedProtection::Allow, None) => Ok(()),
            (ExtendedProtection::Require, None) => Err(Refusal::NoBinding),
            (ExtendedProtection::Allow | ExtendedProtection::Require, Some(given)) => {
                // A client that sees TLS where this server has none does not talk to this server alone.
                let expected = self.end_point.map(channel_bindings).ok_or(Refusal::Binding)?;
                if bool::from(expected.ct_eq(&given)) { Ok(()) } else { Err(Refusal::Binding) }
            }
        }
    }
}

/// MS-NLMP 3.1.5.1.2: MD5 of a gss_channel_bindings_struct (RFC 2744 §3.11) without addresses, whose numbers are
/// little-endian; the application's data are those of RFC 5929 §4.
pub(super) fn channel_bindings(end_point: &[u8]) -> [u8; 16] {
    const PREFIX: &[u8] = b"tls-server-end-point:";
    let length = u32::try_from(PREFIX.len() + end_point.len()).unwrap_or(u32::MAX);
    md5(&[&[0; 16], &length.to_le_bytes(), PREFIX, end_point])
}

#[cfg(test)]
mod tests {
    use super::super::client::hex;
    use super::*;

    #[test]
    fn bindings_have_the_published_values() {
        // From Microsoft's article on extended protection in its blog on open specifications, 2013-03-26.
        let end_point = hex("ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95");
        assert_eq!(channel_bindings(&end_point).to_vec(), hex("6586e99d81c2fc984e47172fd4dd0310"));
    }

    #[test]
    fn every_cell_of_the_policy_is_as_it_says() {
        use ExtendedProtection::{Allow, None as Ignore, Require};
        let right = channel_bindings(&[7; 32]);
        let mut wrong = right;
        wrong[15] ^= 1;
        let (absent, missing) = (Err(Refusal::NoBinding), Err(Refusal::Binding));
        let rows = [
            (Ignore, [Ok(()), Ok(()), Ok(()), Ok(())], [Ok(()), Ok(())]),
            (Allow, [Ok(()), Ok(()), Ok(()), missing], [Ok(()), missing]),
            (Require, [absent, absent, Ok(()), missing], [absent, missing]),
        ];
        for (policy, on_tls, in_clear) in rows {
            let check = |end_point, given| Binding { policy, end_point }.check(given);
            let cells = [None, Some([0; 16]), Some(right), Some(wrong)];
            assert_eq!(cells.map(|given| check(Some(&[7; 32]), given)), on_tls, "{policy:?}");
            assert_eq!([None, Some(right)].map(|given| check(None, given)), in_clear, "{policy:?}");
        }
    }
}
