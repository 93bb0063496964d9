//! `till events`: Stripe's events that could not be recorded, and replaying events.

mod list;
mod parked;
mod replay;

use clap::Subcommand;

use super::exit::Exit;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List events that were authentic but could not be recorded
    Parked(list::List),
    /// Replay events: by id, or all that are parked
    #[command(long_about = replay::ABOUT)]
    Replay(replay::Replay),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Parked(list) => list.run().await,
            Self::Replay(replay) => replay.run().await,
        }
    }
}
