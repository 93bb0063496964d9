//! Where data goes that a command writes: a file, or standard output.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::console::{Consent, count, print, write_out};
use super::operator::Operator;

#[derive(Args)]
pub(super) struct Output {
    /// A file, or - for stdout
    #[arg(default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    consent: Consent,
}

/// Whether `-` stands for stdin or stdout.
pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Output {
    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// Writes the data, which has this many of a thing, and says so. Asks before it replaces a file.
    pub(super) fn write(
        &self,
        operator: &Operator,
        text: &str,
        number: usize,
        thing: &str,
    ) -> anyhow::Result<()> {
        if is_standard(&self.file) {
            // In a file or a pipe it is data.
            return match std::io::stdout().is_terminal() {
                true => print(text),
                false => write_out(text),
            };
        }
        let name = self.file.display().to_string();
        if self.file.exists() {
            self.consent
                .ask(&format!("{name} exists already. Replace it?"))?;
        }
        save(&self.file, text)?;
        let written = json!({ "file": name, format!("{thing}s"): number });
        operator.show(&written, || {
            format!("{} written to {name}.\n", count(number, thing))
        })
    }
}

/// Writes a file whole or, if that fails, not at all.
fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    let unwritable = || format!("cannot write {}", path.display());
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = Path::new(&name);
    std::fs::write(part, text)
        .and_then(|()| std::fs::rename(part, path))
        .with_context(unwritable)
}
