//! `till events`: Stripe's events that could not be recorded, replaying events, and publishing those
//! for other systems again.

mod list;
mod parked;
mod publish;
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
    /// Publish events for other systems again: of some purchases, or since a time
    #[command(long_about = publish::ABOUT)]
    Publish(publish::Publish),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Parked(list) => list.run().await,
            Self::Replay(replay) => replay.run().await,
            Self::Publish(publish) => publish.run().await,
        }
    }
}
