//! Plays the transcripts of `tests/transcripts` against the server; see the README there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod in_memory;
mod pattern;
mod player;
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
        if let Err(why) = player::play(&script, &server).await {
            failures.push(format!("{}: {why}", file.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
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
