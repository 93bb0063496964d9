//! `till products file`: what a product's buyers download.

mod push;
mod remove;

use clap::Subcommand;

use crate::commands::exit::Exit;

#[derive(Subcommand)]
pub(in crate::commands) enum Command {
    /// Upload a file that buyers of a product download
    #[command(long_about = push::ABOUT)]
    Push(push::Push),
    /// Sell a product without its file from now on
    #[command(long_about = remove::ABOUT)]
    Remove(remove::Remove),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Push(push) => push.run().await,
            Self::Remove(remove) => remove.run().await,
        }
    }
}
