//! `till events replay`.

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use shared::inbox::{Inbox, Receipt};
use window::parked::{Found, Replayed, find, replay};

use super::parked::with_progress;
use crate::commands::console::{
    Column, DRY_RUN, Table, bad, count, dim, good, notable, note, plain, progress,
};
use crate::commands::exit::Exit;
use crate::commands::moment::Since;
use crate::commands::operator::Operator;
use crate::commands::purchases::view;

pub(super) const ABOUT: &str = "\
Replay events, exactly as if Stripe had just delivered them.

By id (evt_…), what is parked under that id is replayed or, if nothing is, what Stripe has; it keeps
events for 30 days. With --parked, everything that is parked is replayed. Nothing is recorded twice,
so an event may be replayed as often as you like. A parked event that goes well is no longer parked.";

#[derive(Args)]
pub(in crate::commands) struct Replay {
    /// Event ids: evt_…
    #[arg(
        required_unless_present = "parked",
        conflicts_with = "parked",
        value_name = "EVENT"
    )]
    ids: Vec<String>,
    /// Replay everything that is parked
    #[arg(long)]
    parked: bool,
    /// With --parked, only events that Stripe created since TIME, such as 2026-11-24, 7d or 12h
    #[arg(long, value_name = "TIME", requires = "parked")]
    since: Option<Since>,
    /// Show what would be recorded, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    operator: Operator,
}

impl Replay {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let events = if self.parked {
            let events = with_progress(&shop, self.since).await?;
            events.into_iter().map(Found::Parked).collect()
        } else {
            find(&shop, &self.ids).await?
        };
        let inbox = match self.dry_run {
            true => Inbox::dry_run(&shop.environment)?,
            false => {
                shop.announce_writing();
                Inbox::new(&shop.environment)?
            }
        };
        let bar = progress(events.len(), "replaying");
        let mut replayed = Vec::new();
        for event in &events {
            replayed.push(replay(&shop, &inbox, event, self.dry_run).await?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        self.tell(replayed)
    }

    fn tell(&self, events: Vec<Replayed>) -> anyhow::Result<Exit> {
        #[derive(Serialize)]
        struct Told<'a> {
            dry_run: bool,
            events: &'a [Replayed],
        }
        let told = Told {
            dry_run: self.dry_run,
            events: &events,
        };
        self.operator.show(&told, || {
            if events.is_empty() {
                return "No events are parked.\n".to_owned();
            }
            let mut table = Table::new([
                Column::left("EVENT").giving_way(),
                Column::left("OUTCOME"),
                Column::left("OF"),
            ]);
            for event in &events {
                let recorded = event.recorded.as_ref();
                let subject = recorded.map_or(String::new(), |it| it.subject.to_string());
                table.row([plain(&event.id), outcome(event), subject]);
            }
            let mut text = table.text();
            if self.dry_run {
                text.push_str(DRY_RUN);
            }
            text
        })?;
        let failed: Vec<_> = events
            .iter()
            .filter_map(|event| {
                let error = event.error.as_ref()?;
                Some(format!("{}: {error}", event.id))
            })
            .collect();
        if !failed.is_empty() {
            for failed in &failed {
                note(&plain(failed));
            }
            let failed = count(failed.len(), "event");
            bail!("{failed} could not be replayed; try again");
        }
        let parked = Receipt::Parked.as_str();
        Ok(match events.iter().any(|event| event.outcome == parked) {
            true => Exit::Found,
            false => Exit::Done,
        })
    }
}

fn outcome(event: &Replayed) -> String {
    match (event.outcome, &event.recorded) {
        (outcome, Some(recorded)) => {
            format!("{} {}", good(outcome), view::standing(recorded.status))
        }
        ("failed", None) => bad("failed"),
        ("parked", None) => notable("parked again"),
        (outcome, None) => dim(outcome),
    }
}
