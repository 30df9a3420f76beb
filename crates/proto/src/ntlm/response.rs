//! The NT response of version 2 (MS-NLMP 2.2.2.8) and the client's challenge in it (2.2.2.7).

use super::Fault;
use super::av_pair::{self, AvPairs};

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub octets: Vec<u8>,
    /// NTProofStr.
    pub proof: [u8; 16],
    /// MsvAvFlags announce a MIC.
    pub has_mic: bool,
    pub channel_bindings: Option<[u8; 16]>,
}

impl Response {
    const PROOF: usize = 16;

    /// Behind version, reserved octets, time, challenge and reserved octets (MS-NLMP 2.2.2.7). The time there is not
    /// judged. What makes a response fresh is the server's challenge, which is random and used once, and the server's
    /// timestamp among the pairs; and Authen::NTLM gives the year 1601.
    const PAIRS: usize = Self::PROOF + 28;

    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        let cut = Fault::Response("it is cut off");
        let (proof, blob) = octets.split_first_chunk().ok_or(cut)?;
        // MS-NLMP 2.2.2.7: both versions must be one; what is reserved must be ignored.
        match blob.first_chunk() {
            Some([1, 1]) => {}
            Some(_) => return Err(Fault::Response("it is of an unknown version")),
            None => return Err(cut),
        }
        let pairs = pairs(octets)?;
        let flags = pairs.array(av_pair::FLAGS).map_or(0, u32::from_le_bytes);
        Ok(Self {
            octets: octets.to_vec(),
            proof: *proof,
            has_mic: flags & av_pair::FLAG_MIC != 0,
            channel_bindings: pairs.array(av_pair::CHANNEL_BINDINGS),
        })
    }

    /// What the proof is made of, beside the server's challenge: `temp` of MS-NLMP 3.3.2.
    pub fn client_challenge(&self) -> &[u8] {
        self.octets.get(Self::PROOF..).unwrap_or_default()
    }

    pub fn pairs(&self) -> Result<AvPairs<'_>, Fault> {
        pairs(&self.octets)
    }
}

fn pairs(response: &[u8]) -> Result<AvPairs<'_>, Fault> {
    let octets = response.get(Response::PAIRS..).ok_or(Fault::Response("it is cut off"))?;
    AvPairs::parse(octets).map_err(Fault::Response)
}

#[cfg(test)]
mod tests {
    use super::super::client::hex;
    use super::*;

    /// MS-NLMP 4.2.4.2.2.
    fn published() -> Vec<u8> {
        hex("68cd0ab851e51c96aabc927bebef6a1c 01010000000000000000000000000000 aaaaaaaaaaaaaaaa00000000
            02000c0044006f006d00610069006e00 01000c00530065007200760065007200 0000000000000000")
    }

    #[test]
    fn the_published_response_is_read() {
        let response = Response::parse(&published()).unwrap();
        assert_eq!(response.proof.to_vec(), hex("68cd0ab851e51c96aabc927bebef6a1c"));
        assert_eq!((response.has_mic, response.channel_bindings), (false, None));
        assert_eq!(response.pairs().unwrap().get(av_pair::NETBIOS_DOMAIN), Some(b"D\0o\0m\0a\0i\0n\0".as_slice()));
    }

    #[test]
    fn no_truncation_before_the_end_of_the_pairs_is_a_response() {
        let octets = published();
        let end = octets.len() - 4;
        for cut in 0..end {
            assert!(matches!(Response::parse(&octets[..cut]), Err(Fault::Response(_))), "{cut}");
        }
        for whole in end..=octets.len() {
            assert!(Response::parse(&octets[..whole]).is_ok(), "{whole}");
        }
    }

    #[test]
    fn other_versions_are_refused_and_reserved_octets_ignored() {
        for at in 16..24 {
            let mut octets = published();
            octets[at] = 2;
            assert_eq!(Response::parse(&octets).is_ok(), at >= 18, "{at}");
        }
    }
}
