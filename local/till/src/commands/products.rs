//! `till products`: what is for sale.

mod all;
mod download;
mod export;
mod field;
mod file;
mod images;
mod import;
mod list;
mod one;
mod patch;
mod set;
mod step;

use clap::Subcommand;

pub(super) use self::all::all;
use super::exit::Exit;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all products, including those that are not for sale
    List(list::List),
    /// Add and change products from a file
    #[command(long_about = import::ABOUT)]
    Import(import::Import),
    /// Write all products to a file that `import` reads
    Export(export::Export),
    /// Change one product: `set mug price=1600 active=false stock=+20`
    #[command(long_about = set::ABOUT)]
    Set(set::Set),
    /// Upload what buyers of a product download
    #[command(subcommand)]
    File(download::Command),
    /// Upload pictures of a product
    #[command(subcommand)]
    Images(images::Command),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run().await,
            Self::Import(import) => import.run().await,
            Self::Export(export) => export.run().await,
            Self::Set(set) => set.run().await,
            Self::File(command) => command.run().await,
            Self::Images(command) => command.run().await,
        }
    }
}
