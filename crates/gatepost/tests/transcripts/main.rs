//! Plays the transcripts of `tests/transcripts` against the server; see the README there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;
mod in_memory;
mod pattern;
mod player;
mod program;
mod script;

use std::fs;
use std::path::{Path, PathBuf};

use script::{Port, Script};

/// The transcripts of one protocol, by name.
fn scripts(port: Port) -> Vec<(PathBuf, Script)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts").join(port.name());
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no transcripts in {}", folder.display());
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let script = Script::parse(&text, port).unwrap_or_else(|wrong| panic!("{}: {wrong}", file.display()));
            (file, script)
        })
        .collect()
}

/// Plays all of them, then fails with everything that went wrong.
async fn play_in_memory(port: Port) {
    let mut failures = Vec::new();
    for (file, script) in scripts(port) {
        let server = in_memory::Server::start(&script, port).await;
        note(&mut failures, &file, player::play(&script, &server).await);
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

/// The same against the real program.
async fn play_over_the_network(port: Port) {
    let mut failures = Vec::new();
    for (file, script) in scripts(port) {
        let server = program::Server::start(&script, port).await;
        note(&mut failures, &file, player::play(&script, &server).await);
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

fn note(failures: &mut Vec<String>, file: &Path, played: player::Played) {
    if let Err(why) = played {
        failures.push(format!("{}: {why}", file.file_name().unwrap().to_string_lossy()));
    }
}

#[tokio::test]
async fn pop3_in_memory() {
    play_in_memory(Port::Pop3).await;
}

#[tokio::test]
async fn imap_in_memory() {
    play_in_memory(Port::Imap).await;
}

#[tokio::test]
async fn smtp_in_memory() {
    play_in_memory(Port::Smtp).await;
}

#[tokio::test]
async fn pop3_over_the_network() {
    play_over_the_network(Port::Pop3).await;
}

#[tokio::test]
async fn smtp_over_the_network() {
    play_over_the_network(Port::Smtp).await;
}

#[tokio::test]
async fn imap_over_the_network() {
    play_over_the_network(Port::Imap).await;
}
