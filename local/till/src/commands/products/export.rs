//! `till products export`: all products, in a file that `import` reads.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::all::all;
use super::file::{self, Format};
use crate::commands::console::{Consent, count, print, write_out};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;

#[derive(Args)]
pub(in crate::commands) struct Export {
    /// A .csv, .jsonl or .json file, or - for stdout
    #[arg(default_value = "-")]
    file: PathBuf,
    /// The file's format [default: by the end of its name; stdout: jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let format = Format::of(&self.file, self.format)?;
        let shop = self.operator.shop().await?;
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
            self.consent
                .ask(&format!("{name} exists already. Replace it?"))?;
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
        self.operator
            .show(&exported, || format!("{written} written to {name}.\n"))?;
        Ok(Exit::Done)
    }
}
