//! Every file of every corpus, on any toolchain.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use exercise::Mechanism;
use proto::logon::Verdict;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn corpus(name: &str) -> Vec<PathBuf> {
    let folder = fuzz().join("corpus").join(name);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} has a corpus", folder.display());
    files
}

#[test]
fn every_file_of_every_corpus_passes() {
    let fuzzed = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for (name, target) in exercise::TARGETS {
        assert!(fuzzed.contains(&format!("name = \"{name}\"\n")), "{name} is fuzzed");
        for file in corpus(name) {
            let data = std::fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| target(&data)).is_err() {
                panic!("{} fails", file.display());
            }
        }
    }
}

#[test]
fn every_mechanism_is_fuzzed_from_exchanges_that_are_granted_and_from_others() {
    for mechanism in Mechanism::ALL {
        let name = format!("sasl-{}", mechanism.name().to_lowercase());
        assert!(exercise::TARGETS.iter().any(|(target, _)| *target == name), "{name} is a target");
        let mut both = [false; 2];
        for file in corpus(&name) {
            let granted = exercise::verdict(mechanism, &std::fs::read(&file).unwrap()) == Some(Verdict::Granted);
            let claimed = file.file_name().unwrap().to_string_lossy().starts_with("granted");
            assert_eq!(granted, claimed, "{} is named for what it comes to", file.display());
            both[usize::from(granted)] = true;
        }
        assert_eq!(both, [true; 2], "{name}");
    }
}
