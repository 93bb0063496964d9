//! `till products images`: pictures of products, on the site.

mod picture;
mod push;

use clap::Subcommand;

use crate::commands::exit::Exit;

#[derive(Subcommand)]
pub(in crate::commands) enum Command {
    /// Upload pictures to the site, and show them as a product's
    #[command(long_about = push::ABOUT)]
    Push(push::Push),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Push(push) => push.run().await,
        }
    }
}
