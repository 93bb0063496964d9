//! `till site`: the static site, as it is uploaded.

mod build;
mod config;
mod folder;
mod html;
mod json_ld;
mod listing;
mod modules;
mod product_page;
mod texts;

use clap::Subcommand;

use super::exit::Exit;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write the site with a page for each product
    #[command(long_about = build::ABOUT)]
    Build(build::Build),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Build(build) => build.run().await,
        }
    }
}
