//! Plays histories of the shop as it is here.

use std::process::ExitCode;

// A history is thousands of small texts and maps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    storm::main(None)
}
