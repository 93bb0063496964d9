//! How a command ends, and the exit code that scripts go by.

use std::io::Write as _;
use std::process::ExitCode;

pub(super) use window::shop::NotFound;

use super::console::for_terminal;

/// What `--help` says of the codes.
pub(super) const CODES: &str = "\
Exit codes:
  0  done
  1  failed; stderr says why, and what to do
  2  the command line is wrong
  3  done, but something needs attention: drift, parked events, mail that did not go out,
     a refund that failed, rows that cannot be imported
  4  what the command is about does not exist";

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// There is nothing left to do.
    Done,
    /// It did its work, and somebody should look at what it found.
    Found,
}

/// The exit code. An error becomes one sentence on stderr.
pub(super) fn code(ended: anyhow::Result<Exit>) -> ExitCode {
    match ended {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Found) => ExitCode::from(3),
        Err(error) => {
            // Nobody can be told if stderr is gone.
            let _ = writeln!(
                std::io::stderr(),
                "{}",
                for_terminal(&format!("till: {error:#}"))
            );
            if error.is::<NotFound>() {
                ExitCode::from(4)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
