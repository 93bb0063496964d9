//! Plays histories in which an earlier version of the code is at work, too.

use std::process::ExitCode;

use storm::{Code, Failure, Function, Surroundings};

/// The earlier version's: in this package, its crates are called `shared`, `checkout` and so on.
#[path = "../../src/code.rs"]
mod code;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    storm::main(Some(code::start))
}
