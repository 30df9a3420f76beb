//! Made-up messages, each for one thing that mail does.

use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "corpus"].iter().collect()
}

#[allow(dead_code, reason = "not every test file reads single messages")]
pub fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join(name).with_extension("eml")).unwrap()
}

/// All messages, with their names.
#[allow(dead_code, reason = "not every test file reads all messages")]
pub fn all() -> Vec<(String, Vec<u8>)> {
    let mut messages: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    messages.sort();
    assert!(messages.len() > 20);
    messages
}
