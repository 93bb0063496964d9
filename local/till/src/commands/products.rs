//! `till products`: what is for sale.

mod all;
mod export;
mod field;
mod file;
mod import;
mod list;
mod patch;
mod set;
mod step;

use clap::Subcommand;

use super::exit::Exit;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists all products, those that are not for sale, too
    List(list::List),
    /// Adds and changes products as a file says
    #[command(long_about = import::ABOUT)]
    Import(import::Import),
    /// Writes all products to a file that `import` reads
    Export(export::Export),
    /// Changes one product: `set mug price=1600 active=false stock=+20`
    #[command(long_about = set::ABOUT)]
    Set(set::Set),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run().await,
            Self::Import(import) => import.run().await,
            Self::Export(export) => export.run().await,
            Self::Set(set) => set.run().await,
        }
    }
}
