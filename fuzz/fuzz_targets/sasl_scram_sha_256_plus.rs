#![no_main]

use exercise::Mechanism;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::sasl(Mechanism::ScramSha256Plus, data));
