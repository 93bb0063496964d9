//! Holds `docs/PROMISES.md` to the sources: a test that it names exists.

#![allow(clippy::unwrap_used, reason = "a test ends so")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All Rust sources below a folder, in one text.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_a_promise_names_exists() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut text = String::new();
    for folder in ["shared", "functions", "local"] {
        sources(&root.join(folder), &mut text);
    }
    let page = fs::read_to_string(root.join("docs/PROMISES.md")).unwrap();
    let quoted = page.split('`').skip(1).step_by(2);
    let is_name = |name: &&str| {
        name.matches('_').count() >= 2
            && name
                .bytes()
                .all(|it| it == b'_' || it.is_ascii_alphanumeric())
    };
    let names: Vec<_> = quoted.filter(is_name).collect();
    assert!(
        names.len() > 20,
        "the page names too few tests to have been read"
    );
    let gone: Vec<_> = names
        .iter()
        .filter(|name| !text.contains(&format!("fn {name}(")))
        .collect();
    assert!(
        gone.is_empty(),
        "docs/PROMISES.md names no test of the sources: {gone:?}"
    );
}
