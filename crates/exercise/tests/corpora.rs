//! Every file of every corpus, on any toolchain.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

#[test]
fn every_file_of_every_corpus_passes() {
    for (name, target) in exercise::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty(), "{} has a corpus", folder.display());
        for file in files {
            let data = std::fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| target(&data)).is_err() {
                panic!("{} fails", file.display());
            }
        }
    }
}
