//! `gatepost`: see `gatepost --help`.

use std::process::ExitCode;

/// See docs/decisions/0004-the-allocator.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gatepost::cli::run(std::env::args_os().collect())
}
