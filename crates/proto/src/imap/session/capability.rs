//! The capability list: derived from the table and the offer, so that it is true.

use crate::imap::table::{FEATURES, ROWS};
use crate::logon::Offer;

/// Appends the names, parted by spaces. `offer` is `None` once the client is logged on: then there is no
/// other log-on and no STARTTLS (RFC 3501 §6.2.1).
pub fn capabilities(out: &mut Vec<u8>, offer: Option<&Offer>) {
    out.extend_from_slice(b"IMAP4rev1");
    let mut put = |name: &str| {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
    };
    if let Some(offer) = offer {
        for mechanism in &offer.mechanisms {
            put(&format!("AUTH={}", mechanism.name()));
        }
        // RFC 3501 §6.2.3: no client may then send LOGIN.
        if !offer.password_command {
            put("LOGINDISABLED");
        }
        if offer.starttls {
            put("STARTTLS");
        }
    }
    let mut names: Vec<&str> = ROWS.iter().filter_map(|row| row.capability).chain(FEATURES).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().for_each(put);
}
