//! How figures are reduced and shown.

use std::time::Duration;

/// The value that `percent` of the samples do not exceed.
pub fn percentile(samples: &mut [Duration], percent: usize) -> Duration {
    samples.sort_unstable();
    let at = (samples.len() * percent).div_ceil(100).saturating_sub(1);
    samples.get(at).copied().unwrap_or_default()
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

#[expect(clippy::print_stdout, reason = "the results are what this program is for")]
pub fn print(text: &str) {
    println!("{text}");
}
