//! `gatepost`: see `gatepost --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatepost::cli::run(std::env::args_os().collect())
}
