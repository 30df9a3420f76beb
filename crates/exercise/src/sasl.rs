//! SASL exchanges by every mechanism.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::logon::{Mechanism, Verdict};
use proto::sasl::{Exchange, Step};

use crate::drive::log_on;

/// The first octet chooses the mechanism and, by its highest bit, whether there is an initial response. Each line after
/// it is said in base64, unless it begins with `!`: then as it is.
pub fn sasl(data: &[u8]) {
    let Some((&choice, said)) = data.split_first() else { return };
    let Some(&mechanism) = Mechanism::ALL.get(usize::from(choice & 0x7f) % Mechanism::ALL.len()) else { return };
    let mut lines = said.split(|&octet| octet == b'\n').map(|line| match line {
        [b'!', raw @ ..] => raw.to_vec(),
        line => STANDARD.encode(line).into_bytes(),
    });
    let initial = if choice & 0x80 == 0 { None } else { lines.next() };
    let (mut exchange, mut step) = Exchange::begin(mechanism, initial.as_deref());
    let mut asked = false;
    loop {
        step = match step {
            Step::Challenge(challenge) => {
                assert!(challenge.len() <= Exchange::MAX_LINE, "a challenge is no longer than a line may be");
                match lines.next() {
                    Some(line) => exchange.step(&line),
                    None => return,
                }
            }
            Step::Ask(question) => {
                asked = true;
                exchange.told(log_on(&question))
            }
            Step::Done(verdict) => {
                assert!(asked && verdict == Verdict::Granted, "who is granted was judged");
                break;
            }
            Step::Cancelled | Step::Malformed | Step::Abandoned => break,
        };
    }
    assert_eq!(exchange.step(b"YW5u"), Step::Malformed, "nothing comes after the end");
}
