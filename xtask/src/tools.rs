//! The programs from elsewhere that the tests drive: clients, and tools of CI.

use std::io::Write;
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
    ("javac", "default-jdk-headless"),
    ("kinit", "krb5-user"),
    ("faketime", "faketime"),
    ("slapd", "slapd"),
    ("ldapmodify", "ldap-utils"),
];

/// Perl modules that the tests use, also where a package only recommends them: swaks speaks TLS and NTLM by these.
const PERL_MODULES: &[(&str, &str)] = &[
    ("Net::SSLeay", "libnet-ssleay-perl"),
    ("IO::Socket::SSL", "libio-socket-ssl-perl"),
    ("Authen::NTLM", "libauthen-ntlm-perl"),
];

/// Debian packages without a program that people run: what the feature `kerberos` is built with, and what tests use.
const PACKAGES: &[&str] = &[
    "libjakarta-mail-java",
    "libclang-dev",
    "libkrb5-dev",
    "krb5-kdc",
    "krb5-admin-server",
    "libsasl2-modules-gssapi-mit",
    "python3-gssapi",
];

/// Installs what is missing where that can be done, else says how; in CI a missing program is a failure.
pub fn provide() -> Result<(), String> {
    let programs = PROGRAMS.iter().filter(|(program, _)| !on_path(program));
    let modules = PERL_MODULES.iter().filter(|(module, _)| !has_perl_module(module));
    let others = PACKAGES.iter().copied().filter(|package| !is_installed(package));
    let packages: Vec<&str> = programs.chain(modules).map(|(_, package)| *package).chain(others).collect();
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
const CARGO_FUZZ: &str = "^0.13";

fn install(packages: &[&str]) -> Result<(), String> {
    let how = format!("apt-get install --yes {}", packages.join(" "));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !is_root || !on_path("apt-get") {
        if std::env::var_os("CI").is_some() {
            return Err(format!("missing programs; install them with: {how}"));
        }
        eprintln!(
            "Tests with these are left out, and what is built with them fails, until they are installed: sudo {how}"
        );
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
    if packages.contains(&"slapd") {
        leave_unconfigured()?;
    }
    apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat())
}

/// A directory of the machine's own is not wanted: without a configuration, the package starts none.
fn leave_unconfigured() -> Result<(), String> {
    let failed = |error: std::io::Error| format!("debconf-set-selections: {error}");
    let mut debconf = Command::new("debconf-set-selections").stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = debconf.stdin.take() {
        stdin.write_all(b"slapd slapd/no_configuration boolean true\n").map_err(failed)?;
    }
    let status = debconf.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("debconf-set-selections ended with {status}")) }
}

fn has_perl_module(module: &str) -> bool {
    let tried = Command::new("perl").arg(format!("-M{module}")).args(["-e", "1"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${db:Status-Status}", package]).stderr(Stdio::null());
    query.output().is_ok_and(|output| output.stdout == b"installed")
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home_bin = std::env::var_os("CARGO_HOME").map(|home| PathBuf::from(home).join("bin"));
    // Where servers are.
    let system = PathBuf::from("/usr/sbin");
    std::env::split_paths(&path).chain(home_bin).chain([system]).any(|folder| folder.join(program).is_file())
}

/// Runs each fuzz target for a short while on top of its corpus, where nightly Rust is there. The corpora run as plain
/// tests in any case.
pub fn fuzz() -> Result<(), String> {
    const SECONDS: u32 = 10;
    let nightly = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.arg("+nightly").args(arguments);
        command
    };
    let has_nightly = nightly(&["--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !has_nightly.is_ok_and(|status| status.success()) {
        eprintln!("Left out: it needs nightly Rust (rustup toolchain install nightly)");
        return Ok(());
    }
    if !on_path("cargo-fuzz") {
        cargo(&["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ])?;
    }
    let list = nightly(&["fuzz", "list"]).output().map_err(|error| format!("cargo fuzz list: {error}"))?;
    let targets = String::from_utf8_lossy(&list.stdout);
    if targets.trim().is_empty() {
        return Err("cargo fuzz list names no targets".into());
    }
    for target in targets.split_whitespace() {
        // What is found new goes to a scratch corpus; the repository's grows by hand.
        let found = format!("fuzz/target/found/{target}");
        std::fs::create_dir_all(&found).map_err(|error| format!("{found}: {error}"))?;
        let (corpus, limit) = (format!("fuzz/corpus/{target}"), format!("-max_total_time={SECONDS}"));
        let mut command = nightly(&["fuzz", "run", target, &found, &corpus, "--", &limit]);
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        if !output.status.success() {
            // Its end holds the panic and the input that led there.
            let text = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = text.lines().collect();
            let end = lines.get(lines.len().saturating_sub(80)..).unwrap_or_default().join("\n");
            return Err(format!("{end}\n{command:?} ended with {}", output.status));
        }
    }
    Ok(())
}
