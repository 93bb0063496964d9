//! What has become of deliveries, try by try, for whoever looks.

use std::collections::BTreeMap;

use anyhow::Context as _;
use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::engine::ids::EventId;
use crate::engine::transaction::Transaction;
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::event::Event;

/// An event on its way to an endpoint, and how far it has come.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    /// The event's id.
    pub(crate) event: EventId,
    /// The event's type.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    /// The id of the endpoint it goes to, or [`LISTENER`].
    pub(crate) endpoint: String,
    /// Where that is.
    pub(crate) url: String,
    /// What has become of it.
    pub(crate) state: DeliveryState,
    /// When it is tried next, in seconds since 1970 by the stand-in's clock.
    pub(crate) next_attempt: Option<i64>,
    /// The request's body.
    pub(crate) body: String,
    /// Every try so far, oldest first.
    pub(crate) attempts: Vec<Attempt>,
}

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// Not taken yet.
    Pending,
    /// Answered with a 2xx.
    Delivered,
    /// Given up after three days; at once, if `stripe listen` has forwarded it.
    Failed,
    /// Dropped on request.
    Discarded,
}

/// One try.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// When, in seconds since 1970 by the stand-in's clock.
    pub(crate) at: i64,
    /// Where it went.
    pub(crate) url: String,
    /// The request's headers.
    pub(crate) request_headers: BTreeMap<String, String>,
    /// The answer's status.
    pub(crate) status: Option<u16>,
    /// The answer's headers, in their order; of some there may be several.
    pub(crate) answer_headers: Vec<(String, String)>,
    /// The answer's body, cut off at 64 KiB.
    pub(crate) answer: Option<String>,
    /// Why there is no answer.
    pub(crate) error: Option<String>,
    /// How long it took.
    pub(crate) milliseconds: u64,
}

impl Attempt {
    pub(super) fn taken(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

impl DeliveryState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }

    fn parse(state: &str) -> anyhow::Result<Self> {
        let states = [
            Self::Pending,
            Self::Delivered,
            Self::Failed,
            Self::Discarded,
        ];
        let state = states.into_iter().find(|known| known.as_str() == state);
        state.context("a delivery is in an unknown state")
    }
}

/// Keeps a try.
pub(super) fn keep_attempt(
    transaction: &Transaction<'_>,
    event: &EventId,
    endpoint: &str,
    attempt: &Attempt,
) -> anyhow::Result<()> {
    transaction.sql.execute(
        "INSERT INTO attempts_made (event, endpoint, body) VALUES (?1, ?2, ?3)",
        params![event, endpoint, serde_json::to_string(attempt)?],
    )?;
    Ok(())
}

/// What stands for an endpoint where an event was forwarded by `stripe listen`. It is none: nothing
/// is pending for it, and nothing is tried again.
pub(super) const LISTENER: &str = "stripe listen";

/// So many deliveries, or all, newest first.
pub(crate) fn newest(
    transaction: &Transaction<'_>,
    most: Option<u32>,
) -> anyhow::Result<Vec<Delivery>> {
    select(transaction, None, most)
}

/// How many deliveries there are, and how many of them are still to be made.
pub(crate) fn count(transaction: &Transaction<'_>) -> anyhow::Result<(u32, u32)> {
    let counted = "SELECT count(*), count(*) FILTER (WHERE state = ?1) FROM webhooks";
    let mut statement = transaction.sql.prepare_cached(counted)?;
    let pending = [DeliveryState::Pending.as_str()];
    Ok(statement.query_row(pending, |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// The deliveries of an event.
pub(crate) fn of_event(
    transaction: &Transaction<'_>,
    event: &str,
) -> anyhow::Result<Vec<Delivery>> {
    select(transaction, Some(event), None)
}

fn select(
    transaction: &Transaction<'_>,
    event: Option<&str>,
    most: Option<u32>,
) -> anyhow::Result<Vec<Delivery>> {
    let endpoints = transaction.all::<WebhookEndpoint>()?;
    let mut statement = transaction.sql.prepare_cached(
        "SELECT event, endpoint, webhooks.state, due, body FROM webhooks
         JOIN objects ON objects.id = event AND objects.kind = 'event'
         WHERE ?1 IS NULL OR event = ?1
         ORDER BY objects.sequence DESC, webhooks.rowid LIMIT ?2",
    )?;
    // A negative limit is none.
    let rows = statement.query_map(params![event, most.map_or(-1, i64::from)], |row| {
        Ok((
            row.get::<_, EventId>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, Option<i64>>(3)?,
            row.get::<_, String>(4)?,
        ))
    })?;
    let mut deliveries = Vec::new();
    for row in rows {
        let (event, endpoint, state, next_attempt, body) = row?;
        let attempts = attempts(transaction, &event, &endpoint)?;
        let known = endpoints.iter().find(|known| *known.id == *endpoint);
        let last_url = attempts.last().map(|attempt| &attempt.url);
        let url = last_url.or(known.map(|known| &known.url)).cloned();
        deliveries.push(Delivery {
            event_type: serde_json::from_str::<Event>(&body)?.event_type,
            url: url.unwrap_or_default(),
            state: DeliveryState::parse(&state)?,
            next_attempt,
            body,
            attempts,
            event,
            endpoint,
        });
    }
    Ok(deliveries)
}

fn attempts(
    transaction: &Transaction<'_>,
    event: &EventId,
    endpoint: &str,
) -> anyhow::Result<Vec<Attempt>> {
    let mut statement = transaction.sql.prepare_cached(
        "SELECT body FROM attempts_made WHERE event = ?1 AND endpoint = ?2 ORDER BY sequence",
    )?;
    let bodies = statement.query_map(params![event, endpoint], |row| row.get::<_, String>(0))?;
    bodies
        .map(|body| Ok(serde_json::from_str(&body?)?))
        .collect()
}
