//! The steps of CI, a row each.

use std::process::Command;

use crate::{graph, tools};

pub struct Step {
    pub name: &'static str,
    pub meaning: &'static str,
    pub run: fn() -> Result<(), String>,
}

pub fn all() -> Vec<Step> {
    vec![
        Step { name: "tools", meaning: "the programs that the tests use are there", run: tools::provide },
        Step { name: "fmt", meaning: "the code is formatted", run: || cargo(&["fmt", "--all", "--check"]) },
        Step { name: "graph", meaning: "crates use only what stands beneath them", run: graph::check },
        Step {
            name: "clippy",
            meaning: "no lint warns",
            run: || cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]),
        },
        Step {
            name: "deny",
            meaning: "licences are permissive, no dependency is there twice unless listed",
            run: || cargo(&["deny", "--all-features", "check", "licenses", "bans", "sources"]),
        },
        Step { name: "doc", meaning: "the documentation builds", run: doc },
        Step { name: "test", meaning: "every test", run: || cargo(&["test", "--workspace", "--all-features"]) },
        Step {
            name: "fuzz",
            meaning: "each fuzz target for a short while, where nightly Rust is there",
            run: tools::fuzz,
        },
    ]
}

/// Runs cargo; the toolchain is the one that runs this.
pub fn cargo(arguments: &[&str]) -> Result<(), String> {
    run(Command::new(env!("CARGO")).args(arguments))
}

/// Runs a program to its end, its output shown.
pub fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    status.success().then_some(()).ok_or_else(|| format!("{command:?} ended with {status}"))
}

fn doc() -> Result<(), String> {
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--all-features"];
    run(Command::new(env!("CARGO")).args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
}
