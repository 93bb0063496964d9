//! Asking before what cannot be taken back.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use clap::Args;
use shared::plain::line as plain;

use super::terminal::for_terminal;

/// Whether to ask before doing what cannot be taken back.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::commands) struct Consent {
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
}

impl Consent {
    /// Goes on only with a yes, typed or piped in.
    pub(in crate::commands) fn ask(self, question: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        let stdin = std::io::stdin();
        let mut stderr = std::io::stderr();
        write!(stderr, "{} [y/N] ", for_terminal(question))
            .and_then(|()| stderr.flush())
            .context("cannot ask on standard error")?;
        let mut answer = String::new();
        stdin
            .read_line(&mut answer)
            .context("cannot read the answer")?;
        if !stdin.is_terminal() {
            // What was typed at a terminal shows there; this would not.
            let _ = writeln!(stderr, "{}", plain(answer.trim()));
        }
        if answer.is_empty() {
            bail!("nobody answered: pass --yes to go ahead without being asked");
        }
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            Ok(())
        } else {
            bail!("not confirmed, so nothing was done")
        }
    }
}
