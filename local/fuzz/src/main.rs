//! Runs the target that `TILL_FUZZ` names, under libFuzzer: see `.ci/fuzz`.
#![no_main]

use std::sync::LazyLock;

use fuzz::{Run, TARGETS};

static TARGET: LazyLock<Run> = LazyLock::new(|| {
    let wanted = std::env::var("TILL_FUZZ").unwrap_or_default();
    let target = TARGETS.iter().find(|(name, _)| *name == wanted);
    target.map(|(_, run)| *run).unwrap_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "TILL_FUZZ={wanted}: not a target; set it to one of {}",
            names.join(", ")
        );
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
