//! `till products export`: all products, in a file that `import` reads.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::all::all;
use super::file::{self, Format};
use crate::commands::console::{Consent, Console, count, print, write_out};
use crate::commands::exit::Exit;
use crate::commands::shop::Where;

#[derive(Args)]
pub(in crate::commands) struct Export {
    /// A .csv, .jsonl or .json file, or - for stdout
    #[arg(default_value = "-")]
    file: PathBuf,
    /// How to write it [default: as the file's name says; stdout: jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let format = Format::of(&self.file, self.format)?;
        let shop = self.at.open().await?;
        let products = all(&shop.shelf()?).await?;
        let text = file::write(&products, format)?;
        if file::is_standard(&self.file) {
            // In a file or a pipe it is data.
            if std::io::stdout().is_terminal() {
                print(&text)?;
            } else {
                write_out(&text)?;
            }
            return Ok(Exit::Done);
        }
        let name = self.file.display().to_string();
        if self.file.exists() {
            self.consent.ask(&format!("{name} exists. Replace it?"))?;
        }
        file::save(&self.file, &text)?;
        #[derive(Serialize)]
        struct Exported {
            file: String,
            products: usize,
        }
        let written = count(products.len(), "product");
        let exported = Exported {
            file: name.clone(),
            products: products.len(),
        };
        self.console
            .show(&exported, || format!("{written} written to {name}.\n"))?;
        Ok(Exit::Done)
    }
}
