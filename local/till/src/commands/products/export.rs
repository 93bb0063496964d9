//! `till products export`: all products, in a file that `import` reads.

use clap::Args;

use super::all::all;
use super::file::{self, Format};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;
use crate::commands::output::Output;

#[derive(Args)]
pub(in crate::commands) struct Export {
    #[command(flatten)]
    output: Output,
    /// The file's format [default: by the end of its name, .csv, .jsonl or .json; stdout: jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    operator: Operator,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let format = Format::of(self.output.path(), self.format)?;
        let shop = self.operator.shop().await?;
        let products = all(&shop.shelf()?).await?;
        let text = file::write(&products, format)?;
        self.output
            .write(&self.operator, &text, products.len(), "product")?;
        Ok(Exit::Done)
    }
}
