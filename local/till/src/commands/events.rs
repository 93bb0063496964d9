//! `till events`: Stripe's events that were put aside, and taking events in again.

use std::collections::BTreeMap;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use shared::inbox::{Inbox, Receipt};
use shared::purchase::{PurchaseId, Status, Subject};
use shared::store::operator::{ParkedEvent, ParkedEvents};
use time::{Date, Duration, OffsetDateTime};

use super::console::{Column, Console, Table, bad, count, dim, good, notable, plain};
use super::exit::{Exit, NotFound};
use super::moment::{Since, minute, rfc3339};
use super::shop::{Shop, Where};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists events that were authentic but could not be recorded
    Parked(ListParked),
    /// Takes events in again: by id, or all that are parked
    #[command(long_about = REPLAY)]
    Replay(Replay),
}

const REPLAY: &str = "\
Takes events in again, exactly as if Stripe had just delivered them.

By id (evt_…): what is parked under it or, if nothing is, what Stripe has; it keeps events for 30
days. Or --parked: all that are parked. What was recorded before is not recorded twice, so an event
may be replayed as often as you like. A parked event that goes well is parked no more.";

#[derive(Args)]
pub(super) struct ListParked {
    /// Only those that Stripe made since: 2026-11-24, 7d, 12h [default: 90 days, all that are kept]
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

#[derive(Args)]
pub(super) struct Replay {
    /// Ids of events, evt_…
    #[arg(
        required_unless_present = "parked",
        conflicts_with = "parked",
        value_name = "EVENT"
    )]
    ids: Vec<String>,
    /// All that are parked
    #[arg(long)]
    parked: bool,
    /// With --parked, only those that Stripe made since: 2026-11-24, 7d, 12h
    #[arg(long, value_name = "TIME", requires = "parked")]
    since: Option<Since>,
    /// Show what would be recorded, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Parked(list) => list.run().await,
            Self::Replay(replay) => replay.run().await,
        }
    }
}

/// How long parked events are kept.
const KEPT: Duration = Duration::days(90);
/// Days that are read at once.
const AT_ONCE: usize = 8;

impl ListParked {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let events = parked(&shop.parked()?, self.since, self.console).await?;
        #[derive(Serialize)]
        struct Listed {
            events: Vec<ParkedView>,
        }
        #[derive(Serialize)]
        struct ParkedView {
            id: String,
            #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
            kind: Option<String>,
            why: String,
            parked_at: String,
            /// Too large to be kept: a replay asks Stripe for it.
            too_large: bool,
        }
        let views = events.iter().map(|event| ParkedView {
            id: event.id.clone(),
            kind: kind_of(event),
            why: event.why.clone(),
            parked_at: rfc3339(event.parked_at),
            too_large: event.body.is_none(),
        });
        let listed = Listed {
            events: views.collect(),
        };
        self.console.show(&listed, || {
            if listed.events.is_empty() {
                return "No events are parked.\n".to_owned();
            }
            let mut table = Table::new([
                Column::left("PARKED (UTC)"),
                Column::left("EVENT").giving_way(),
                Column::left("TYPE").giving_way(),
                Column::left("WHY").giving_way(),
            ]);
            for (event, view) in events.iter().zip(&listed.events) {
                table.row([
                    minute(event.parked_at),
                    plain(&view.id),
                    plain(view.kind.as_deref().unwrap_or("–")),
                    plain(&view.why),
                ]);
            }
            table.text()
        })?;
        Ok(if events.is_empty() {
            Exit::Done
        } else {
            Exit::Found
        })
    }
}

fn kind_of(event: &ParkedEvent) -> Option<String> {
    let body: Value = serde_json::from_slice(event.body.as_deref()?).ok()?;
    Some(body.get("type")?.as_str()?.to_owned())
}

/// What is parked, oldest first.
async fn parked(
    table: &ParkedEvents,
    since: Option<Since>,
    console: Console,
) -> anyhow::Result<Vec<ParkedEvent>> {
    let now = OffsetDateTime::now_utc();
    let since = since.map_or_else(|| now.saturating_sub(KEPT), |since| since.0);
    // Clocks differ: Stripe's day may have begun already.
    let last = now.date().next_day();
    let mut days = Vec::new();
    let mut day = Some(since.date());
    while let Some(this) = day.filter(|day| Some(*day) <= last) {
        days.push(this);
        day = this.next_day();
    }
    let bar = console.progress(days.len(), "days read");
    let events = stream::iter(days).map(|day| {
        let bar = &bar;
        async move {
            let events = table.of_day(day).await?;
            bar.inc(1);
            anyhow::Ok(events)
        }
    });
    let events: Vec<Vec<ParkedEvent>> = events.buffered(AT_ONCE).try_collect().await?;
    bar.finish_and_clear();
    Ok(events.into_iter().flatten().collect())
}

/// What became of an event.
#[derive(Serialize)]
struct Replayed {
    id: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<PurchaseId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Replay {
    async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let table = shop.parked()?;
        let events = if self.parked {
            let events = parked(&table, self.since, self.console).await?;
            events.into_iter().map(Found::Parked).collect()
        } else {
            self.find(&shop, &table).await?
        };
        let inbox = match self.dry_run {
            true => Inbox::dry_run(&shop.environment).await?,
            false => {
                shop.announce_writing(self.console);
                Inbox::new(&shop.environment).await?
            }
        };
        let bar = self.console.progress(events.len(), "replaying");
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
                let events = parked(table, None, self.console).await?;
                let by_id = events.into_iter().map(|event| (event.id.clone(), event));
                all = Some(by_id.collect());
            }
            let kept = all.as_mut().and_then(|all| all.remove(id));
            found.push(Found::Parked(kept.with_context(|| {
                NotFound(format!(
                    "there is no event {id}: it is not parked in {}, and Stripe, which forgets \
                     events after 30 days, does not know it",
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
            purchase: None,
            status: None,
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
                        let why = "it was too large to be kept, and Stripe has forgotten it";
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
                    subject: Subject::Purchase(purchase),
                    status,
                    ..
                } = &receipt
                {
                    (replayed.purchase, replayed.status) = (Some(*purchase), Some(*status));
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
        self.console.show(&told, || {
            if events.is_empty() {
                return "No events are parked.\n".to_owned();
            }
            let mut table = Table::new([
                Column::left("EVENT").giving_way(),
                Column::left("OUTCOME"),
                Column::left("PURCHASE"),
            ]);
            for event in &events {
                table.row([
                    plain(&event.id),
                    outcome(event),
                    event.purchase.map_or(String::new(), |id| id.to_string()),
                ]);
            }
            let mut text = table.text();
            if self.dry_run {
                text.push_str("That is what would be. Nothing was written.\n");
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
                self.console.note(&plain(failed));
            }
            let failed = count(failed.len(), "event");
            anyhow::bail!("{failed} could not be replayed; try again");
        }
        let parked = Receipt::Parked.as_str();
        Ok(match events.iter().any(|event| event.outcome == parked) {
            true => Exit::Found,
            false => Exit::Done,
        })
    }
}

fn outcome(event: &Replayed) -> String {
    match (event.outcome, event.status) {
        (outcome, Some(status)) => {
            format!(
                "{} {}",
                good(outcome),
                super::purchases::view::status(status)
            )
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
