//! The whole shop on one machine. See the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    till::commands::run(till::wiring::deployed())
}
