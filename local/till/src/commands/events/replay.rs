//! `till events replay`.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use shared::inbox::{Inbox, Receipt};
use shared::purchase::Subject;
use shared::standing::Standing;
use shared::store::operator::{ParkedEvent, ParkedEvents};
use shared::view::by_kind;
use time::{Date, OffsetDateTime};

use super::parked::parked;
use crate::commands::console::{
    Column, DRY_RUN, Table, bad, count, dim, good, notable, note, plain, progress,
};
use crate::commands::exit::{Exit, NotFound};
use crate::commands::moment::Since;
use crate::commands::operator::Operator;
use crate::commands::purchases::view;
use crate::commands::shop::Shop;

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

/// What became of an event.
#[derive(Serialize)]
struct Replayed {
    id: String,
    outcome: &'static str,
    #[serde(flatten)]
    recorded: Option<Recorded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What was recorded, and of what.
#[derive(Serialize)]
struct Recorded {
    #[serde(flatten, serialize_with = "by_kind")]
    subject: Subject,
    status: Standing,
}

impl Replay {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let table = shop.parked()?;
        let events = if self.parked {
            let events = parked(&table, self.since).await?;
            events.into_iter().map(Found::Parked).collect()
        } else {
            self.find(&shop, &table).await?
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
            replayed.push(self.replay(&inbox, &table, &shop, event).await?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        self.tell(replayed)
    }

    /// The events with the ids that were said, each of which must be found before any is replayed.
    async fn find(&self, shop: &Shop, table: &ParkedEvents) -> anyhow::Result<Vec<Found>> {
        let stripe = shop.stripe().await?;
        let mut found = Vec::new();
        // Read only if Stripe does not know an event, which says on which day to look.
        let mut all: Option<BTreeMap<String, ParkedEvent>> = None;
        for id in &self.ids {
            let fetched: Option<Value> = match id.starts_with("evt_") {
                true => stripe.get(&format!("/events/{id}"), &[]).await?,
                false => None,
            };
            if let Some(event) = fetched {
                let kept = match day_of(&event) {
                    Some(day) => table.of_day(day).await?,
                    None => Vec::new(),
                };
                let kept = kept.into_iter().find(|kept| kept.id == *id);
                found.push(kept.map_or_else(|| Found::AtStripe(id.clone(), event), Found::Parked));
                continue;
            }
            if all.is_none() {
                let events = parked(table, None).await?;
                let by_id = events.into_iter().map(|event| (event.id.clone(), event));
                all = Some(by_id.collect());
            }
            let kept = all.as_mut().and_then(|all| all.remove(id));
            found.push(Found::Parked(kept.with_context(|| {
                NotFound(format!(
                    "there is no event {id}: it is not parked in {}, and Stripe, which keeps \
                     events for 30 days, does not have it",
                    shop.name()
                ))
            })?));
        }
        Ok(found)
    }

    async fn replay(
        &self,
        inbox: &Inbox,
        table: &ParkedEvents,
        shop: &Shop,
        event: &Found,
    ) -> anyhow::Result<Replayed> {
        let mut replayed = Replayed {
            id: event.id().to_owned(),
            outcome: "failed",
            recorded: None,
            error: None,
        };
        let body = match event {
            Found::AtStripe(_, event) => event.to_string().into_bytes(),
            Found::Parked(ParkedEvent {
                body: Some(body), ..
            }) => body.clone(),
            Found::Parked(ParkedEvent { id, .. }) => {
                let stripe = shop.stripe().await?;
                let fetched: Option<Value> = stripe.get(&format!("/events/{id}"), &[]).await?;
                match fetched {
                    Some(event) => event.to_string().into_bytes(),
                    None => {
                        let why = "it was too large to be kept, and Stripe no longer has it";
                        replayed.error = Some(why.to_owned());
                        return Ok(replayed);
                    }
                }
            }
        };
        match inbox.take(&body, shop.now()).await {
            Err(error) => replayed.error = Some(error.to_string()),
            Ok(receipt) => {
                replayed.outcome = receipt.as_str();
                if let Receipt::Recorded {
                    subject, status, ..
                } = &receipt
                {
                    replayed.recorded = Some(Recorded {
                        subject: subject.clone(),
                        status: *status,
                    });
                }
                if let Found::Parked(event) = event
                    && !matches!(receipt, Receipt::Parked | Receipt::ParkedBefore)
                    && !self.dry_run
                {
                    table.forget(event).await?;
                }
            }
        }
        Ok(replayed)
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

/// An event to replay.
enum Found {
    Parked(ParkedEvent),
    AtStripe(String, Value),
}

impl Found {
    fn id(&self) -> &str {
        match self {
            Self::Parked(event) => &event.id,
            Self::AtStripe(id, _) => id,
        }
    }
}

fn day_of(event: &Value) -> Option<Date> {
    let created = event.get("created")?.as_i64()?;
    let created = OffsetDateTime::from_unix_timestamp(created).ok()?;
    Some(created.date())
}
