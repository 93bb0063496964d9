//! Every input in the corpus, with every change: those written by hand, and those that a fuzzer found.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn entries(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn no_input_that_is_kept_makes_anything_false() {
    for (name, run) in TARGETS {
        let mut inputs = entries(&corpus().join(name));
        assert!(!inputs.is_empty(), "{name} has nothing to begin with");
        if ["request", "webhook"].contains(&name) {
            // What Lambda passes on.
            inputs.extend(entries(
                &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events"),
            ));
        }
        for input in inputs {
            let bytes = fs::read(&input).unwrap();
            let outcome = std::panic::catch_unwind(|| run(&bytes));
            assert!(outcome.is_ok(), "{}", input.display());
        }
    }
}

#[test]
fn every_folder_of_the_corpus_is_a_target() {
    let folders = entries(&corpus());
    let targets: BTreeSet<_> = TARGETS
        .iter()
        .map(|(name, _)| corpus().join(name))
        .collect();
    assert_eq!(folders, targets);
}
