//! Events that were put aside, and replaying them, exactly as if Stripe had just delivered them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use shared::clock::rfc3339;
use shared::inbox::{Inbox, Receipt};
use shared::purchase::Subject;
use shared::standing::Standing;
use shared::store::operator::{ParkedEvent, ParkedEvents};
use shared::view::by_kind;
use time::{Date, Duration, OffsetDateTime};

use crate::shop::{NotFound, Shop};

/// How long parked events are kept.
pub const KEPT: Duration = Duration::days(90);

/// Days that are read at once.
const AT_ONCE: usize = 8;

/// A parked event, as JSON.
#[derive(Serialize)]
pub struct ParkedView {
    /// Its id.
    pub id: String,
    /// Its type, if it can be read.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What kept it from being recorded.
    pub why: String,
    parked_at: String,
    /// Too large to be kept: a replay asks Stripe for it.
    too_large: bool,
}

impl ParkedView {
    /// As it is shown in a list.
    pub fn of(event: &ParkedEvent) -> Self {
        Self {
            id: event.id.clone(),
            kind: kind_of(event),
            why: event.why.clone(),
            parked_at: rfc3339(event.parked_at),
            too_large: event.body.is_none(),
        }
    }
}

fn kind_of(event: &ParkedEvent) -> Option<String> {
    let body: Value = serde_json::from_slice(event.body.as_deref()?).ok()?;
    Some(body.get("type")?.as_str()?.to_owned())
}

/// The days of which events may still be parked at `now`, in Unix seconds: since then, or as long as they
/// are kept.
pub fn days(since: Option<OffsetDateTime>, now: i64) -> Vec<Date> {
    let now = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let since = since.unwrap_or_else(|| now.saturating_sub(KEPT));
    // Clocks differ: Stripe's day may have begun already.
    let last = now.date().next_day();
    let mut days = Vec::new();
    let mut day = Some(since.date());
    while let Some(this) = day.filter(|day| Some(*day) <= last) {
        days.push(this);
        day = this.next_day();
    }
    days
}

/// What is parked of these days, oldest first. `read` hears of each day that was read.
pub async fn parked(
    table: &ParkedEvents,
    days: Vec<Date>,
    read: impl Fn(),
) -> anyhow::Result<Vec<ParkedEvent>> {
    let read = &read;
    let events = stream::iter(days).map(|day| async move {
        let events = table.of_day(day).await?;
        read();
        anyhow::Ok(events)
    });
    let events: Vec<Vec<ParkedEvent>> = events.buffered(AT_ONCE).try_collect().await?;
    Ok(events.into_iter().flatten().collect())
}

/// An event to replay.
pub enum Found {
    /// It is parked.
    Parked(ParkedEvent),
    /// Stripe has it.
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

/// The events with these ids, each of which must be found before any is replayed.
pub async fn find(shop: &Shop, ids: &[String]) -> anyhow::Result<Vec<Found>> {
    let (stripe, table) = (shop.stripe().await?, shop.parked()?);
    let mut found = Vec::new();
    // Read only if Stripe does not know an event, which says on which day to look.
    let mut all: Option<BTreeMap<String, ParkedEvent>> = None;
    for id in ids {
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
            let events = parked(&table, days(None, shop.now()), || ()).await?;
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

fn day_of(event: &Value) -> Option<Date> {
    let created = event.get("created")?.as_i64()?;
    let created = OffsetDateTime::from_unix_timestamp(created).ok()?;
    Some(created.date())
}

/// What became of an event.
#[derive(Serialize)]
pub struct Replayed {
    /// Its id.
    pub id: String,
    /// In a word; `failed` if there is an error.
    pub outcome: &'static str,
    /// What was recorded, if anything was.
    #[serde(flatten)]
    pub recorded: Option<Recorded>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What was recorded, and of what.
#[derive(Serialize)]
pub struct Recorded {
    /// Of what.
    #[serde(flatten, serialize_with = "by_kind")]
    pub subject: Subject,
    /// How that stands now.
    pub status: Standing,
}

impl Replayed {
    fn failed(id: &str, why: String) -> Self {
        Self {
            id: id.to_owned(),
            outcome: "failed",
            recorded: None,
            error: Some(why),
        }
    }
}

/// Replays an event. If it goes well, it is no longer parked, unless this `is_dry`.
pub async fn replay(
    shop: &Shop,
    inbox: &Inbox,
    event: &Found,
    is_dry: bool,
) -> anyhow::Result<Replayed> {
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
                    return Ok(Replayed::failed(id, why.to_owned()));
                }
            }
        }
    };
    let receipt = match inbox.take(&body, shop.now()).await {
        Ok(receipt) => receipt,
        Err(error) => return Ok(Replayed::failed(event.id(), error.to_string())),
    };
    if let Found::Parked(event) = event
        && !matches!(receipt, Receipt::Parked | Receipt::ParkedBefore)
        && !is_dry
    {
        shop.parked()?.forget(event).await?;
    }
    let outcome = receipt.as_str();
    let recorded = match receipt {
        Receipt::Recorded {
            subject, status, ..
        } => Some(Recorded { subject, status }),
        _ => None,
    };
    Ok(Replayed {
        id: event.id().to_owned(),
        outcome,
        recorded,
        error: None,
    })
}
