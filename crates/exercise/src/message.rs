//! Messages, whole and in pieces.

use mime::Limits;

/// Whatever a message is: it has an outline, whose ranges are inside it, which is the same for every cut, and which
/// its compact form gives back. With the usual limits, and with limits that any message meets.
pub fn mime(data: &[u8]) {
    let tight = Limits { depth: 3, parts: 4, header_bytes: 64, ..Limits::default() };
    for (chunk, limits) in [(1, Limits::default()), (7, Limits::default()), (1, tight)] {
        if let Err(inconsistency) = mime::verify(data, chunk, limits) {
            panic!("{inconsistency:?}");
        }
    }
}
