//! The programs from elsewhere that the tests drive: clients, and tools of CI.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::steps::{cargo, run};

/// A program on PATH, and the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("swaks", "swaks"),
    ("python3", "python3"),
    ("mbsync", "isync"),
    ("fetchmail", "fetchmail"),
    ("mutt", "mutt"),
    ("msmtp", "msmtp"),
];

/// Installs what is missing where that can be done, else says how; in CI a missing program is a failure.
pub fn provide() -> Result<(), String> {
    let packages: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if !packages.is_empty() {
        install(&packages)?;
    }
    if !on_path("cargo-deny") {
        cargo(&["install", "cargo-deny", "--locked", "--version", CARGO_DENY])?;
    }
    Ok(())
}

/// The newest that builds with the Rust of this workspace.
const CARGO_DENY: &str = "^0.20";

fn install(packages: &[&str]) -> Result<(), String> {
    let how = format!("apt-get install --yes {}", packages.join(" "));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !is_root || !on_path("apt-get") {
        if std::env::var_os("CI").is_some() {
            return Err(format!("missing programs; install them with: {how}"));
        }
        eprintln!("Tests with these clients are left out until they are installed with: sudo {how}");
        return Ok(());
    }
    let apt = |arguments: &[&str]| {
        run(Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null()))
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat())
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home_bin = std::env::var_os("CARGO_HOME").map(|home| PathBuf::from(home).join("bin"));
    std::env::split_paths(&path).chain(home_bin).any(|folder| folder.join(program).is_file())
}

/// Runs each fuzz target for a short while. Their corpora run as plain tests in any case.
pub fn fuzz() -> Result<(), String> {
    const SECONDS: u32 = 10;
    let nightly = Command::new("cargo")
        .args(["+nightly", "fuzz", "--version"])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status();
    if !nightly.is_ok_and(|status| status.success()) {
        eprintln!(
            "Left out: needs nightly Rust and cargo-fuzz (rustup toolchain install nightly; cargo install cargo-fuzz)"
        );
        return Ok(());
    }
    let list = Command::new("cargo").args(["+nightly", "fuzz", "list"]).output().map_err(|error| error.to_string())?;
    for target in String::from_utf8_lossy(&list.stdout).split_whitespace() {
        let limit = format!("-max_total_time={SECONDS}");
        run(Command::new("cargo").args(["+nightly", "fuzz", "run", target, "--", &limit]))?;
    }
    Ok(())
}
