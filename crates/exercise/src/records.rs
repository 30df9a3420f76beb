//! Records of the store's log.

/// Octets whose checksum is right by chance, or by somebody's will, are still read without harm.
pub fn records(data: &[u8]) {
    assert!(store_embedded::verify_records(data), "records are not read as they were written");
}
